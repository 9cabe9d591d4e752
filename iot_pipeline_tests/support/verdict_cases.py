"""What devices and strangers send that is near the rules' edges, and what becomes of it: one table for both verdicts.

The unit test asks the judge in Python, the integration test the transformation's SQL. A row names the columns of
`judged_telemetry` that it is about; that of a valid reading is about all that it stores.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iot_pipeline.contract import METRICS, Contract, Reason
from iot_pipeline.contract.event_time import moment
from iot_pipeline.contract.judged_reading import Reading
from iot_pipeline_tests.support.messages import line

RECEIVED = datetime(2026, 11, 18, 9, 46, 40, tzinfo=UTC)
MS = round(RECEIVED.timestamp() * 1000)
TRACE = "t-1"
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A line of the raw zone, and what is expected of each of its readings."""

    name: str
    line: bytes
    rows: tuple[Row, ...]

    def differences(self, found: Iterable[Row]) -> list[str]:
        """What was found to be otherwise, for people."""
        rows = sorted(found, key=lambda row: int(row["position"]))
        if len(rows) != len(self.rows):
            return [f"{self.name}: {len(rows)} readings"]
        pairs = enumerate(zip(self.rows, rows, strict=True), 1)
        return [
            f"{self.name}, reading {position}: {column} is {row[column]!r}, not {value!r}"
            for position, (wanted, row) in pairs
            for column, value in wanted.items()
            if not _same(row[column], value)
        ]


def _same(found: Any, wanted: Any) -> bool:
    """Conversions have an error of a float's last place."""
    if isinstance(found, float) and isinstance(wanted, float):
        return abs(found - wanted) < 1e-9
    return bool(found == wanted)


def row_of(judged: Reading, contract: Contract) -> Row:
    """A reading as a row of judged_telemetry; SQL's timestamps are naive and mean UTC."""
    sender = judged.message
    return {
        **{metric.name: judged.values.get(metric.name) for metric in contract.metrics},
        "message_id": None if judged.outcome == "valid" else sender.message_id,
        "position": judged.position,
        "outcome": str(judged.outcome),
        "device_id": sender.device_id,
        "event_time": judged.event_time and judged.event_time.replace(tzinfo=None),
        "seq": judged.seq,
        "lat": judged.lat,
        "lon": judged.lon,
        "extras": judged.extras_text,
        "tenant": sender.tenant,
        "site": sender.site,
        "fw": sender.fw,
        "received_at": sender.received_at and sender.received_at.replace(tzinfo=None),
        "detail": judged.detail,
        "record": judged.record,
        "payload_base64": sender.payload_base64,
    }


_SENDER = {"device_id": "meter-1", "tenant": "acme", "site": "north", "received_at": RECEIVED.replace(tzinfo=None)}
_NOBODY = dict.fromkeys((*_SENDER, "message_id", "fw", "payload_base64", "event_time", "seq", "extras"))
_MALFORMED: Row = {**_NOBODY, "outcome": str(Reason.MALFORMED_JSON)}
_STRANGE: Row = {**_NOBODY, "outcome": str(Reason.NOT_FROM_INGEST)}


def _valid(extras: Mapping[str, str | None] | None = None, **columns: Any) -> Row:
    """All that a valid reading stores; `extras` maps names to JSON texts."""
    kept = (
        None
        if extras is None
        else _as_the_engine(json.dumps(extras, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    )
    nothing = dict.fromkeys((*(m.name for m in METRICS), "lat", "lon", "fw", "message_id", "record", "detail"))
    usual = {"outcome": "valid", "seq": 1, "event_time": RECEIVED.replace(tzinfo=None), "temperature": 21.5}
    return {**nothing, **_SENDER, **usual, "extras": kept, **columns}


def _as_the_engine(text: str) -> str:
    """JSON as Trino writes it: escapes in capitals, and two of them for a character beyond the basic plane."""
    written = "".join(_pair(character) if character > "\uffff" else character for character in text)
    return re.sub(r"\\u00[01][0-9a-f]", lambda match: "\\u" + match[0][2:].upper(), written)


def _pair(character: str) -> str:
    high, low = json.dumps(character)[3:7], json.dumps(character)[9:13]
    return f"\\u{high.upper()}\\u{low.upper()}"


def _refused(reason: Reason, extras: Mapping[str, str | None] | None = None, **columns: Any) -> Row:
    kept = {} if extras is None else {"extras": _valid(extras)["extras"]}
    return {**_SENDER, "outcome": str(reason), "message_id": TRACE, **kept, **columns}


def _sent(payload: str) -> bytes:
    """The line that the rules make of a payload."""
    return line(payload.encode(), RECEIVED, trace=TRACE)


def _message(fields: str, readings: str = f'[{{"ts":{MS},"seq":1,"temperature":21.5}}]') -> bytes:
    """A message with these further fields, as JSON text."""
    return _sent(f'{{"v":1,"readings":{readings}{fields and ","}{fields}}}')


def _reading(fields: str, begin: str = f'"ts":{MS},"seq":1') -> bytes:
    """A message of one reading with these further fields, as JSON text."""
    return _message("", f"[{{{begin},{fields}}}]")


def _warm(fields: str) -> bytes:
    """The same of a reading that has its temperature, of 21.5."""
    return _reading(f'"temperature":21.5,{fields}')


def _all(name: str, form: str, texts: Iterable[str], *rows: Row, make: Any) -> Iterator[Case]:
    for text in texts:
        yield Case(f"{name} {text[:60]}", make(form.replace("@", text)), rows)


def cases() -> list[Case]:
    """The whole table."""
    return [
        *_units(),
        *_typed_fields(),
        *_envelopes(),
        *_cases_of_names(),
        *_keys_twice(),
        *_texts(),
        *_times(),
        *_unknown_fields(),
        *_locations(),
        *_lines_of_others(),
        *_messages(),
    ]


def _units() -> Iterator[Case]:
    unknown = [
        *('{"temperature":{"name":"F"}}', '["F"]', '{"temp":"F"}', '"F"', "5", "true", '{"temperature":null}'),
        *('{"temperature":["F"]}', '{"Temperature":"F"}', '{"temperature":"f"}', "[]", '""', "false", "0", "1.5"),
        *('{"temperature":"K"}', '{"temperature":5}', '{"temperature":true}', '{"temperature":""}', "[null]"),
        *('{"temperature":" F"}', '{"temperature":"F","temp":"F"}', '{"ts":"F"}', '{"seq":"F"}', '{"unit":"F"}'),
        *('{"location":"F"}', '{"humidity":"C"}', '{"temp":null}', '{"temperature":"F","temperature":null}', "[{}]"),
        *('{"temperature":"°F"}', '{"temperature":"F\\u0301"}', '{"":"F"}', '{"temperature":{}}', '{"humidity":5}'),
    ]
    for unit in unknown:
        yield Case(f"unit {unit}", _reading(f'"temperature":70,"unit":{unit}'), (_refused(Reason.UNKNOWN_UNIT),))
    plain = ["null", "{}", '{"temperature":"C"}', '{"humidity":"%"}', '{"humidity":null}', '{"temperature":"\\u0043"}']
    yield from _all("unit", '"temperature":70,"unit":@', plain, _valid(temperature=70.0), make=_reading)
    yield from _all(
        "unit",
        '"temperature":70,"unit":@',
        ['{"temperature":"F"}', '{"temperature":"\\u0046"}', '{"temperature":"C","temperature":"F"}'],
        _valid(temperature=38 / 1.8),
        make=_reading,
    )
    several = '"temperature":212,"humidity":40,"unit":{"temperature":"F","humidity":"%"}'
    yield Case("several units", _reading(several), (_valid(temperature=100.0, humidity=40.0),))
    other = _valid({"vibration": "3", "unit.vibration": '"g"'})
    yield Case("unit of an unknown field", _warm('"vibration":3,"unit":{"vibration":"g"}'), (other,))
    other = _valid({"vibration": None, "unit.vibration": None})
    yield Case("null unit of an unknown field", _warm('"vibration":null,"unit":{"vibration":null}'), (other,))
    kept = _refused(Reason.UNKNOWN_UNIT, {"unit.temp": '"F"'})
    yield Case("unit of no field, kept", _warm('"unit":{"temp":"F"}'), (kept,))
    high = _reading('"temperature":200,"unit":{"temperature":"F"}')
    yield Case("in range once converted", high, (_valid(temperature=168 / 1.8),))
    low = _reading('"temperature":-100,"unit":{"temperature":"F"}')
    yield Case("out of range once converted", low, (_refused(Reason.OUT_OF_RANGE),))


def _typed_fields() -> Iterator[Case]:
    for named in ('["other"]', "{}", "5", "true", '""', '"other"', '"METER-1"', '"meter-1 "', "[]", "false", "0"):
        yield Case(f"device_id {named}", _message(f'"device_id":{named}'), (_refused(Reason.DEVICE_MISMATCH),))
    same = ['"meter-1"', "null", '"\\u006deter-1"', '"other","device_id":"meter-1"']
    yield from _all("device_id", '"device_id":@', same, _valid(), make=_message)
    wrong = ["[]", '["1"]', "{}", '{"a":1}', "5", "1.5", "true", "false"]
    yield from _all("fw", '"fw":@', wrong, _refused(Reason.INVALID_VALUE, fw=None), make=_message)
    longest = ["", "1.4.2", "x" * 64, "é" * 64, "🌡" * 64, "null", "a\\b", 'a"b', "\x01\x1f\x7f", " "]
    for text in longest:
        yield Case(f"fw {text[:8]!r} of {len(text)}", _message(f'"fw":{json.dumps(text)}'), (_valid(fw=text),))
        plain = json.dumps(text, ensure_ascii=False)
        yield Case(f"fw {text[:8]!r} of {len(text)} plain", _message(f'"fw":{plain}'), (_valid(fw=text),))
    for text in ("x" * 65, "é" * 65, "🌡" * 65, "a\0", "\0"):
        refused = _refused(Reason.INVALID_VALUE, fw=text)
        yield Case(f"fw {text[:8]!r} of {len(text)}", _message(f'"fw":{json.dumps(text)}'), (refused,))
    yield Case("fw null", _message('"fw":null'), (_valid(),))
    numbers = ['"21.5"', "true", "[]", "[21.5]", "{}", '"NaN"', '""']
    yield from _all("temperature", '"temperature":@', numbers, _refused(Reason.INVALID_VALUE), make=_reading)
    vast = ["9" * 400, "8" * 5000, "151", "-60.1"]
    yield from _all("temperature", '"temperature":@', vast, _refused(Reason.OUT_OF_RANGE), make=_reading)
    # Athena reads a fraction beyond a DOUBLE as a text, which is no number.
    beyond = ["1e400", "-1e400", "1.8e308", '"Infinity"']
    yield from _all("temperature", '"temperature":@', beyond, _refused(Reason.INVALID_VALUE), make=_reading)
    for text in ["1e400", "-1e400", '"Infinity"', '"-Infinity"']:
        yield Case(f"fw {text}", _message(f'"fw":{text}'), (_refused(Reason.INVALID_VALUE, fw=None),))
    for text, value in (("-0.0", -0.0), ("1e1", 10.0), ("2.15E+1", 21.5), ("150", 150.0), ("1e-400", 0.0)):
        yield Case(f"temperature {text}", _reading(f'"temperature":{text}'), (_valid(temperature=value),))
    # Within a message, its readings and a reading: 100 levels in all.
    deep = "[" * 97 + "]" * 97
    yield Case("deep metric", _reading(f'"temperature":{deep}'), (_refused(Reason.INVALID_VALUE),))
    yield Case("deep unknown field", _warm(f'"x":{deep}'), (_valid({"x": deep}),))
    brackets = json.dumps('[{"' * 200)
    yield Case("brackets in a text", _warm(f'"x":{brackets}'), (_valid({"x": brackets}),))
    many = "[" + "[[{}]]," * 300 + "[]]"
    yield Case("many brackets", _warm(f'"x":{many}'), (_valid({"x": many}),))
    digits = "9" * 5000
    yield Case("long number kept", _warm(f'"x":[{digits}]'), (_valid({"x": f"[{digits}]"}),))
    for seq in ('"1"', "1.5", "1.0", "1e0", "true", "[1]", "{}", str(2**63), "9" * 5000, "1e400"):
        sent = _reading('"temperature":21.5', f'"ts":{MS},"seq":{seq}')
        yield Case(f"seq {seq[:30]}", sent, (_refused(Reason.INVALID_SEQ, seq=None),))
    for number in (0, -1, 2**63 - 1, -(2**63)):
        sent = _reading('"temperature":21.5', f'"ts":{MS},"seq":{number}')
        yield Case(f"seq {number}", sent, (_valid(seq=number),))
    yield Case("seq null", _reading('"temperature":1', f'"ts":{MS},"seq":null'), (_refused(Reason.MISSING_SEQ),))


def _in_base64(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def _line(**changes: Any) -> bytes:
    """A line as the second rule makes it, but for these changes; None takes a field away."""
    usual = json.loads(line(b"hello", RECEIVED, trace=TRACE)) | changes
    return json.dumps({name: value for name, value in usual.items() if value is not None}).encode()


def _envelopes() -> Iterator[Case]:
    none = _refused(Reason.NO_READINGS, payload_base64=None)
    for own in ('"%%%"', f'"{_in_base64(b"hello")}"', "5", "null", "{}"):
        text = f'{{"v":1,"readings":[],"iot_payload":{own}}}'
        yield Case(f"own iot_payload {own} without a reading", _sent(text), (none,))
        value = None if own == "null" else own
        kept = _valid({"message.iot_payload": value})
        yield Case(f"own iot_payload {own} beside one", _message(f'"iot_payload":{own}'), (kept,))
    yield Case(
        "readings null beside iot_payload", _sent(f'{{"readings":null,"iot_payload":"{_in_base64(b"x")}"}}'), (none,)
    )
    # As Java reads it; then it is not what our rule would have made of those bytes.
    unpadded = {**none, "outcome": "malformed_json", "record": "a", "payload_base64": "YQ"}
    yield Case("base64 without padding", _line(iot_payload="YQ"), (unpadded,))
    for text in ("%%%", "YQ=", "Y Q=", "YQ==\n", "-_-_", "YQ===", "é"):
        yield Case(f"no base64: {text!r}", _line(iot_payload=text), (none,))
    others: list[Any] = [5, True, [], {}, ["YQ=="], None]
    for other in others:
        yield Case(f"iot_payload {other}", _line(iot_payload=other), (none,))
    deep = (b"[" * 101 + b"]" * 101, b"[" * 5000 + b"NaN" + b"]" * 5000)
    for payload in (
        *deep,
        b"hello",
        b"",
        b"\xff",
        b'{"v":1,',
        b"NaN",
        b'{"a":"\\ud800"}',
        b'{"a":\xff}',
        b"\x00",
        b"01",
    ):
        wrapped = _in_base64(payload)
        row = _refused(Reason.MALFORMED_JSON, payload_base64=wrapped, record=payload.decode("utf-8", "replace"))
        yield Case(f"payload {payload[:20]!r} of {len(payload)}", _line(iot_payload=wrapped), (row,))
    for payload in (
        b"[" * 100 + b"]" * 100,
        b'{"a":1}',
        b"[1]",
        b"null",
        b"5",
        b'"x"',
        b' {"a" : 1} ',
        b'{"Readings":[]}',
        b"9" * 5000,
    ):
        wrapped = _in_base64(payload)
        row = _refused(Reason.NO_READINGS, payload_base64=wrapped, record=payload.decode())
        yield Case(f"payload {payload[:20]!r}", _line(iot_payload=wrapped), (row,))
    yield from _arrivals()


def _arrivals() -> Iterator[Case]:
    """Times of arrival, of which the broker gives whole milliseconds."""
    body = _message("").decode()
    for sent in (str(10**14), "9" * 30, "9" * 5000, "-1", "1.5", f"{MS}.0", "1e12", f'"{MS}"', "true", "null", "[]"):
        changed = body.replace(f'"iot_received_at":{MS}', f'"iot_received_at":{sent}').encode()
        row = {**_STRANGE, "record": changed.decode()}
        yield Case(f"iot_received_at {sent[:40]}", changed, (row,))
    at = {0: Reason.IN_FUTURE, 99_999_999_999_999: Reason.TOO_LATE}
    for ms, reason in at.items():
        changed = body.replace(f'"iot_received_at":{MS}', f'"iot_received_at":{ms}').encode()
        received = moment(ms).replace(tzinfo=None)
        yield Case(f"iot_received_at {ms}", changed, (_refused(reason, received_at=received),))


def _cases_of_names() -> Iterator[Case]:
    two = f'[{{"ts":{MS},"seq":1,"temperature":21.5}},{{"ts":{MS},"seq":2,"temperature":22.5}}]'
    kept = {"message.V": "1"}
    rows = (_valid(kept), _valid(kept, seq=2, temperature=22.5))
    yield Case("v and V", _message('"V":1', two), rows)
    yield Case("another V", _message('"V":2', two), tuple({**row, "extras": '{"message.V":"2"}'} for row in rows))
    yield Case("fw and FW", _message('"fw":"1","FW":"2"'), (_valid({"message.FW": '"2"'}, fw="1"),))
    yield Case("FW alone", _message('"FW":5'), (_valid({"message.FW": "5"}),))
    yield Case("Device_ID", _message('"Device_ID":"x"'), (_valid({"message.Device_ID": '"x"'}),))
    yield Case("IOT_TENANT", _message('"IOT_TENANT":"x"'), (_valid({"message.IOT_TENANT": '"x"'}),))
    yield Case("readings and Readings", _message('"Readings":[]'), (_valid({"message.Readings": "[]"}),))
    alone = b'{"v":1,"Readings":[{"ts":1,"seq":1,"temperature":1}]}'
    row = _refused(Reason.NO_READINGS, payload_base64=_in_base64(alone), record=alone.decode())
    yield Case("Readings alone", _sent(alone.decode()), (row,))
    text = f'{{"V":1,"readings":[{{"ts":{MS},"seq":1,"temperature":1}}]}}'
    yield Case("V alone", _sent(text), (_refused(Reason.UNSUPPORTED_VERSION, {"message.V": "1"}),))
    yield Case("temperature and Temperature", _warm('"Temperature":99'), (_valid({"Temperature": "99"}),))
    yield Case("Temperature first", _reading('"Temperature":99,"temperature":21.5'), (_valid({"Temperature": "99"}),))
    yield Case("Temperature alone", _reading('"Temperature":99'), (_refused(Reason.NO_METRICS, {"Temperature": "99"}),))
    yield Case("TS alone", _reading('"temperature":1', f'"TS":{MS},"seq":1'), (_refused(Reason.MISSING_TS),))
    yield Case("Seq alone", _reading('"temperature":1', f'"ts":{MS},"Seq":1'), (_refused(Reason.MISSING_SEQ),))
    yield Case("ts and TS", _warm('"TS":"soon"'), (_valid({"TS": '"soon"'}),))
    yield Case("Unit alone", _warm('"Unit":{"temperature":"F"}'), (_valid({"Unit": '{"temperature":"F"}'}),))
    yield Case("Location alone", _warm('"Location":{"lat":1}'), (_valid({"Location": '{"lat":1}'}),))
    place = _valid({"location.Lat": "99"}, lat=1.0, lon=2.0)
    yield Case("lat and Lat", _warm('"location":{"lat":1,"lon":2,"Lat":99}'), (place,))
    lost = _refused(Reason.INVALID_VALUE, {"location.Lat": "1", "location.Lon": "2"})
    yield Case("Lat and Lon alone", _warm('"location":{"Lat":1,"Lon":2}'), (lost,))
    yield Case("x and X", _warm('"x":1,"X":2'), (_valid({"x": "1", "X": "2"}),))
    yield Case("blank in a name", _warm('"humidity ":"x"'), (_valid({"humidity ": '"x"'}),))


def _keys_twice() -> Iterator[Case]:
    """The very same key twice in one object: the last counts."""
    good, bad = f'[{{"ts":{MS},"seq":1,"temperature":21.5}}]', '"none"'
    yield Case("v, then a wrong one", _message('"v":2'), (_refused(Reason.UNSUPPORTED_VERSION),))
    yield Case("v, after a wrong one", _sent(f'{{"v":2,"v":1,"readings":{good}}}'), (_valid(),))
    yield Case("readings, then none", _message(f'"readings":{bad}'), (_refused(Reason.NO_READINGS),))
    yield Case("readings, after none", _message(f'"readings":{good}', bad), (_valid(),))
    yield Case("readings, then null", _message('"readings":null'), (_refused(Reason.NO_READINGS),))
    yield Case("fw twice", _message('"fw":5,"fw":"2"'), (_valid(fw="2"),))
    yield Case("fw, then null", _message('"fw":5,"fw":null'), (_valid(),))
    yield Case(
        "device_id, then another",
        _message('"device_id":"meter-1","device_id":"x"'),
        (_refused(Reason.DEVICE_MISMATCH),),
    )
    yield Case("own iot_device", _message('"iot_device":"other","iot_tenant":5'), (_valid(),))
    yield Case("own iot_trace", _message('"iot_trace":5,"iot_client":{}'), (_valid(),))
    yield Case("unknown of the message twice", _message('"x":1,"x":2'), (_valid({"message.x": "2"}),))
    yield Case("metric twice", _reading('"temperature":"x","temperature":21.5'), (_valid(),))
    yield Case("metric twice, the last wrong", _warm('"temperature":"x"'), (_refused(Reason.INVALID_VALUE),))
    yield Case("metric, then null", _warm('"temperature":null'), (_refused(Reason.NO_METRICS),))
    yield Case("an escape of its key", _reading('"temperature":"x","\\u0074emperature":21.5'), (_valid(),))
    yield Case("seq twice", _warm('"seq":2'), (_valid(seq=2),))
    yield Case("ts twice", _warm(f'"ts":"soon","ts":{MS}'), (_valid(),))
    yield Case("ts, then none", _warm('"ts":null'), (_refused(Reason.MISSING_TS),))
    yield Case("unknown twice", _warm('"x":1,"x":[2]'), (_valid({"x": "[2]"}),))
    yield Case("unknown twice, at depth", _warm('"x":[{"a":1,"a":2,"A":3}]'), (_valid({"x": '[{"A":3,"a":2}]'}),))
    yield Case("unknown, then null", _warm('"x":1,"x":null'), (_valid({"x": None}),))
    place = '"location":{"lat":91,"lon":"x","lat":1,"lon":2,"alt":1,"alt":2}'
    yield Case("location's twice", _warm(place), (_valid({"location.alt": "2"}, lat=1.0, lon=2.0),))
    yield Case("location twice", _warm('"location":5,"location":{"lat":1,"lon":2}'), (_valid(lat=1.0, lon=2.0),))
    unit = '"temperature":70,"unit":{"temperature":"K","temperature":"F"}'
    yield Case("unit's twice", _reading(unit), (_valid(temperature=38 / 1.8),))
    wrong = '"temperature":70,"unit":{"temperature":"F","temperature":"K"}'
    yield Case("unit's twice, the last wrong", _reading(wrong), (_refused(Reason.UNKNOWN_UNIT),))
    yield Case("unit twice", _warm('"unit":5,"unit":{}'), (_valid(),))
    kept = _valid({"x": "1", "unit.x": '"b"'})
    yield Case("unit of an unknown field twice", _warm('"x":1,"unit":{"x":"a","x":"b"}'), (kept,))


def _texts() -> Iterator[Case]:
    nul = _refused(Reason.INVALID_VALUE)
    for sent in (
        '"a\\u0000"',
        '"\\u0000"',
        '["a\\u0000b"]',
        '{"a":[{"b":"\\u0000"}]}',
        '{"\\u0000":1}',
        '"\\\\\\u0000"',
    ):
        yield Case(f"U+0000 in {sent}", _warm(f'"x":{sent}'), (nul,))
        yield Case(f"U+0000 in the message's {sent}", _message(f'"x":{sent}'), (nul,))
    for place in ('"a\\u0000":1', '"\\u0000":null', '"location":{"lat":1,"lon":2,"a\\u0000":1}'):
        yield Case(f"U+0000 in a name: {place}", _warm(place), (nul,))
    yield Case("U+0000 in a name of the message", _message('"\\u0000":1'), (nul,))
    for sent in ('"a\\\\u0000"', '["\\\\u0000"]', '"\\\\\\\\u0000"', '{"\\\\u0000":1}'):
        yield Case(f"a backslash, then u0000: {sent}", _warm(f'"x":{sent}'), (_valid({"x": sent}),))
    after = "a backslash, then \\u001b"
    yield Case(after, _warm('"x":"\\\\\\u001b"'), (_valid({"x": '"\\\\\\u001B"'}),))
    yield Case("a name with a backslash", _warm('"\\\\u0000":1'), (_valid({"\\u0000": "1"}),))
    controls = "".join(map(chr, range(1, 32)))
    yield Case("control characters in fw", _message(f'"fw":{json.dumps(controls)}'), (_valid(fw=controls),))
    # A text within extras is written as the lake writes JSON: short escapes, and hexadecimal digits in capitals.
    short = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    for number in range(1, 32):
        written = short.get(chr(number), f"\\u{number:04X}")
        kept = _valid({"x": f'"{written}"', chr(number): "1"})
        text = f'"x":"\\u{number:04x}","\\u{number:04x}":1'
        yield Case(f"control character {number:02x}", _warm(text), (kept,))
    for raw in ("\x01", "\x1f", "\t"):
        yield Case(f"{raw!r} as it is", _message(f'"fw":"a{raw}b"'), (_refused(Reason.MALFORMED_JSON),))
    yield from _all("half", '"fw":"@"', HALVES, _MALFORMED, make=_unwrapped)
    yield from _halves()
    yield from _characters()
    for length, row in ((15_998, _valid({"x": '"' + "é" * 15_998 + '"'})), (15_999, nul)):
        yield Case(f"a value of {length}", _warm(f'"x":"{"é" * length}"'), (row,))
    for length, row in ((16_000, _valid({"n" * 16_000: "1"})), (16_001, nul)):
        yield Case(f"a name of {length}", _warm(f'"{"n" * length}":1'), (row,))


HALVES = [r"\ud800", r"\udfff", r"\uD83C", r"\udc00\ud800", r"\ud800\ud800", r"\ud83dx", r"\ud83d\n\ude00", r"\\\ud800"]


def _unwrapped(fields: str) -> bytes:
    """A message's line, whatever the rule that takes it would do with its halves."""
    return _message("").replace(b'"v":1', f'"v":1,{fields}'.encode())


def _halves() -> Iterator[Case]:
    body = _message('"x":["@"],"@@":1')
    whole = _valid({"message.x": '["@"]', "message.@@": "1"})
    yield Case("no halves", body, (whole,))
    for place in (b"@@", b'"@"', b"meter-1", b"acme", b"t-1", b"temperature"):
        half = rb'"\udead"' if place[:1] == b'"' else rb"\udead"
        yield Case(f"half in {place!r}", body.replace(place, half), (_MALFORMED,))
    pair = _valid({"x": r'"\uD83C\uDF21"'}, fw="🌡")
    yield Case(
        "a pair",
        _message('"fw":"\\ud83c\\udf21"', f'[{{"ts":{MS},"seq":1,"temperature":21.5,"x":"\\uD83C\\uDF21"}}]'),
        (pair,),
    )
    kept = _valid({"x": '"\\\\ud800"'})
    yield Case("a backslash, then ud800", _warm('"x":"\\\\ud800"'), (kept,))


def _characters() -> Iterator[Case]:
    """Noncharacters and four bytes: each store takes them."""
    for character in (
        "\ufdd0",
        "\uffff",
        "\ufffe",
        "\U0001fffe",
        "\U0010ffff",
        "\ufffd",
        "\ufeff",
        "\u2028",
        "\x7f",
        "\x85",
    ):
        row = _valid({"x": _as_the_engine(f'"{character}"'), character: "1"}, fw=character)
        for text in (json.dumps(character), f'"{character}"'):
            fields = f'"temperature":21.5,"x":{text},{text}:1'
            sent = _message(f'"fw":{text}', f'[{{"ts":{MS},"seq":1,{fields}}}]')
            yield Case(f"U+{ord(character):04X} as {text!a}", sent, (row,))


# Each `ts` as JSON text, and the moment that it is; of others there is none.
TIMES = {
    '"2026-11-18T09:46:40Z"': "09:46:40",
    '"2026-11-18T09:46Z"': "09:46:00",
    '"2026-11-18T09:46:40.5Z"': "09:46:40.500",
    '"2026-11-18T09:46:40,5Z"': "09:46:40.500",
    '"2026-11-18T09:46:40,123Z"': "09:46:40.123",
    '"2026-11-18T09:46:40.123456789Z"': "09:46:40.123",
    '"2026-11-18T09:46:40.0004999Z"': "09:46:40.000",
    '"2026-11-18T09:46:40.0005Z"': "09:46:40.001",
    '"2026-11-18T09:46:59.9995Z"': "09:47:00",
    '"2026-11-18T11:46:40+02:00"': "09:46:40",
    '"2026-11-18T11:46:40+0200"': "09:46:40",
    '"2026-11-18T00:16:40,250-0930"': "09:46:40.250",
    '"2026-11-19T09:45:40+23:59"': "09:46:40",
    '"2026-11-17T09:47:40-23:59"': "09:46:40",
    '"2026-11-18T09:46:40-00:00"': "09:46:40",
    '"2026-11-18T24:00Z"': None,
    '"2026-11-18T24:00+14:00"': "10:00:00",
    '"2026-11-18T24:00:00+14:00"': "10:00:00",
    '"2026-11-18T24:00:00.000+14:00"': "10:00:00",
    '"2026-11-18T24:00:00,0+1400"': "10:00:00",
    '"2026-11-18T09:46:4\\u0030Z"': "09:46:40",
    str(MS): "09:46:40",
    str(MS + 1): "09:46:40.001",
}
FAR = {
    '"0001-01-01T00:00:00Z"': "0001-01-01T00:00:00",
    '"0001-01-01T00:01:00+00:01"': "0001-01-01T00:00:00",
    '"9999-12-31T23:59:59.999Z"': "9999-12-31T23:59:59.999",
    '"9999-12-31T23:58:59-00:01"': "9999-12-31T23:59:59",
    '"2026-11-18T24:00Z"': "2026-11-19T00:00:00",
    '"2024-02-29T12:00Z"': "2024-02-29T12:00:00",
    "0": "1970-01-01T00:00:00",
    "99999999999999": "5138-11-16T09:46:39.999",
}
NO_TIMES = [
    *('"0000-11-15T05:10:00Z"', '"0000-12-31T23:59:59.999Z"', '"10000-01-01T00:00:00Z"', '"+2026-11-18T09:46:40Z"'),
    *('"-001-11-18T09:46:40Z"', '"0001-01-01T00:00:00+00:01"', '"9999-12-31T23:59:59-00:01"', '"9999-12-31T24:00Z"'),
    *(
        '"9999-12-31T23:59:59.9995Z"',
        '"2026-11-18T09:46:40+24:00"',
        '"2026-11-18T09:46:40+23:60"',
        '"9999-12-31T24:00:00Z"',
    ),
    *('"2026-11-18T09:46:40-99:99"', '"2026-11-18T24:00:01Z"', '"2026-11-18T24:01Z"', '"2026-11-18T24:00:00.001Z"'),
    *(
        '"2026-11-18T25:00Z"',
        '"2026-11-18T09:46:60Z"',
        '"2026-11-18T23:59:60Z"',
        '"2026-11-18T09:60Z"',
        '"2026-11-18T09Z"',
    ),
    *('" 2026-11-18T09:46:40Z"', '"2026-11-18T09:46:40Z "', '"2026-11-18T09:46:40 Z"', '"2026-11-18T 9:46:40Z"'),
    *('"2026-11-18T09:46: 0Z"', '"2026-11-18T09: 6:40Z"', '"2026-11- 8T09:46:40Z"', '"2026-11-18 09:46:40Z"', '" "'),
    *(
        '"2026-11-18T09:46:40.1 Z"',
        '"2026-11-18T09:46:40. 1Z"',
        '"2026-11-18T09:46:40 +02:00"',
        '"2026-11-18\\tT09:46:40Z"',
    ),
    *(
        '"2026-11-18T09:46:40Z\\n"',
        '"2026-11-18t09:46:40Z"',
        '"2026-11-18T09:46:40z"',
        '"2026-11-18T09:46:40"',
        '"2026-11-18"',
    ),
    *(
        '"2026-11-18T09:46:40.Z"',
        '"2026-11-18T09:46:40,Z"',
        '"2026-11-18T09:46:40.1234567890Z"',
        '"2026-11-18T09:46.5Z"',
    ),
    *(
        '"2026-11-18T09:46:40+02"',
        '"2026-11-18T09:46:40+2:00"',
        '"2026-11-18T09:46:40\\u221202:00"',
        '"20261118T094640Z"',
    ),
    *(
        '"2026-02-29T09:46:40Z"',
        '"2026-13-01T09:46:40Z"',
        '"2026-00-01T09:46:40Z"',
        '"2026-11-31T09:46:40Z"',
        '"2026-11-00T00:00Z"',
    ),
    *(
        '"2026-W47-3T09:46:40Z"',
        '"2026-322T09:46:40Z"',
        '"\\uff12026-11-18T09:46:40Z"',
        '"2026-11-18T09:46:40ZZ"',
        '"soon"',
    ),
    *('""', "true", "1.5", f"{MS}.0", "1e12", "-1", str(10**14), "9" * 5000, "1e400", "[]", "{}", f'"{MS}"', f"[{MS}]"),
    *(
        '"2026-11-18T09:46:40.12-3Z"',
        '"2026-11-18T09:46:40+02:00Z"',
        '"2026-11-18T09:46:40Z+02:00"',
        '"2026-11-18T09.46.40Z"',
    ),
]


def _times() -> Iterator[Case]:
    for ts, clock in TIMES.items():
        if clock is not None:
            at = datetime.fromisoformat(f"2026-11-18T{clock}")
            yield Case(f"ts {ts}", _reading('"temperature":21.5', f'"ts":{ts},"seq":1'), (_valid(event_time=at),))
    for ts, text in FAR.items():
        at = datetime.fromisoformat(text)
        reason = Reason.TOO_LATE if at < RECEIVED.replace(tzinfo=None) else Reason.IN_FUTURE
        row = _refused(reason, event_time=at)
        yield Case(f"ts {ts}", _reading('"temperature":21.5', f'"ts":{ts},"seq":1'), (row,))
    for ts in NO_TIMES:
        row = _refused(Reason.INVALID_TS, event_time=None)
        yield Case(f"no ts {ts[:50]}", _reading('"temperature":21.5', f'"ts":{ts},"seq":1'), (row,))


def _unknown_fields() -> Iterator[Case]:
    kept = {"message.battery": "3.7", "message.location": '{"lat":1,"lon":2}'}
    yield Case("a metric of the message", _message('"battery":3.7,"location":{"lat":1,"lon":2}'), (_valid(kept),))
    known = '"sent_at":{"any":"thing"},"device_id":null,"fw":null'
    yield Case("known fields of the message", _message(known), (_valid(),))
    yield Case("seq of the message", _message('"seq":5,"ts":1'), (_valid({"message.seq": "5", "message.ts": "1"}),))
    yield Case(
        "readings' v", _warm('"v":2,"fw":5,"iot_device":"x"'), (_valid({"v": "2", "fw": "5", "iot_device": '"x"'}),)
    )
    for name in ("message.x", "location.x", "unit.x", "reading.x", "message.", "reading.reading.x", "unit.temperature"):
        yield Case(f"own name {name}", _warm(f'"{name}":1'), (_valid({f"reading.{name}": "1"}),))
    for name in (
        "message",
        "reading",
        "Message.x",
        "messages.x",
        "unitx",
        " unit.x",
        "x.unit.y",
        "readings.x",
        "a.b",
        "",
    ):
        yield Case(f"own name {name!r}", _warm(f'"{name}":1'), (_valid({name: "1"}),))
    every = {
        "message.x": "1",
        "x": "2",
        "location.x": "3",
        "unit.x": "4",
        "reading.message.x": "5",
        "reading.unit.x": "6",
    }
    reading = f'{{"ts":{MS},"seq":1,"temperature":21.5,"x":2,"location":{{"lat":1,"lon":2,"x":3}},"unit":{{"x":4}},'
    sent = _message('"x":1', f'[{reading}"message.x":5,"unit.x":6}}]')
    yield Case("one name at each level", sent, (_valid(every, lat=1.0, lon=2.0),))
    yield Case("a null one", _warm('"x":null'), (_valid({"x": None}),))
    yield Case("a null one of the message", _message('"x":null'), (_valid({"message.x": None}),))
    yield Case("the text null", _warm('"x":"null"'), (_valid({"x": '"null"'}),))
    text = '{"b":[1.50,-0,1E2,true,null],"a":{ }}'
    yield Case("written anew", _warm(f'"x":{text}'), (_valid({"x": '{"a":{},"b":[1.5,0,100.0,true,null]}'}),))
    mixed = _message('"x":1', f'[5,{{"ts":{MS},"seq":1,"temperature":21.5}}]')
    yield Case("beside no object", mixed, (_refused(Reason.NOT_AN_OBJECT, extras=None), _valid({"message.x": "1"})))


def _locations() -> Iterator[Case]:
    nothing = ["null", "{}", '{"lat":null,"lon":null}', '{"lat":null}', '{"lat":1,"lat":null}']
    yield from _all("location", '"location":@', nothing, _valid(), make=_warm)
    yield Case("location of a null alt", _warm('"location":{"alt":null}'), (_valid({"location.alt": None}),))
    wrong = [
        *('{"lat":1}', '{"lat":1,"lon":null}', '{"lon":1}', '{"lat":"1","lon":2}', '{"lat":true,"lon":2}', '{"alt":5}'),
        *('{"lat":91,"lon":0}', '{"lat":-90.0001,"lon":0}', '{"lat":0,"lon":180.5}', '{"lat":1e400,"lon":0}', "[]"),
        *("[1,2]", '"x"', '""', "5", "0", "true", "false", '{"lat":[1],"lon":2}', '{"lat":null,"lon":null,"alt":5}'),
        *('{"lat":{},"lon":{}}', '{"lat":null,"lon":null,"alt":[]}', '{"lat":"","lon":""}', '{"lat":false,"lon":null}'),
    ]
    yield from _all("location", '"location":@', wrong, _refused(Reason.INVALID_VALUE), make=_warm)
    for text, lat, lon in (('{"lat":-90,"lon":180}', -90.0, 180.0), ('{"lon":-1.8e2,"lat":0}', 0.0, -180.0)):
        yield Case(f"location {text}", _warm(f'"location":{text}'), (_valid(lat=lat, lon=lon),))
    alt = _valid({"location.alt": "1609.3", "location.fix": '{"sats":7}'}, lat=1.0, lon=2.0)
    yield Case("location.alt", _warm('"location":{"lat":1,"lon":2,"alt":1609.3,"fix":{"sats":7}}'), (alt,))


def _lines_of_others() -> Iterator[Case]:
    """Lines that no rule of ours made."""
    plain = f'{{"v":1,"readings":[{{"ts":{MS},"seq":1,"temperature":1}}]}}'
    strangers = ["{}", "[]", "[1]", "5", '"x"', '""', "null", "true", "1e400", "-0", plain, f"[{plain}]", " [1, 2] "]
    strangers += ['["acme","north","meter-1",1795000000000]', '{"iot_payload":"aGVsbG8="}', "[" * 100 + "]" * 100]
    for text in strangers:
        row = {**_STRANGE, "record": text, "position": 1}
        yield Case(f"line {text[:40]}", text.encode(), (row,))
    whole = json.loads(_message(""))
    row = _STRANGE
    values: list[Any] = [None, "", 5, True, [], ["x"], {}]
    for field in ("iot_tenant", "iot_site", "iot_device"):
        for value in values:
            yield Case(f"{field} {value}", json.dumps({**whole, field: value}).encode(), (row,))
        for name in (field.upper(), f"{field} "):
            renamed = {name if key == field else key: value for key, value in whole.items()}
            yield Case(f"{name!r} for {field}", json.dumps(renamed).encode(), (row,))
    for field in ("iot_tenant", "iot_site", "iot_device", "iot_received_at"):
        partial = {key: value for key, value in whole.items() if key != field}
        yield Case(f"without {field}", json.dumps(partial).encode(), (row,))
        wrapped = {key: value for key, value in json.loads(_line()).items() if key != field}
        yield Case(f"without {field}, wrapped", json.dumps(wrapped).encode(), (row,))
    traces: list[Any] = [None, 5, ["x"], {}]
    for trace in traces:
        lacking = {**whole, "iot_trace": trace, "v": 2}
        row = _refused(Reason.UNSUPPORTED_VERSION, message_id=None)
        yield Case(f"iot_trace {trace}", json.dumps(lacking).encode(), (row,))
    for text in (
        "hello",
        "{",
        "nan",
        "NaN",
        "[1",
        "{}{}",
        "{'a':1}",
        '{"a":1,}',
        "{}\ufeff",
        "9" * 5000 + "x",
        f"[{'9' * 5000},NaN]",
        "[" * 5000,
        "[" * 101 + "]" * 101,
        "[" * 5000 + "]" * 5000,
        '{"a":[' * 50 + "[]" + "]}" * 50,
        '{"v":1,"readings":[{"ts":1,"seq":1,"x":' + "[" * 98 + "]" * 98 + "}]}",
        "[" * 5000 + "9" * 5000 + "}",
        "Infinity",
        "[01]",
    ):
        row = {**_MALFORMED, "record": text}
        yield Case(f"line {text[:20]!r} of {len(text)}", text.encode(), (row,))
    # As many quotation marks as a message holds: tried one by one they would take minutes.
    unclosed = "[" * 1_200 + '"' + '\\"' * 60_000
    yield Case("an unclosed text at depth", unclosed.encode(), ({**_MALFORMED, "record": unclosed},))
    yield Case("bytes", b"\xff{}", ({**_MALFORMED, "record": "\ufffd{}"},))


def _messages() -> Iterator[Case]:
    good = f'[{{"ts":{MS},"seq":1,"temperature":21.5}}]'
    for version in ("2", "1.0", '"1"', "1e0", "true", "null", "[1]", "{}", "-1", "10", "9" * 5000):
        sent = _sent(f'{{"v":{version},"readings":{good}}}')
        yield Case(f"v {version[:20]}", sent, (_refused(Reason.UNSUPPORTED_VERSION),))
    yield Case("no v", _sent(f'{{"readings":{good}}}'), (_refused(Reason.UNSUPPORTED_VERSION),))
    for readings in ("[]", "{}", '"x"', "5", "null", "true", '{"ts":1}'):
        row = _refused(Reason.NO_READINGS, payload_base64=None, fw=None)
        yield Case(f"readings {readings}", _message('"fw":"1"', readings), (row,))
    sent = _message("", f'[null,5,"x",[],[1],true,{{}},{{"ts":{MS},"seq":1,"temperature":21.5}}]')
    others = (_refused(Reason.NOT_AN_OBJECT),) * 6
    yield Case("readings of all kinds", sent, (*others, _refused(Reason.MISSING_TS), _valid()))
    nulls = ",".join(f'"{metric.name}":null' for metric in METRICS)
    yield Case("metrics of null", _reading(nulls), (_refused(Reason.NO_METRICS),))
    yield Case("a metric beside null", _warm('"humidity":null'), (_valid(),))
