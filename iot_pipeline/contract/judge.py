"""The verdict in Python: of one line of the raw zone, what `lake/transformation.py` says of it in SQL.

A property test (iot_pipeline_tests/integration/lake/test_verdicts.py) holds the two to the same outcomes, details and
values. Standard library alone, since the edge's Lambda carries what this module imports.
"""

from base64 import b64decode, b64encode
from math import isinf
from typing import Any

from iot_pipeline.contract.contract import (
    CONTRACT,
    KNOWN_OF_MESSAGE,
    MAX_EXTRA,
    MAX_FIRMWARE,
    READING_FIELDS,
    Contract,
)
from iot_pipeline.contract.envelope import DEVICE, PAYLOAD, RECEIVED_AT, SITE, TENANT, TRACE
from iot_pipeline.contract.event_time import epoch_ms
from iot_pipeline.contract.json_text import (
    BEYOND_DOUBLE,
    NUL,
    NotJsonError,
    json_text,
    parsed_within_depth,
)
from iot_pipeline.contract.judged_reading import Message, Reading
from iot_pipeline.contract.metrics import Metric
from iot_pipeline.contract.number_text import double_text
from iot_pipeline.contract.plain_readings import LEAST_BIGINT, MOST_BIGINT, PLACE, PlainReadings
from iot_pipeline.contract.reasons import Reason
from iot_pipeline.contract.utf8_text import from_utf8

# The prefixes of the names under which unknown fields are kept that stand elsewhere than in the reading itself. A
# field of the reading whose own name begins with one of them is kept with the last, so that no two names meet.
OF_MESSAGE, OF_LOCATION, OF_UNIT, OF_READING = PREFIXES = ("message.", "location.", "unit.", "reading.")
_KNOWN_OF_MESSAGE = frozenset(KNOWN_OF_MESSAGE)


class Judge:
    """Judges lines by one contract, compiled once. What it says depends on the line alone; threads may share it."""

    def __init__(self, contract: Contract = CONTRACT) -> None:
        self._version = contract.version
        self._metrics = contract.metrics
        self._limits = tuple((m.name, m.minimum, m.maximum) for m in contract.metrics)
        self._symbols = {m.name: frozenset(unit.symbol for unit in m.units) for m in contract.metrics}
        self._conversions = {
            (m.name, unit.symbol): (unit.factor, unit.offset) for m in contract.metrics for unit in m.units[1:]
        }
        self._fields = frozenset((*READING_FIELDS, *(m.name for m in contract.metrics)))
        self._late_ms = round(contract.lateness_bound.total_seconds()) * 1000
        self._ahead_ms = round(contract.future_bound.total_seconds()) * 1000
        self._details = _details(contract)
        self._plain = PlainReadings(contract)

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics of the contract, in its order."""
        return tuple(metric.name for metric in self._metrics)

    def line(self, line: bytes | str) -> list[Reading]:
        """The readings of one line as the IoT rules made it, without its newline; at least one.

        Bytes that are no UTF-8 count as U+FFFD. Never raises for what a device sent.
        """
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        message = Message(text)
        try:
            sent = parsed_within_depth(text)
        except NotJsonError:
            return [_refused(message, Reason.MALFORMED_JSON)]
        return self._judged(message, sent)

    def _judged(self, message: Message, sent: Any) -> list[Reading]:
        if not isinstance(sent, dict) or not _identify(message, sent):
            return [_refused(message, Reason.NOT_FROM_INGEST)]
        readings = sent.get("readings")
        if not isinstance(readings, list) or not readings:
            return [_refused(message, Reason.NO_READINGS if "readings" in sent else _unwrapped(message, sent))]
        fw = sent.get("fw")
        message.fw = fw if isinstance(fw, str) and fw not in BEYOND_DOUBLE else None
        message.wrong_fw = fw is not None and not _takes(message.fw, MAX_FIRMWARE)
        reason = self._message_reason(message, sent)
        if reason is None and message.extras is None and not message.wrong_fw:
            found, doubtful = self._plain.read(message, readings)
        else:
            found = doubtful = [Reading(message, position, each) for position, each in enumerate(readings, 1)]
        for reading in doubtful:
            self._judge(reading, reason)
        return found

    def _message_reason(self, message: Message, sent: dict[str, Any]) -> Reason | None:
        if not sent.keys() <= _KNOWN_OF_MESSAGE:
            message.extras = {
                OF_MESSAGE + name: _text(value) for name, value in sent.items() if name not in _KNOWN_OF_MESSAGE
            }
        version = sent.get("v")
        if type(version) is not int or version != self._version:
            return Reason.UNSUPPORTED_VERSION
        named = _as_read(sent.get("device_id"))
        if named is not None and named != message.device_id:
            return Reason.DEVICE_MISMATCH
        return None

    def _judge(self, reading: Reading, reason: Reason | None) -> None:
        """Judge a reading by all that there is to be said of it; `reason`: what is wrong with its message."""
        sent = reading.sent
        if not isinstance(sent, dict):
            self._refuse(reading, reason or Reason.NOT_AN_OBJECT, {})
            return
        reading.extras = self._extras(reading.message, sent)
        found = self._typed(reading, sent)
        refused = reason or found
        if refused is not None:
            self._refuse(reading, refused, sent)

    def _extras(self, message: Message, sent: dict[str, Any]) -> dict[str, str | None] | None:
        """All that the contract does not know: of the message, the reading, its place and its units."""
        extras = dict(message.extras) if message.extras else {}
        if not sent.keys() <= self._fields:
            for name, value in sent.items():
                if name not in self._fields:
                    extras[OF_READING + name if name.startswith(PREFIXES) else name] = _text(value)
        location = sent.get("location")
        if isinstance(location, dict) and not location.keys() <= PLACE:
            extras |= {OF_LOCATION + name: _text(value) for name, value in location.items() if name not in PLACE}
        unit = sent.get("unit")
        if isinstance(unit, dict) and not unit.keys() <= self._symbols.keys():
            extras |= {OF_UNIT + name: _text(value) for name, value in unit.items() if name not in self._symbols}
        return extras or None

    def _typed(self, reading: Reading, fields: dict[str, Any]) -> Reason | None:
        """Fill in what can be read; the first reason that applies to the reading itself."""
        get = fields.get
        ts, seq, received_ms = get("ts"), get("seq"), reading.message.received_ms
        event_ms = reading.event_ms = epoch_ms(ts)
        if type(seq) is int and LEAST_BIGINT <= seq <= MOST_BIGINT:
            reading.seq = seq
        outside, wrong, some = self._measure(reading, get, get("unit"))
        location = get("location")
        misplaced = location is not None and _misplaced(reading, location)
        if ts is None:
            return Reason.MISSING_TS
        if event_ms is None:
            return Reason.INVALID_TS
        if seq is None:
            return Reason.MISSING_SEQ
        if reading.seq is None:
            return Reason.INVALID_SEQ
        if received_ms is not None:
            if event_ms < received_ms - self._late_ms:
                return Reason.TOO_LATE
            if event_ms > received_ms + self._ahead_ms:
                return Reason.IN_FUTURE
        if not some:
            return Reason.NO_METRICS
        if wrong or misplaced or reading.message.wrong_fw or not _kept(reading):
            return Reason.INVALID_VALUE
        if self._unit_unknown(get("unit"), fields):
            return Reason.UNKNOWN_UNIT
        return Reason.OUT_OF_RANGE if outside else None

    def _measure(self, reading: Reading, get: Any, unit: Any) -> tuple[bool, bool, bool]:
        """Fill in the metrics; whether one is out of range, whether one is no number, whether there is any."""
        values = reading.values
        outside = wrong = some = False
        for name, minimum, maximum in self._limits:
            sent = get(name)
            if sent is None:
                continue
            some = True
            if type(sent) is not float:
                if type(sent) is not int and not isinstance(sent, float):
                    wrong = True
                    continue
                sent = _double(sent)
            elif isinf(sent):  # a text to Athena
                wrong = True
                continue
            if unit is not None:
                sent = self._converted(name, sent, unit)
            values[name] = sent
            if not minimum <= sent <= maximum:
                outside = True
        return outside, wrong, some

    def _converted(self, name: str, value: float, unit: Any) -> float:
        symbol = unit.get(name) if isinstance(unit, dict) else None
        conversion = self._conversions.get((name, symbol)) if type(symbol) is str else None
        return value if conversion is None else value * conversion[0] + conversion[1]

    def _unit_unknown(self, unit: Any, fields: dict[str, Any]) -> bool:
        """Whether a unit was sent that cannot be understood: then what it was meant for has no known value.

        The unit of a field that the contract does not know is kept with it.
        """
        if unit is None:
            return False
        if not isinstance(unit, dict):
            return True
        for name, symbol in unit.items():
            symbols = self._symbols.get(name)
            if symbols is None:
                if name in self._fields or name not in fields:
                    return True
            elif symbol is None:
                if fields.get(name) is not None:
                    return True
            elif type(symbol) is not str or symbol not in symbols:
                return True
        return False

    def _refuse(self, reading: Reading, reason: Reason, fields: dict[str, Any]) -> None:
        reading.outcome = reason
        if reason in (Reason.INVALID_VALUE, Reason.OUT_OF_RANGE):
            reading.detail = self._value_detail(reading, fields)
            return
        begin, field = self._details.get(reason, (None, None))
        if reason is Reason.DEVICE_MISMATCH:
            reading.detail = f"device_id: expected {reading.message.device_id}, the device of the topic"
        elif begin is not None:
            reading.detail = begin if field is None else begin + json_text(fields[field])

    def _value_detail(self, reading: Reading, fields: dict[str, Any]) -> str:
        for metric in self._metrics:
            sent = fields.get(metric.name)
            if sent is not None and not _within(metric, reading.values.get(metric.name)):
                return (
                    f"{metric.name}: expected a number from {metric.minimum:g} to {metric.maximum:g} {metric.unit}, "
                    f"got {json_text(sent)}"
                )
        if reading.message.wrong_fw:
            return f"fw: expected a text of at most {MAX_FIRMWARE} characters without U+0000, other than Infinity"
        if not _kept(reading):
            return f"expected names and values of further fields of at most {MAX_EXTRA} characters without U+0000"
        return f"location: expected lat and lon in degrees, got {json_text(fields['location'])}"


def records_in(line: bytes) -> int:
    """How many records a line is, as the transformation counts what was received: nothing of a reading is looked at."""
    try:
        sent = parsed_within_depth(line.decode("utf-8", "replace"))
    except NotJsonError:
        return 1
    if not isinstance(sent, dict) or not _identify(Message(""), sent):
        return 1
    readings = sent.get("readings")
    return len(readings) if isinstance(readings, list) and readings else 1


def _details(contract: Contract) -> dict[Reason, tuple[str, str | None]]:
    """How the detail of a reason begins, and the field whose text ends it."""
    return {
        Reason.UNSUPPORTED_VERSION: (f"v: expected {contract.version}", None),
        Reason.MISSING_TS: ("ts: expected a time", None),
        Reason.INVALID_TS: ("ts: expected ISO-8601 with a zone or epoch milliseconds, got ", "ts"),
        Reason.MISSING_SEQ: ("seq: expected a whole number", None),
        Reason.INVALID_SEQ: ("seq: expected a whole number, got ", "seq"),
        Reason.TOO_LATE: (f"ts: expected at most {contract.lateness_bound} before arrival, got ", "ts"),
        Reason.IN_FUTURE: (f"ts: expected at most {contract.future_bound} after arrival, got ", "ts"),
        Reason.UNKNOWN_UNIT: ("unit: expected a unit of the contract, got ", "unit"),
    }


def _refused(message: Message, reason: Reason) -> Reading:
    reading = Reading(message, 1, None)
    reading.outcome = reason
    return reading


def _unwrapped(message: Message, sent: dict[str, Any]) -> Reason:
    """Fill in the payload that the rule wrapped; whether its bytes are JSON, exactly."""
    payload = _as_read(sent.get(PAYLOAD.name))
    if not isinstance(payload, str):
        return Reason.NO_READINGS
    try:
        # Athena's decoder needs no padding.
        padding = "" if "=" in payload else "=" * (-len(payload) % 4)
        whole = from_utf8(b64decode(payload + padding, validate=True))
    except ValueError:
        # No rule of ours made it.
        return Reason.NO_READINGS
    message.payload_base64, message.whole = payload, whole
    if b64encode(whole.encode()).decode() != payload:
        return Reason.MALFORMED_JSON
    try:
        parsed_within_depth(whole)
    except NotJsonError:
        return Reason.MALFORMED_JSON
    return Reason.NO_READINGS


def _identify(message: Message, sent: dict[str, Any]) -> bool:
    """Fill in who sent the message; False, and nothing filled in, if it does not say so as our rules do."""
    tenant, site, device_id = (_as_read(sent.get(field.name)) for field in (TENANT, SITE, DEVICE))
    for name in (tenant, site, device_id):
        if type(name) is not str or not name:
            return False
    received_ms = sent.get(RECEIVED_AT.name)
    if type(received_ms) is not int or epoch_ms(received_ms) is None:
        return False
    trace = _as_read(sent.get(TRACE.name))
    message.tenant, message.site, message.device_id, message.received_ms = tenant, site, device_id, received_ms
    message.message_id = trace if type(trace) is str else None
    return True


def _as_read(value: Any) -> Any:
    """A value as Athena reads it, to which a fraction beyond a DOUBLE is a text."""
    return double_text(value) if type(value) is float and isinf(value) else value


def _double(number: float) -> float:
    """A number as a DOUBLE, infinite where it is beyond."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _within(metric: Metric, value: float | None) -> bool:
    return value is not None and metric.minimum <= value <= metric.maximum


def _misplaced(reading: Reading, location: Any) -> bool:
    """Fill in the place; whether what was sent is none. An object without any value says nothing."""
    if not isinstance(location, dict):
        return True
    lat, lon = reading.lat, reading.lon = _degrees(location.get("lat")), _degrees(location.get("lon"))
    if lat is None or lon is None:
        return any(value is not None for value in location.values())
    return not (abs(lat) <= 90 and abs(lon) <= 180)


def _degrees(value: Any) -> float | None:
    value = _as_read(value)
    return _double(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _kept(reading: Reading) -> bool:
    """Whether every store takes the fields that the contract does not know."""
    if reading.extras is None:
        return True
    return all(
        _takes(name, MAX_EXTRA) and (value is None or (len(value) <= MAX_EXTRA and not NUL.search(value)))
        for name, value in reading.extras.items()
    )


def _takes(text: str | None, longest: int) -> bool:
    """Whether every store takes a text: PostgreSQL, and a VARCHAR of Redshift, hold no U+0000."""
    return text is not None and len(text) <= longest and "\0" not in text


def _text(value: Any) -> str | None:
    return None if value is None else json_text(value)
