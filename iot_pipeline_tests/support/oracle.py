"""The contract's rules once more, read from its texts alone: what becomes of a payload."""

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from iot_pipeline.contract import CONTRACT, METRICS, Reason


@dataclass(frozen=True)
class Judged:
    """One reading: its outcome and, when it is valid, its key and values."""

    outcome: str
    ts_ms: int | None = None
    seq: int | None = None
    values: dict[str, float] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    extras: dict[str, Any] | None = None


def judge(payload: bytes, device_id: str, received_ms: int) -> list[Judged]:
    """The readings of a payload from a device's topic, received at a time (epoch ms)."""
    try:
        message = json.loads(payload.decode("utf-8"), parse_constant=_no_constant)
    except ValueError:
        return [Judged(Reason.MALFORMED_JSON)]
    readings = message.get("readings") if isinstance(message, dict) else None
    if not isinstance(readings, list) or not readings:
        return [Judged(Reason.NO_READINGS)]
    if message.get("v") != CONTRACT.version:
        return [Judged(Reason.UNSUPPORTED_VERSION) for _ in readings]
    if message.get("device_id", device_id) != device_id:
        return [Judged(Reason.DEVICE_MISMATCH) for _ in readings]
    return [_judge_reading(reading, received_ms) for reading in readings]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _judge_reading(reading: Any, received_ms: int) -> Judged:
    if not isinstance(reading, dict):
        return Judged(Reason.NOT_AN_OBJECT)
    reason = _identity_reason(reading, received_ms) or _value_reason(reading)
    if reason is not None:
        return Judged(reason)
    location = reading.get("location") or {}
    known = {"ts", "seq", "unit", "location", *(metric.name for metric in METRICS)}
    extras = {name: value for name, value in reading.items() if name not in known}
    return Judged(
        "valid",
        _ts_ms(reading["ts"]),
        reading["seq"],
        _canonical(reading),
        location.get("lat"),
        location.get("lon"),
        extras or None,
    )


def _identity_reason(reading: dict[str, Any], received_ms: int) -> Reason | None:
    if reading.get("ts") is None:
        return Reason.MISSING_TS
    ts_ms = _ts_ms(reading["ts"])
    if ts_ms is None:
        return Reason.INVALID_TS
    if reading.get("seq") is None:
        return Reason.MISSING_SEQ
    if not isinstance(reading["seq"], int) or isinstance(reading["seq"], bool):
        return Reason.INVALID_SEQ
    if ts_ms < received_ms - CONTRACT.lateness_bound.total_seconds() * 1000:
        return Reason.TOO_LATE
    if ts_ms > received_ms + CONTRACT.future_bound.total_seconds() * 1000:
        return Reason.IN_FUTURE
    return None


def _value_reason(reading: dict[str, Any]) -> Reason | None:
    sent = {metric.name: reading[metric.name] for metric in METRICS if reading.get(metric.name) is not None}
    unit = reading.get("unit", {})
    if not sent:
        return Reason.NO_METRICS
    if not all(_is_number(value) for value in sent.values()) or not isinstance(unit, dict):
        return Reason.INVALID_VALUE
    if "location" in reading and not _is_on_earth(reading["location"]):
        return Reason.INVALID_VALUE
    for metric in METRICS:
        if metric.name in unit and unit[metric.name] not in [accepted.symbol for accepted in metric.units]:
            return Reason.UNKNOWN_UNIT
    values = _canonical(reading)
    if any(not metric.minimum <= values.get(metric.name, metric.minimum) <= metric.maximum for metric in METRICS):
        return Reason.OUT_OF_RANGE
    return None


def _ts_ms(ts: Any) -> int | None:
    if isinstance(ts, int) and not isinstance(ts, bool) and ts >= 0:
        return ts
    if not isinstance(ts, str):
        return None
    try:
        time = datetime.fromisoformat(ts)
    except ValueError:
        return None
    return None if time.tzinfo is None else round(time.timestamp() * 1000)


def _canonical(reading: dict[str, Any]) -> dict[str, float]:
    values = {}
    for metric in METRICS:
        value = reading.get(metric.name)
        if value is not None:
            symbol = reading.get("unit", {}).get(metric.name, metric.unit)
            unit = next(unit for unit in metric.units if unit.symbol == symbol)
            values[metric.name] = value * unit.factor + unit.offset
    return values


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_on_earth(location: Any) -> bool:
    return (
        isinstance(location, dict)
        and all(_is_number(location.get(name)) for name in ("lat", "lon"))
        and abs(location["lat"]) <= 90
        and abs(location["lon"]) <= 180
    )
