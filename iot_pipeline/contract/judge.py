"""The verdict in Python: of one line of the raw zone, what `lake/transformation.py` says of it in SQL.

A property test (iot_pipeline_tests/integration/lake/test_verdicts.py) holds the two to the same outcomes, details and
values. Standard library alone, since the edge's Lambda carries what this module imports.
"""

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from iot_pipeline.contract.contract import CONTRACT, MAX_EXTRA, MAX_FIRMWARE, READING_FIELDS, Contract
from iot_pipeline.contract.envelope import DEVICE, PAYLOAD, RECEIVED_AT, SITE, TENANT, TRACE
from iot_pipeline.contract.event_time import epoch_ms, moment
from iot_pipeline.contract.json_text import NotJsonError, VastNumberError, canonical, json_text, parsed, scalar_text
from iot_pipeline.contract.metrics import Metric
from iot_pipeline.contract.reasons import Reason

VALID = "valid"

_BIGINT = 1 << 63
_RECEIVED = RECEIVED_AT.name
# What the transformation reads of a message: of a telemetry message, and of any object that is none.
_TEXTS = (TENANT.name, SITE.name, DEVICE.name, TRACE.name)
_TELEMETRY = frozenset(("v", "device_id", "fw", "readings", _RECEIVED, *_TEXTS))
_LOOSE = frozenset(("readings", _RECEIVED, PAYLOAD.name, *_TEXTS))
_NAMES = _TELEMETRY | _LOOSE


class Message:
    """Who sent a line, and when it arrived: one object for all its readings.

    `received_ms` is epoch milliseconds UTC. `whole` is the line, or the payload's text where the line carries it in
    base64. All but `whole` are None where the line does not tell.
    """

    __slots__ = ("device_id", "fw", "message_id", "payload_base64", "received_ms", "site", "tenant", "whole")

    def __init__(self, whole: str) -> None:
        self.whole = whole
        self.tenant: str | None = None
        self.site: str | None = None
        self.device_id: str | None = None
        self.message_id: str | None = None
        self.received_ms: int | None = None
        self.fw: str | None = None
        self.payload_base64: str | None = None

    @property
    def received_at(self) -> datetime | None:
        """Time of arrival at the broker, UTC."""
        return None if self.received_ms is None else moment(self.received_ms)


class Reading:
    """One reading as judged: a row of `judged_telemetry`.

    `outcome` is 'valid' or a Reason; `detail` says for most reasons what was expected and what was sent. `values` holds
    each metric that was sent as a number, by name, in its canonical unit. `event_ms` is epoch milliseconds UTC. What
    could not be read is None. `sent` is the element of `readings` as parsed, None where the message has no readings.
    """

    __slots__ = (
        "detail",
        "event_ms",
        "extras",
        "lat",
        "lon",
        "message",
        "outcome",
        "position",
        "sent",
        "seq",
        "values",
    )

    def __init__(self, message: Message, position: int, sent: Any) -> None:
        self.message = message
        self.position = position
        self.sent = sent
        self.outcome: str = VALID
        self.detail: str | None = None
        self.event_ms: int | None = None
        self.seq: int | None = None
        self.values: dict[str, float] = {}
        self.lat: float | None = None
        self.lon: float | None = None
        self.extras: dict[str, str | None] | None = None

    @property
    def event_time(self) -> datetime | None:
        """Time of the reading, UTC."""
        return None if self.event_ms is None else moment(self.event_ms)

    @property
    def extras_text(self) -> str | None:
        """The fields unknown to the contract as one JSON object of JSON texts, as `judged_telemetry` holds them."""
        return None if self.extras is None else canonical(self.extras)

    @property
    def record(self) -> str | None:
        """If not valid: the reading as JSON, or the whole payload where there is none."""
        if self.outcome == VALID:
            return None
        return self.message.whole if self.sent is None else json_text(self.sent)


class Judge:
    """Judges lines by one contract, which is compiled once. Has no state: threads may share it."""

    def __init__(self, contract: Contract = CONTRACT) -> None:
        self._version = contract.version
        self._metrics = contract.metrics
        self._plain = tuple((m.name, m.minimum, m.maximum) for m in contract.metrics)
        self._symbols = {m.name: frozenset(unit.symbol for unit in m.units) for m in contract.metrics}
        self._conversions = {
            (m.name, unit.symbol): (unit.factor, unit.offset) for m in contract.metrics for unit in m.units[1:]
        }
        self._fields = frozenset((*READING_FIELDS, *(m.name for m in contract.metrics)))
        self._late_ms = round(contract.lateness_bound.total_seconds()) * 1000
        self._ahead_ms = round(contract.future_bound.total_seconds()) * 1000
        self._details = _details(contract)

    def line(self, line: bytes | str) -> list[Reading]:
        """The readings of one line as the IoT rules made it, without its newline; at least one.

        Bytes that are no UTF-8 count as U+FFFD. Never raises for what a device sent.
        """
        text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
        try:
            try:
                return self._judged(Message(text), parsed(text))
            except VastNumberError:
                return self._judged(Message(text), parsed(text, vast=True))
        except (NotJsonError, RecursionError):
            return [_refused(Message(text), Reason.MALFORMED_JSON)]

    def _judged(self, message: Message, sent: Any) -> list[Reading]:
        if not isinstance(sent, dict):
            return [_refused(message, Reason.MALFORMED_JSON)]
        fields, twice = (sent, _NONE) if sent.keys() <= _NAMES else _folded(sent, _NAMES)
        readings = fields.get("readings")
        telemetry = (readings is None or isinstance(readings, list)) and _TELEMETRY.isdisjoint(twice)
        telemetry = telemetry and _identify(message, fields)
        if not telemetry or not readings:
            return [self._no_readings(message, fields, telemetry, _LOOSE.isdisjoint(twice))]
        message.fw = scalar_text(fields.get("fw"))
        reason = self._message_reason(message, fields)
        return [self._reading(message, reason, position, each) for position, each in enumerate(readings, 1)]

    def _no_readings(self, message: Message, fields: dict[str, Any], telemetry: bool, unique: bool) -> Reading:
        """The one record of a message in which no reading can be told apart."""
        if telemetry:
            message.fw = scalar_text(fields.get("fw"))
        payload = _varchar(fields.get(PAYLOAD.name)) if unique else _UNREADABLE
        if payload is _UNREADABLE or not (telemetry or _identify(message, fields)):
            return _refused(message, Reason.NO_READINGS if telemetry else Reason.MALFORMED_JSON)
        if payload is None:
            return _refused(message, Reason.NO_READINGS)
        message.payload_base64 = payload
        try:
            message.whole = b64decode(payload, validate=True).decode("utf-8", "replace")
        except ValueError:
            # A device wrote this beside an empty `readings`; the rule's own is always base64.
            return _refused(message, Reason.NO_READINGS)
        return _refused(message, _payload_reason(message))

    def _message_reason(self, message: Message, fields: dict[str, Any]) -> Reason | None:
        version = fields.get("v")
        if type(version) is not int or version != self._version:
            return Reason.UNSUPPORTED_VERSION
        named = scalar_text(fields.get("device_id"))
        if named is not None and message.device_id is not None and named != message.device_id:
            return Reason.DEVICE_MISMATCH
        return None

    def _reading(self, message: Message, reason: Reason | None, position: int, sent: Any) -> Reading:
        reading = Reading(message, position, sent)
        if not isinstance(sent, dict):
            self._refuse(reading, reason or Reason.NOT_AN_OBJECT, {})
            json_text(sent)  # says now, and not when `record` is asked for, that the number's own text is needed
            return reading
        fields = sent
        if not sent.keys() <= self._fields:
            fields, twice = _folded(sent, self._fields)
            if twice:
                reading.extras = self._extras(sent)
                self._refuse(reading, reason or Reason.NOT_AN_OBJECT, {})
                return reading
            # A field in another case is read and yet unknown; it counts where a field is left over.
            if len(sent) > sum(1 for name in self._fields if fields.get(name) is not None):
                reading.extras = self._extras(sent)
        found = self._typed(reading, fields)
        refused = reason or found
        if refused is not None:
            self._refuse(reading, refused, fields)
        return reading

    def _extras(self, sent: dict[str, Any]) -> dict[str, str | None] | None:
        known = self._fields
        extras = {
            name: None if value is None else json_text(value) for name, value in sent.items() if name not in known
        }
        return extras or None

    def _typed(self, reading: Reading, fields: dict[str, Any]) -> Reason | None:
        """Fill in what can be read; the first reason that applies to the reading itself."""
        get = fields.get
        ts, seq, received_ms = get("ts"), get("seq"), reading.message.received_ms
        event_ms = reading.event_ms = epoch_ms(ts)
        if type(seq) is int and -_BIGINT <= seq < _BIGINT:
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
        return self._value_reason(reading, get("unit"), wrong or misplaced, outside)

    def _measure(self, reading: Reading, get: Any, unit: Any) -> tuple[bool, bool, bool]:
        """Fill in the metrics; whether one is out of range, whether one is no number, whether there is any."""
        values = reading.values
        outside = wrong = some = False
        for name, minimum, maximum in self._plain:
            sent = get(name)
            if sent is None:
                continue
            some = True
            if type(sent) is not float:
                if type(sent) is not int and not isinstance(sent, float):
                    wrong = True
                    continue
                sent = _double(sent)
            if unit is not None:
                sent = self._converted(name, sent, unit)
            values[name] = sent
            if not minimum <= sent <= maximum:
                outside = True
        return outside, wrong, some

    def _converted(self, name: str, value: float, unit: Any) -> float:
        symbol = scalar_text(unit.get(name)) if isinstance(unit, dict) else None
        conversion = None if symbol is None else self._conversions.get((name, symbol))
        return value if conversion is None else value * conversion[0] + conversion[1]

    def _value_reason(self, reading: Reading, unit: Any, wrong: bool, outside: bool) -> Reason | None:
        if wrong or (unit is not None and not isinstance(unit, dict)) or _too_long(reading):
            return Reason.INVALID_VALUE
        if unit and self._unit_unknown(unit):
            return Reason.UNKNOWN_UNIT
        return Reason.OUT_OF_RANGE if outside else None

    def _unit_unknown(self, unit: dict[str, Any]) -> bool:
        for name, symbols in self._symbols.items():
            symbol = scalar_text(unit.get(name))
            if symbol is not None and symbol not in symbols:
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
        unit = fields.get("unit")
        if unit is not None and not isinstance(unit, dict):
            return f"unit: expected an object, got {json_text(unit)}"
        if _too_long(reading):
            return f"expected fw of at most {MAX_FIRMWARE} and further fields of at most {MAX_EXTRA} characters"
        return f"location: expected lat and lon in degrees, got {json_text(fields['location'])}"


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


def _payload_reason(message: Message) -> Reason:
    """Of a payload in base64: whether its bytes are JSON, exactly."""
    if b64encode(message.whole.encode()).decode() != message.payload_base64:
        return Reason.MALFORMED_JSON
    try:
        parsed(message.whole)
    except NotJsonError:
        return Reason.MALFORMED_JSON
    return Reason.NO_READINGS


_NONE: frozenset[str] = frozenset()
# What a cast to the type of an envelope's field does not take; then the cast of the whole message fails.
_UNREADABLE: Any = object()


def _folded(sent: dict[str, Any], names: frozenset[str]) -> tuple[dict[str, Any], frozenset[str]]:
    """The fields of these names, whatever their case, and the names that come in more than one case."""
    fields: dict[str, Any] = {}
    twice = set()
    for key, value in sent.items():
        name = key if key in names else key.lower()
        if name in names:
            if name in fields:
                twice.add(name)
            fields[name] = value
    return fields, frozenset(twice)


def _identify(message: Message, fields: dict[str, Any]) -> bool:
    """Fill in who sent the message; whether all of it could be read."""
    tenant, site, device_id, message_id = texts = [_varchar(fields.get(name)) for name in _TEXTS]
    received_ms = _bigint(fields.get(_RECEIVED))
    if _UNREADABLE in texts or received_ms is _UNREADABLE:
        return False
    message.tenant, message.site, message.device_id, message.message_id = tenant, site, device_id, message_id
    message.received_ms = received_ms
    return True


def _varchar(value: Any) -> Any:
    """A value as CAST(JSON AS VARCHAR) takes it."""
    if type(value) is str or value is None:
        return value
    return _UNREADABLE if isinstance(value, dict | list) else scalar_text(value)


def _bigint(value: Any) -> Any:
    """A value as CAST(JSON AS BIGINT) takes it."""
    if value is None:
        return None
    if isinstance(value, str):
        digits = value.removeprefix("-").removeprefix("+")
        value = int(value) if digits.isascii() and digits.isdigit() and len(digits) < 20 else _UNREADABLE
    elif isinstance(value, float):
        value = int(value + (0.5 if value >= 0 else -0.5)) if abs(value) < _BIGINT else _UNREADABLE
    if not isinstance(value, int) or not -_BIGINT <= value < _BIGINT:
        return _UNREADABLE
    return int(value)


def _double(number: float) -> float:
    """A number as a DOUBLE, infinite where it is beyond."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _within(metric: Metric, value: float | None) -> bool:
    return value is not None and metric.minimum <= value <= metric.maximum


def _misplaced(reading: Reading, location: Any) -> bool:
    """Fill in the place; whether what was sent is none. Of an empty object nothing is said."""
    if not isinstance(location, dict):
        return True
    lat, lon = reading.lat, reading.lon = _degrees(location.get("lat")), _degrees(location.get("lon"))
    return bool(location) and (lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180)


def _degrees(value: Any) -> float | None:
    return _double(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _too_long(reading: Reading) -> bool:
    fw = reading.message.fw
    if fw is not None and len(fw) > MAX_FIRMWARE:
        return True
    if reading.extras is None:
        return False
    return any(len(k) > MAX_EXTRA or (v is not None and len(v) > MAX_EXTRA) for k, v in reading.extras.items())
