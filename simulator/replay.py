"""Replay of a CSV file as one device: columns become metrics, rows become readings, times may be moved to now."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from iot_pipeline.contract import CONTRACT, METRICS, Metric, Reason, Unit
from simulator.encode import encode, iso_time, message
from simulator.fleet import Device
from simulator.generator import Batch, OutMessage
from simulator.outbox import Outbox
from simulator.rows import VALID, Row, rows_table

_HOUR_MS = 3_600_000
_BATCH_MESSAGES = 40
_BORDER_MS = 60_000
_METRICS = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class Mapped:
    """A metric and the column and unit it comes in."""

    metric: Metric
    column: str
    unit: Unit


@dataclass(frozen=True)
class CsvReading:
    """One row of the file: line, event time (epoch ms UTC), sequence number, values as written (None if empty)."""

    line: int
    ts_ms: int
    seq: int
    values: tuple[float | None, ...]


class CsvRowError(ValueError):
    """A row that cannot be read; its text names file, line, column and what was expected."""


def parse_mapping(maps: list[str], units: list[str]) -> list[Mapped]:
    """`temperature=value` and `temperature=F` options. Raises ValueError naming the bad one."""
    chosen = dict(_pair(text, "--unit", "METRIC=UNIT") for text in units)
    if not maps:
        raise ValueError("--map is missing; name at least one metric's column, such as --map temperature=value")
    mapped = []
    for text in maps:
        name, column = _pair(text, "--map", "METRIC=COLUMN")
        metric = _METRICS[name]
        symbol = chosen.pop(name, metric.unit)
        unit = next((unit for unit in metric.units if unit.symbol == symbol), None)
        if unit is None:
            accepted = ", ".join(unit.symbol for unit in metric.units)
            raise ValueError(f"--unit {name}={symbol}: {name} is accepted in {accepted}")
        mapped.append(Mapped(metric, column, unit))
    if chosen:
        raise ValueError(f"--unit {next(iter(chosen))}=...: that metric has no --map")
    return mapped


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or name not in _METRICS or not value:
        raise ValueError(f"{option} {text!r}: expected {form} with a metric of {', '.join(_METRICS)}")
    return name, value


def read_csv(
    path: Path, mapped: list[Mapped], time_column: str, zone: ZoneInfo, skipped: list[str] | None
) -> list[CsvReading]:
    """Read a CSV file with a header line, in the file's order.

    Times are ISO-8601 or epoch milliseconds; those without a zone are in `zone`. The sequence number is the row's
    number from 1. Raises CsvRowError at the first row that cannot be read, or, when `skipped` is a list, adds the
    error's text to it and goes on. Raises ValueError for a missing column.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        for column in (time_column, *(item.column for item in mapped)):
            if column not in header:
                raise ValueError(f"{path} has no column {column!r}; its columns are {', '.join(header) or 'none'}")
        readings = []
        for number, row in enumerate(rows, start=1):
            try:
                readings.append(_reading(path, rows.line_num, header, row, number, mapped, time_column, zone))
            except CsvRowError as error:
                if skipped is None:
                    raise
                skipped.append(str(error))
    return readings


def _reading(
    path: Path,
    line: int,
    header: list[str],
    row: list[str],
    number: int,
    mapped: list[Mapped],
    time_column: str,
    zone: ZoneInfo,
) -> CsvReading:
    where = f"{path}, line {line}"
    if len(row) != len(header):
        raise CsvRowError(f"{where}: {len(row)} fields, expected {len(header)} as in the header")
    fields = dict(zip(header, row, strict=True))
    ts_ms = _time(fields[time_column], f"{where}, column {time_column!r}", zone)
    values = tuple(_number(fields[item.column], f"{where}, column {item.column!r}") for item in mapped)
    if all(value is None for value in values):
        raise CsvRowError(f"{where}: no value in {', '.join(item.column for item in mapped)}, expected at least one")
    return CsvReading(line, ts_ms, number, values)


def _time(text: str, where: str, zone: ZoneInfo) -> int:
    if text.isdigit() and len(text) >= 12:
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CsvRowError(f"{where}: {text!r}, expected an ISO-8601 time or epoch milliseconds") from None
    return round(time.replace(tzinfo=time.tzinfo or zone).astimezone(UTC).timestamp() * 1000)


def _number(text: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CsvRowError(f"{where}: {text!r}, expected a finite number or nothing")
    return value


def rebased(readings: list[CsvReading], until_ms: int, whole_hours: bool) -> list[CsvReading]:
    """The readings moved in time so that the latest is at `until_ms`, or less than an hour before it if `whole_hours`.

    Moving by whole hours keeps every reading's minute.
    """
    shift = until_ms - max(reading.ts_ms for reading in readings)
    if whole_hours:
        shift = shift // _HOUR_MS * _HOUR_MS
    return [replace(reading, ts_ms=reading.ts_ms + shift) for reading in readings]


def numbered_by_time(readings: list[CsvReading]) -> list[CsvReading]:
    """The readings with the event time in epoch milliseconds as their sequence number."""
    return [replace(reading, seq=reading.ts_ms) for reading in readings]


class ReplaySource:
    """The batches of a replay, as fast as the broker acknowledges."""

    paced = False

    def __init__(
        self,
        outbox: Outbox,
        device: Device,
        mapped: list[Mapped],
        readings: list[CsvReading],
        pack: int,
        lateness_bound: timedelta,
        sent_ms: int,
        window: int,
    ) -> None:
        """Replay as a device at time `sent_ms`; of readings older than `lateness_bound` by then quarantine is expected.

        Message numbers go on from the outbox's; the device's own sequence numbers are not touched.
        """
        self._device, self._mapped, self._readings, self._pack = device, mapped, readings, pack
        self._earliest_ms = sent_ms - round(lateness_bound.total_seconds() * 1000)
        self._sequences: dict[str, Any] = outbox.get("sequences") or {}
        self._seq, self._number = self._sequences.get(device.device_id, (1, 1))
        self._sent_ms, self._window = sent_ms, window
        self._next = 0

    @property
    def borderline(self) -> int:
        """Readings so close to the lateness bound that their fate depends on when exactly they arrive."""
        return sum(0 <= reading.ts_ms - self._earliest_ms < _BORDER_MS for reading in self._readings)

    @property
    def finished(self) -> bool:
        """Whether the file is through."""
        return self._next >= len(self._readings)

    @property
    def messages_left(self) -> int:
        """Messages still to be made."""
        return math.ceil(max(0, len(self._readings) - self._next) / self._pack)

    def ready(self, queued: int) -> bool:
        """Before the publisher's window runs dry."""
        return queued < self._window

    def next_batch(self) -> tuple[Batch, dict[str, Any]]:
        """The next messages, and the message numbers to store with them."""
        messages: list[OutMessage] = []
        tables = []
        for pack in self._packs():
            content = message(self._device, self._sent_ms, [self._body(reading) for reading in pack])
            messages.append(OutMessage(0, self._number, encode(self._device, content), self._sent_ms))
            self._number += 1
            rows = rows_table([self._row(reading) for reading in pack])
            count = len(pack)
            tables.append(
                rows.append_column("message_index", pa.array([len(messages) - 1] * count, pa.int32())).append_column(
                    "position", pa.array(np.arange(1, count + 1, dtype=np.int32))
                )
            )
        self._sequences[self._device.device_id] = (self._seq, self._number)
        return Batch(messages, pa.concat_tables(tables)), {"sequences": self._sequences}

    def _packs(self) -> Iterator[list[CsvReading]]:
        for _ in range(_BATCH_MESSAGES):
            if self.finished:
                return
            yield self._readings[self._next : self._next + self._pack]
            self._next += self._pack

    def _body(self, reading: CsvReading) -> dict[str, Any]:
        body: dict[str, Any] = {"ts": iso_time(reading.ts_ms), "seq": reading.seq}
        units = {}
        for item, value in zip(self._mapped, reading.values, strict=True):
            if value is not None:
                body[item.metric.name] = value
                if item.unit.symbol != item.metric.unit:
                    units[item.metric.name] = item.unit.symbol
        return body | ({"unit": units} if units else {})

    def _row(self, reading: CsvReading) -> Row:
        row = Row(reading.ts_ms, reading.seq, _canonical(self._mapped, reading))
        reason = self._reason(row)
        return row if reason == VALID else row.quarantined("replay", Reason(reason))

    def _reason(self, row: Row) -> str:
        """`valid` or the first reason that applies, of those that a replayed reading can have."""
        if row.ts_ms is not None and row.ts_ms < self._earliest_ms:
            return Reason.TOO_LATE
        if row.ts_ms is not None and row.ts_ms > self._sent_ms + round(CONTRACT.future_bound.total_seconds() * 1000):
            return Reason.IN_FUTURE
        if any(not _METRICS[name].minimum <= value <= _METRICS[name].maximum for name, value in row.values.items()):
            return Reason.OUT_OF_RANGE
        return VALID


def _canonical(mapped: list[Mapped], reading: CsvReading) -> dict[str, float]:
    return {
        item.metric.name: value * item.unit.factor + item.unit.offset
        for item, value in zip(mapped, reading.values, strict=True)
        if value is not None
    }
