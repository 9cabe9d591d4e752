"""Rows of an hour as lines of the raw zone, packed by device, in objects of bounded size and determined names.

A message is received when its last reading was taken: so it arrives within the hour in which it was measured, and
lateness, which is judged between the two, needs no exception (docs/decisions/history-by-event-hour.md).
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.contract.layout import RAW
from iot_pipeline.contract.raw_line import Origin, raw_line
from iot_pipeline.lake.hours import Hour

# Readings of a message: below the contract's 128 KB with some 300 bytes each.
MESSAGE_READINGS = 400
# Of an object before it is compressed, as Firehose's buffer has it (docs/architecture.md).
OBJECT_BYTES = 64 * 2**20
_COMPRESSION = 4
_KEY = ["hour", "tenant", "site", "device", "ts", "seq"]
_SENDER = _KEY[:4]


@dataclass(frozen=True)
class HourObject:
    """An object of the raw zone, to be written: its key, its bytes (gzip), and how many readings it holds."""

    key: str
    body: bytes
    readings: int


def client_of(import_id: str) -> str:
    """Who sent imported messages, as the envelope names it."""
    return f"import:{import_id}"


def hour_objects(rows: pa.Table, mapping: ImportMapping, begin: int) -> Iterator[HourObject]:
    """The objects of a window's rows (of SCHEMA). `begin`: the window's second."""
    packer = _Packer(mapping, begin)
    for hour, line, readings in _messages(rows, mapping):
        if (full := packer.add(hour, line, readings)) is not None:
            yield full
    if (last := packer.end()) is not None:
        yield last


class _Packer:
    """Gathers the lines of one hour after the other."""

    def __init__(self, mapping: ImportMapping, begin: int) -> None:
        self._import_id, self._begin = mapping.import_id, begin
        self._hour: Hour | None = None
        self._number = 0
        self._lines: list[bytes] = []
        self._size = self._readings = 0

    def add(self, hour: Hour, line: bytes, readings: int) -> HourObject | None:
        """Take a line; the object that is full before it, or of another hour."""
        done = None
        if hour != self._hour or self._size + len(line) > OBJECT_BYTES:
            done = self.end()
            self._number = self._number + 1 if hour == self._hour else 0
            self._hour = hour
        self._lines.append(line)
        self._size += len(line) + 1
        self._readings += readings
        return done

    def end(self) -> HourObject | None:
        """What was gathered, if there is anything."""
        if self._hour is None or not self._lines:
            return None
        key = f"{RAW}{self._hour.path}import-{self._import_id}-{self._begin:04d}-{self._number:04d}.gz"
        # Without the time of day in its header: the same lines are the same bytes.
        body = gzip.compress(b"\n".join(self._lines) + b"\n", _COMPRESSION, mtime=0)
        found = HourObject(key, body, self._readings)
        self._lines, self._size, self._readings = [], 0, 0
        return found


def _messages(rows: pa.Table, mapping: ImportMapping) -> Iterator[tuple[Hour, bytes, int]]:
    """Each message's hour, line and number of readings, in the order of hour, device and time."""
    rows, is_first = _in_order(rows, mapping)
    texts = _texts(rows, is_first, mapping)
    begins = _message_begins(rows, is_first)
    ends = np.append(begins[1:], len(rows))
    readings = np.add.reduceat(is_first, begins) if len(begins) else begins
    sender = [rows[name].take(pa.array(begins)).to_pylist() for name in _SENDER]
    received = rows["ts"].take(pa.array(ends - 1)).to_pylist()
    client, offsets = client_of(mapping.import_id), np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :]
    data = memoryview(texts.buffers()[2])
    before, number, of_hour = -1, 0, hour_of(0)
    for at, (hour, tenant, site, device) in enumerate(zip(*sender, strict=True)):
        if hour != before:
            before, number, of_hour = hour, 0, hour_of(hour)
        # Each reading begins with a comma, of which the first is none.
        inner = bytes(data[offsets[begins[at]] + 1 : offsets[ends[at]]])
        trace = f"{client}:{device}:{received[at]}:{number}"
        origin = Origin(tenant, site, device, received[at], client, trace)
        number += 1
        yield of_hour, raw_line(b'{"v":1,"readings":[' + inner + b"]}", origin), int(readings[at])


def _in_order(rows: pa.Table, mapping: ImportMapping) -> tuple[pa.Table, NDArray[Any]]:
    """The rows by hour, device and time, and where a reading begins.

    Of long rows those with one key are one reading, each metric once: what is there again is of a further one.
    """
    keys = [(name, "ascending") for name in _KEY]
    if not mapping.long:
        rows = rows.take(pc.sort_indices(rows, sort_keys=keys)).combine_chunks()
        return rows, np.ones(len(rows), np.int64)
    rows = rows.take(pc.sort_indices(rows, sort_keys=[*keys, ("metric", "ascending")])).combine_chunks()
    again = _rank(_changes(rows, [*_KEY, "metric"]))
    rows = rows.append_column("again", pa.array(again))
    order = pc.sort_indices(rows, sort_keys=[*keys, ("again", "ascending"), ("metric", "ascending")])
    rows = rows.take(order).combine_chunks()
    return rows.drop_columns(["again"]), _changes(rows, [*_KEY, "again"]).astype(np.int64)


def _texts(rows: pa.Table, is_first: NDArray[Any], mapping: ImportMapping) -> pa.LargeStringArray:
    """Of each row its part of the JSON of its reading: with what begins a reading, and what ends it."""
    units = ",".join(f'"{each.metric}":"{each.unit}"' for each in mapping.metrics if not each.is_canonical)
    end = f',"unit":{{{units}}}}}' if units else "}"
    is_last = np.append(is_first[1:], 1)
    ts = pc.replace_substring(rows["ts"].cast(pa.timestamp("ms")).cast(pa.string()), " ", "T")
    begun = pc.binary_join_element_wise(',{"ts":"', ts, 'Z","seq":', rows["seq"].cast(pa.string()), "")
    parts = [
        pc.if_else(pa.array(is_first == 1), begun, ""),
        rows["values"],
        pc.if_else(pa.array(is_last == 1), end, ""),
    ]
    joined = pc.binary_join_element_wise(
        *(part.cast(pa.large_string()) for part in parts), pa.scalar("", pa.large_string())
    )
    return joined.combine_chunks()


def _message_begins(rows: pa.Table, is_first: NDArray[Any]) -> NDArray[Any]:
    """The rows with which messages begin: a new sender or hour, and each MESSAGE_READINGS readings."""
    if not len(rows):
        return np.zeros(0, np.int64)
    changes = _changes(rows, _SENDER)
    reading = np.cumsum(is_first)
    starts = np.flatnonzero(changes)
    of_sender = reading - np.repeat(reading[starts], np.diff(np.append(starts, len(rows))))
    full = (of_sender % MESSAGE_READINGS == 0) & (is_first == 1)
    return np.flatnonzero(changes | full)


def _changes(rows: pa.Table, names: list[str]) -> NDArray[Any]:
    """Where a row differs from the one before in any of these columns; the first does."""
    found = np.zeros(len(rows), bool)
    for name in names:
        column = rows[name].combine_chunks()
        differ = pc.not_equal(column.slice(1), column.slice(0, max(0, len(column) - 1)))
        found[1:] |= differ.to_numpy(zero_copy_only=False)
    found[:1] = True
    return found


def _rank(changes: NDArray[Any]) -> NDArray[Any]:
    """Of each row how many are before it since the last change."""
    starts = np.flatnonzero(changes)
    return np.arange(len(changes)) - np.repeat(starts, np.diff(np.append(starts, len(changes))))


def hour_of(hours_since: int) -> Hour:
    """The hour of so many hours since 1970."""
    return Hour(datetime.fromtimestamp(hours_since * 3600, UTC))
