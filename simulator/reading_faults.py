"""Faults of a single reading: each turns a reading and what is expected of it into the broken ones.

A fault takes the reading's JSON object (its own copy, free to change), its expected row, the time of sending (epoch
milliseconds) and a random generator; it returns what to send in its place and the row to expect.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np

from iot_pipeline.contract import CONTRACT, METRICS, Reason
from simulator.encode import iso_time
from simulator.rows import Row, extras_text

Reading = dict[str, Any]
ReadingFault = Callable[[Reading, Row, int, np.random.Generator], tuple[Any, Row]]

_HOUR_MS = 3_600_000
_BY_NAME = {metric.name: metric for metric in METRICS}


def _pick(rng: np.random.Generator, options: tuple[Any, ...]) -> Any:
    return options[int(rng.integers(len(options)))]


def _measured(reading: Reading) -> tuple[str, ...]:
    return tuple(name for name in reading if name in _BY_NAME)


def _too_late(reading: Reading, row: Row, now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    beyond = float(np.exp(rng.uniform(np.log(1), np.log(1500)))) * _HOUR_MS
    ts_ms = now_ms - round(CONTRACT.lateness_bound.total_seconds() * 1000 + beyond)
    reading["ts"] = iso_time(ts_ms)
    return reading, row.quarantined("too_late", Reason.TOO_LATE, ts_ms=ts_ms)


def _missing_field(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    name = _pick(rng, ("ts", "seq"))
    if rng.random() < 0.5:
        reading[name] = None
    else:
        del reading[name]
    if name == "ts":
        return reading, row.quarantined("missing_field", Reason.MISSING_TS, ts_ms=None)
    return reading, row.quarantined("missing_field", Reason.MISSING_SEQ, seq=None)


def _invalid_ts(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    without_zone = str(reading["ts"]).removesuffix("Z")
    reading["ts"] = _pick(rng, ("yesterday", "2026-02-30T12:00:00Z", "", without_zone, True, {"s": 1}))
    return reading, row.quarantined("invalid_ts", Reason.INVALID_TS, ts_ms=None)


def _invalid_seq(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    reading["seq"] = _pick(rng, ("next", 17.5, "", False, [1]))
    return reading, row.quarantined("invalid_seq", Reason.INVALID_SEQ, seq=None)


def _extra_field(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    extras: dict[str, Any] = _pick(
        rng,
        ({"co2": 417}, {"uv_index": 3.2, "door": "open"}, {"diag": {"resets": 2, "uptime_s": 86400}}, {"co2": None}),
    )
    reading |= extras
    return reading, replace(row, extras=extras_text(extras)).also("extra_field")


def _fahrenheit(reading: Reading, row: Row, _now_ms: int, _rng: np.random.Generator) -> tuple[Any, Row]:
    metric = _BY_NAME["temperature"]
    unit = metric.units[1]
    sent = round((reading["temperature"] - unit.offset) / unit.factor, 2)
    reading |= {"temperature": sent, "unit": {"temperature": unit.symbol}}
    values = row.values | {"temperature": sent * unit.factor + unit.offset}
    return reading, replace(row, values=values).also("fahrenheit")


def _unknown_unit(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    unit = _pick(rng, ("K", "c", "degrees", "", ["C"], {"name": "C"}))
    reading["unit"] = {"temperature": unit}
    if unit == "K":
        reading["temperature"] = round(reading["temperature"] + 273.15, 2)
    return reading, row.quarantined("unknown_unit", Reason.UNKNOWN_UNIT)


def _out_of_range(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    metric = _BY_NAME[_pick(rng, _measured(reading))]
    width = metric.maximum - metric.minimum
    beyond = round(float(rng.uniform(0.05, 3)) * width, 2)
    reading[metric.name] = metric.maximum + beyond if rng.random() < 0.7 else metric.minimum - beyond
    return reading, row.quarantined("out_of_range", Reason.OUT_OF_RANGE)


def _invalid_value(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    name = _pick(rng, _measured(reading))
    wrong = _pick(rng, ("n/a", "NaN", "", "21.4", True, [], {"value": 21.4}, "20,5", "location", "half a location"))
    if wrong == "location":
        reading["location"] = {"lat": 95.5, "lon": 13.4}
    elif wrong == "half a location":
        reading["location"] = {"lat": 52.5}
    else:
        reading[name] = wrong
    return reading, row.quarantined("invalid_value", Reason.INVALID_VALUE)


def _no_metrics(reading: Reading, row: Row, _now_ms: int, _rng: np.random.Generator) -> tuple[Any, Row]:
    bare = {name: value for name, value in reading.items() if name not in _BY_NAME}
    return bare, row.quarantined("no_metrics", Reason.NO_METRICS)


def _not_an_object(_reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    element = _pick(rng, (17, "21.4", None, [21.4], True))
    return element, row.quarantined("not_an_object", Reason.NOT_AN_OBJECT, ts_ms=None, seq=None)


def _clock_skew(reading: Reading, row: Row, now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    if rng.random() < 0.8:
        ts_ms = int(row.ts_ms or 0) + int(rng.integers(-30_000, 30_001))
        reading["ts"] = iso_time(ts_ms)
        return reading, replace(row, ts_ms=ts_ms).also("clock_skew")
    # A week and more: a message that waits in the outbox must not grow valid meanwhile.
    ts_ms = now_ms + int(rng.integers(168, 720)) * _HOUR_MS
    reading["ts"] = iso_time(ts_ms)
    return reading, row.quarantined("clock_skew", Reason.IN_FUTURE, ts_ms=ts_ms)


def _epoch_ms(reading: Reading, row: Row, _now_ms: int, _rng: np.random.Generator) -> tuple[Any, Row]:
    reading["ts"] = row.ts_ms
    return reading, row.also("epoch_ms")


def _ts_offset(reading: Reading, row: Row, _now_ms: int, rng: np.random.Generator) -> tuple[Any, Row]:
    zone = timezone(timedelta(minutes=_pick(rng, (120, -420, 330))))
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(row.ts_ms or 0))
    reading["ts"] = utc.astimezone(zone).isoformat(timespec="milliseconds")
    return reading, row.also("ts_offset")


def other_values(reading: Reading, row: Row, rng: np.random.Generator) -> tuple[Reading, Row]:
    """A conflict: the same key with another temperature, still plausible."""
    temperature = round(reading["temperature"] + float(rng.uniform(0.5, 3)), 2)
    changed = reading | {"temperature": temperature}
    return changed, replace(row, values=row.values | {"temperature": temperature})


READING_FAULTS: Mapping[str, ReadingFault] = {
    "too_late": _too_late,
    "missing_field": _missing_field,
    "invalid_ts": _invalid_ts,
    "invalid_seq": _invalid_seq,
    "extra_field": _extra_field,
    "fahrenheit": _fahrenheit,
    "unknown_unit": _unknown_unit,
    "out_of_range": _out_of_range,
    "invalid_value": _invalid_value,
    "no_metrics": _no_metrics,
    "not_an_object": _not_an_object,
    "clock_skew": _clock_skew,
    "epoch_ms": _epoch_ms,
    "ts_offset": _ts_offset,
}
