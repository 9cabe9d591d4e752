"""Lines of the raw zone in every form: seeded, as JSON texts, so that numbers and escapes come in all their spellings.

Most are what the IoT rules make of a payload. Some are what no rule of ours makes: a wrong or partial envelope, or JSON
of strangers. Nothing that JSON can say is left out.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TypeVar

from iot_pipeline.contract import Contract
from iot_pipeline.contract.envelope import ENVELOPE, PAYLOAD
from iot_pipeline_tests.support.messages import Sender, line

NUMBERS = [
    *("0", "1", "-1", "-0", "-0.0", "0.0", "20", "21.5", "100", "100.0", "1e1", "1E+1", "1.50", "1e-5", "1e-7", "1e7"),
    *("-60", "-60.0000001", "150", "150.0000001", "5", "5.01", "300", "1100", "0.000001", "0.1", "0.30000000000000004"),
    *("1e16", "1e21", "1.5e22", "1e308", "5e-324", "1e-400", "123456789.123456789", "12345678.9", "1795000000000"),
    *("9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1795000000"),
    *("123456789012345678901234567890", "99999999999999", "100000000000000", "9" * 400, "1" + "0" * 308),
    *("1e400", "-1e400", "1e-999999999", "1.7976931348623157e308", "1.7976931348623159e308", "-" + "9" * 310),
]

STRINGS = [
    *("", "1", "1.5", "C", "F", "%", "hPa", "V", "dBm", "f", "NaN", "Infinity", "null", "true", "hello", "1.4.2"),
    *(
        'a"b',
        "back\\slash",
        "\\u001b",
        "tab\tnew\nline",
        "\x00",
        "\x1b\x1f",
        "\x7f",
        "é",
        "Grüße 🌡",
        "\u2028",
        "\ufeff",
    ),
    *("\uffff", "\U0010ffff", "x" * 64, "x" * 65, "é" * 64, "ç" * 65, ",}", ":nan", '"V":', "K", " 1"),
]

KEYS = [
    "x",
    "X",
    "vibration",
    "Vibration",
    "note",
    "a b",
    "",
    "é",
    "nested",
    "lat",
    "name",
    "unit ",
    "ts ",
    "\x01",
    "T",
    *("message.x", "location.alt", "unit.x", "reading.x", "message", "reading.", "message.message.x", "Unit.x"),
    *(
        "humidity",
        "Humidity",
        "seq",
        "v",
        "iot_payload",
        "location",
        "\x00",
        "back\\slash",
        "\\u0000",
        "\ufdd0",
        "🌡",
        '"',
    ),
]
# What texts are made of, one by one, beside the texts above.
CHARACTERS = [
    *map(chr, range(32)),
    *(
        '"',
        "\\",
        "\\u0000",
        "\\\\",
        "/",
        "u0000",
        "\x7f",
        "\x80",
        "\x9f",
        "\xa0",
        "é",
        "e\u0301",
        "ß",
        "İ",
        "\u2028",
        "\u2029",
    ),
    *(
        "\ufdd0",
        "\ufdef",
        "\ufffe",
        "\uffff",
        "\ufffd",
        "\ufeff",
        "\U0001fffe",
        "\U0010ffff",
        "🌡",
        "\ud7ff",
        "\ue000",
        "a",
    ),
]

ESCAPED = [r'"\u0046"', r'"\u00e9"', r'"\/"', r'"\ud83d\ude00"', r'"\u001B"', r'"\\u001b"', r'"\u0000"', r'"\u005A"']
# No JSON, or half of a character.
BROKEN = [
    r'"\udfff\ud800"',
    r'"a\\\ud83d"',
    r'"\ud83d\\ude00"',
    '"\x01"',
    "NaN",
    "-Infinity",
    "nan",
    "01",
    ".5",
    "1.",
    "+1",
    "tru",
    "'a'",
    r'"\ud800"',
    r'"\udc00\ud800"',
    r'"\x"',
    "",
]

# What stands before, within and after; the last but one is no JSON.
NESTED = [
    *(("[", "", "]"), ('{"a":', "1", "}"), ('[{"":', "[]", "}]"), ("[", "1e400", "]"), ("[", "9" * 5000, "]")),
    *(('{"b":1,"a":', "null", "}"), ("[", "]", "]"), ("[", '"]"', "]")),
]

TIMES = [
    *("{date}T{time}Z", "{date}T{time}.1Z", "{date}T{time}.25Z", "{date}T{time}.123Z", "{date}T{time}.1235Z"),
    *("{date}T{time}.999999Z", "{date}T{time}.9994999Z", "{date}T{time}.123456789Z", "{date}T{time}.1234567891Z"),
    *("{date}T{time},250Z", "{date}T{time},250+02:00", "{date}T{time}+02:00", "{date}T{time}-0930", "{date}T{time}+02"),
    *(
        "{date}T{time}.5+25:00",
        "{date}T{time}-99:99",
        "{date}T{time}+00:99",
        "{date}T{time}.0005-00:30",
        "{date}T24:00Z",
    ),
    *("{date}T24:00:00Z", "{date}T24:00:00.001Z", "{date}T24:00:00.000+01:00", "{date}T24:01:00Z", "{date}T23:59:60Z"),
    *(
        "{date}T12:30Z",
        "{date}T12Z",
        "{date}T12+02:00",
        "{date}T25:00:00Z",
        "{date}T{time}",
        "{date}",
        "{date} {time}Z",
    ),
    *(
        "{date}t{time}Z",
        "{date}T{time}z",
        "{date}T{time}ZZ",
        "{date}T{time}.Z",
        "{date}T{time}.Z+01:00",
        " {date}T{time}Z",
    ),
    *("{date}T{time}.000_Z", "{date}T{time}+01:00Z", "2026-W48-6T{time}Z", "2026-02-29T{time}Z", "2028-02-29T{time}Z"),
    *("2026-13-01T{time}Z", "2026-11-31T{time}Z", "20261118T{time}Z", "2026-11-18T094640.1Z", "2026-1a-18T{time}Z"),
    *("0001-01-01T00:00:00Z", "1970-01-01T00:00:00.001Z", "9999-12-31T23:59:59Z", "{date}T{time}.12zZ", "soon", "Z"),
    *(
        "0000-12-31T{time}Z",
        "10000-01-01T{time}Z",
        "-001-01-01T{time}Z",
        "0001-01-01T00:00:00+00:01",
        "+{date}T{time}Z",
    ),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-00:01", "9999-12-31T24:00Z", "9999-12-31T23:59:59.9995Z"),
    *(
        "{date}T{time} Z",
        "{date} T{time}Z",
        "{date}T {time}Z",
        "{date}T{time}Z ",
        "{date}T{time}. 5Z",
        "{date}T{time} +01:00",
    ),
    *(
        "{date}T 9:46:40Z",
        "{date}T09: 6:40Z",
        "{date}T09:46: 0Z",
        "2026-11- 8T{time}Z",
        "2026- 1-18T{time}Z",
        "{date}T{time}\tZ",
    ),
    *(
        "{date}T{time},5-23:59",
        "{date}T{time},1234567891Z",
        "{date}T{time}+23:60",
        "{date}T{time}+24:00",
        "{date}T12:30+0130",
    ),
    *(
        "{date}T24:00-00:00",
        "{date}T24:00:00,000000000Z",
        "{date}T24:00:00.",
        "{date}T24Z",
        "{date}T00:00:60Z",
        "{date}T12:60Z",
    ),
    *("\uff12026-11-18T{time}Z", "{date}T{time}Z\n", "{date}T{time}.123+01:00:30", "{date}T::::Z", "{date}T{time}...Z"),
]

T = TypeVar("T")
Text = str
Maker = Callable[[], Text]


class Payloads:
    """A source of payloads, the same for the same seed."""

    def __init__(self, seed: int, contract: Contract, received_at: datetime) -> None:
        self._random = Random(seed)
        self._contract = contract
        self._received_at = received_at
        self._units = [unit.symbol for metric in contract.metrics for unit in metric.units]

    def lines(self, count: int, sender: Sender) -> Iterator[bytes]:
        """Lines, those of the IoT rules with their numbers as the messages' ids."""
        for number in range(count):
            made = self._line(number, sender)
            yield made.replace(b"\r", b" ").replace(b"\n", b" ")

    def _line(self, number: int, sender: Sender) -> bytes:
        chance = self._random.random()
        if chance < 0.01:
            text = self._message() if self._random.random() < 0.4 else self._value(3)
            return (f"[{text}]" if self._random.random() < 0.2 else text).encode()
        made = line(self.payload(), self._received_at, sender, trace=str(number))
        name = self._one_of(ENVELOPE).name
        if chance < 0.05:
            value = self._mostly(self._own_payload() if name == PAYLOAD.name else self._value(1), self._arrival, 0.5)
            return made[:-1] + f',"{name}":{value}}}'.encode()
        if chance < 0.06:
            other = self._one_of([name.upper(), name.title(), f"{name} ", "x"])
            return made.replace(name.encode(), other.encode())
        return made

    def _arrival(self) -> Text:
        """Times of arrival that the broker does not give, and few that it might."""
        return self._one_of(
            ["0", "-1", "-0", "1.5", "1795000000000.0", "99999999999999", "1" + "0" * 14, "9" * 5000, "1e12"]
        )

    def payload(self) -> bytes:
        """What a device sends: mostly a message, at times any JSON, or none."""
        chance = self._random.random()
        if chance < 0.03:
            return self._random.randbytes(self._random.randrange(12))
        if chance < 0.06:
            return self._value(3).encode()
        text = self._message().encode()
        if chance < 0.10:
            return text[: self._random.randrange(len(text))]
        if chance < 0.12:
            return text[:-1] + self._one_of([b"", b"}}", b",}", b" x", b"\x00", b"\xff}"])
        return text

    def _message(self) -> Text:
        fields = {
            "v": self._mostly(str(self._contract.version), self._scalar),
            "readings": self._mostly(self._readings(), lambda: self._value(2), 0.04),
        }
        self._perhaps(fields, "device_id", 0.3, lambda: self._mostly('"meter-1"', lambda: self._value(1), 0.3))
        self._perhaps(fields, "fw", 0.5, lambda: self._mostly('"1.4.2"', lambda: self._value(1), 0.4))
        self._perhaps(fields, "sent_at", 0.2, lambda: self._value(1))
        self._perhaps(fields, "iot_payload", 0.03, self._own_payload)
        for name in ("V", "FW", "Readings", "Device_ID", "IOT_TENANT", "Iot_Received_At", "battery", "location"):
            self._perhaps(fields, name, 0.01, lambda: self._value(1))
        self._perhaps(fields, self._one_of(KEYS), 0.1, lambda: self._value(3))
        if self._random.random() < 0.02:
            del fields[self._one_of(list(fields))]
        return self._object(fields)

    def _own_payload(self) -> Text:
        sent = [self.payload() if self._random.random() < 0.2 else b'{"a":1}', b"\xff", b"[1]", b"hello", b"", b"\0"]
        wrong = ["null", "{}", "[1]", "5", "true", '"%%%"', '"YQ"', '"YQ=="', '"YQ=\\n="', '"Y Q="', '"-_-_"', '"é"']
        return self._one_of([*wrong, *(json.dumps(base64.b64encode(each).decode()) for each in sent)])

    def _readings(self) -> Text:
        count = self._one_of([0, 1, 1, 1, 2, 2, 3, 5])
        return "[" + ",".join(self._mostly(self._reading(), lambda: self._value(2), 0.05) for _ in range(count)) + "]"

    def _reading(self) -> Text:
        fields = {
            "ts": self._mostly(self._time(), lambda: self._value(1), 0.1),
            "seq": self._mostly(str(self._random.randrange(100_000)), lambda: self._value(1), 0.12),
        }
        for metric in self._contract.metrics:
            number = self._near((metric.minimum + metric.maximum) / 2)
            self._perhaps(fields, metric.name, 0.35, partial(self._mostly, number, self._any, 0.2))
        self._perhaps(fields, "unit", 0.3, self._unit)
        self._perhaps(fields, "location", 0.25, self._location)
        self._perhaps(fields, self._one_of(KEYS), 0.25, lambda: self._value(3))
        self._perhaps(fields, self._one_of(KEYS), 0.1, lambda: self._value(1))
        if self._random.random() < 0.003:
            fields["long"] = json.dumps(self._one_of(["é", "x"]) * self._one_of([15_998, 15_999, 16_000]))
        if self._random.random() < 0.08:
            name = self._one_of(list(fields))
            fields[name.upper()] = fields[name] if self._random.random() < 0.3 else fields.pop(name)
        if self._random.random() < 0.05:
            del fields[self._one_of(list(fields))]
        return self._object(fields)

    def _near(self, middle: float) -> Text:
        return repr(round(middle + self._random.uniform(-10, 10), self._random.randrange(17)))

    def _time(self) -> Text:
        step = timedelta(milliseconds=self._random.randrange(-7_200_000, 3_000_000))
        chance = self._random.random()
        if chance < 0.08:
            bound = self._one_of([-self._contract.lateness_bound, self._contract.future_bound])
            step = bound + timedelta(milliseconds=self._one_of([-1, 0, 1, 1000, -1000]))
        at = self._received_at + step
        if chance < 0.2:
            return str(round(at.timestamp() * 1000))
        if chance < 0.5:
            return json.dumps(at.isoformat(timespec="milliseconds"))
        form = TIMES[0] if chance < 0.8 else self._one_of(TIMES)
        return json.dumps(form.format(date=at.date(), time=f"{at:%H:%M:%S}"), ensure_ascii=self._random.random() < 0.5)

    def _unit(self) -> Text:
        if self._random.random() < 0.1:
            return self._value(2)
        names = [metric.name for metric in self._contract.metrics]
        chosen = self._random.sample(names, self._random.randrange(3))
        fields = {}
        for name in chosen:
            units = next(m.units for m in self._contract.metrics if m.name == name)
            good = json.dumps(self._one_of([unit.symbol for unit in units]))
            fields[name] = self._mostly(good, lambda: self._mostly(self._string(), lambda: self._value(1)), 0.15)
        self._perhaps(fields, self._one_of([*KEYS, "temp", "TEMPERATURE"]), 0.1, lambda: self._value(1))
        return self._object(fields)

    def _location(self) -> Text:
        if self._random.random() < 0.15:
            return self._value(2)
        fields = {
            name: self._mostly(self._one_of(["0", "-90", "53.5", "90.0001", "180", "-180"]), self._any, 0.1)
            for name in self._random.sample(["lat", "lon"], self._one_of([0, 1, 2, 2, 2, 2]))
        }
        self._perhaps(fields, self._one_of(["alt", "LAT", "Lon"]), 0.1, lambda: self._value(1))
        return self._object(fields)

    def _any(self) -> Text:
        return self._value(1)

    def _value(self, depth: int) -> Text:
        """Any JSON value; seldom no JSON at all."""
        chance = self._random.random()
        if chance < 0.002:
            return self._one_of(BROKEN)
        if depth and chance < 0.2:
            keys = self._random.sample(KEYS, self._random.randrange(4))
            return self._object({key: self._value(depth - 1) for key in keys})
        if depth and chance < 0.35:
            return "[" + ",".join(self._value(depth - 1) for _ in range(self._random.randrange(4))) + "]"
        if 0.35 <= chance < 0.353:
            return self._vast()
        return self._scalar()

    def _vast(self) -> Text:
        """What is deep, mostly about as deep as is read, or long."""
        depth: int = self._one_of([*range(90, 102), 48, 49, 50, 150, 1000, 5000])
        before, within, after = self._one_of(NESTED)
        digits = self._one_of([4299, 4300, 4301, 6000])
        return self._one_of([before * depth + within + after * depth, self._one_of(["", "-"]) + "9" * digits])

    def _scalar(self) -> Text:
        chance = self._random.random()
        if chance < 0.2:
            return self._one_of(["null", "true", "false"])
        if chance < 0.6:
            return self._one_of(NUMBERS)
        return self._string()

    def _string(self) -> Text:
        if self._random.random() < 0.1:
            return self._one_of(ESCAPED)
        if self._random.random() < 0.2:
            made = "".join(self._random.choices(CHARACTERS, k=self._random.randrange(1, 5)))
            return json.dumps(made, ensure_ascii=self._random.random() < 0.5)
        return json.dumps(self._one_of([*STRINGS, *self._units]), ensure_ascii=self._random.random() < 0.5)

    def _object(self, fields: dict[str, Text]) -> Text:
        blank = self._one_of(["", "", "", " "])
        items = list(fields.items())
        if self._random.random() < 0.3:
            self._random.shuffle(items)
        if items and self._random.random() < 0.05:
            name, value = self._one_of(items)
            again = self._mostly(value, partial(self._value, 1), 0.7)
            items.insert(self._random.randrange(len(items) + 1), (self._other_case(name), again))
        return "{" + f",{blank}".join(f"{self._key(key)}:{blank}{value}" for key, value in items) + "}"

    def _other_case(self, name: str) -> str:
        """Mostly the very same name."""
        return self._one_of([name, name, name, name.upper(), name.capitalize()])

    def _key(self, name: str) -> Text:
        chance = self._random.random()
        if chance < 0.01 and name:
            return f'"\\u{ord(name[0]):04X}' + json.dumps(name[1:])[1:] if name[0] <= "\uffff" else json.dumps(name)
        return json.dumps(name, ensure_ascii=chance < 0.5)

    def _perhaps(self, fields: dict[str, Text], name: str, chance: float, make: Maker) -> None:
        if self._random.random() < chance and name not in fields:
            fields[name] = make()

    def _mostly(self, usual: Text, other: Maker, chance: float = 0.05) -> Text:
        return other() if self._random.random() < chance else usual

    def _one_of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)
