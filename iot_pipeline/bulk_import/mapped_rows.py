"""Rows of a file as parts of readings: whose, when, and the JSON of their values; or why a row cannot be mapped.

A row is rejected whole, with the first column that cannot be read. Values are not judged here: what is out of range, or
has no metric, goes into the raw zone as it is, and the contract's verdict stays with the pipeline.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from iot_pipeline.bulk_import.event_times import EventTimes
from iot_pipeline.bulk_import.mapping import ImportMapping, MappingError, MetricSource, Text
from iot_pipeline.contract.identifiers import DEVICE_NAME, NAME

_HOUR_MS = 3_600_000
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_WHOLE = r"^[+-]?\d{1,19}$"
# What is kept of a rejected value.
_SHOWN = 200

# `metric` is -1 where a row is a whole reading; otherwise the mapping's metric whose value it holds.
SCHEMA = pa.schema(
    [
        ("hour", pa.int32()),
        ("tenant", pa.string()),
        ("site", pa.string()),
        ("device", pa.string()),
        ("ts", pa.int64()),
        ("seq", pa.int64()),
        ("metric", pa.int8()),
        ("values", pa.string()),
    ]
)


@dataclass(frozen=True)
class Placed:
    """Where the registry had a device from `since` on (epoch ms) until `until` (None: still)."""

    since: int
    until: int | None
    tenant: str
    site: str


# Of each device that the registry knows its places, in order.
Registry = Mapping[str, Sequence[Placed]]


@dataclass(frozen=True)
class Rejected:
    """A row that could not be mapped: its number in its file (from 1, the header not counted), and why."""

    row: int
    column: str
    reason: str
    value: str


@dataclass(frozen=True)
class Mapped:
    """What a batch gave: a table of SCHEMA in the order of its rows, what was rejected, how many rows were left out
    because the mapping ignores their metric's name.
    """

    table: pa.Table
    rejected: list[Rejected]
    ignored: int


class RowMapper:
    """Maps batches by one mapping. `latest` (epoch ms) is when the import began: nothing was measured later."""

    def __init__(self, mapping: ImportMapping, latest: int, registry: Registry | None = None) -> None:
        if mapping.tenant is None and registry is None:
            raise MappingError("the mapping asks the registry for tenant and site; none is connected")
        self._mapping, self._latest, self._registry = mapping, latest, registry
        self._times = EventTimes(mapping.time)

    def map(self, batch: pa.RecordBatch, rows: pa.Array) -> Mapped:
        """`batch` has the mapping's columns, `rows` the number of each row in its file."""
        work = _Batch(batch, rows, self._mapping.nulls)
        size = len(rows)
        ms = self._time(work)
        device = self._text(work, self._mapping.device, "device", DEVICE_NAME.pattern)
        tenant, site = self._places(work, device, ms)
        seq = self._seq(work, ms)
        metric, values, ignored = self._long(work) if self._mapping.long else self._wide(work)
        keep = pc.and_(work.good(), pc.invert(ignored))
        hour = pc.divide(ms, _HOUR_MS).cast(pa.int32(), safe=False)
        columns = [hour, tenant, site, device, ms, seq, metric, values]
        table = pa.Table.from_arrays(columns, schema=SCHEMA).filter(keep)
        left_out = pc.sum(pc.and_(work.good(), ignored)).as_py() if size else 0
        return Mapped(table, work.rejected(), left_out or 0)

    def _time(self, work: "_Batch") -> pa.Array:
        column = self._mapping.time.column
        sent = work.column(column)
        ms, why = self._times.read(sent)
        work.reject(column, sent.is_null(), "expected a time, the cell is empty")
        for at, reason in why.items():
            work.reject_at(at, column, reason)
        early = pc.fill_null(pc.less(ms, 0), False)
        work.reject(column, early, "expected a time since 1970")
        work.reject(column, pc.fill_null(pc.greater(ms, self._latest), False), "the time is after the import began")
        return pc.if_else(early, None, ms)

    def _text(self, work: "_Batch", text: Text, what: str, pattern: str) -> pa.Array:
        if text.column is None:
            return pa.repeat(pa.scalar(text.constant, pa.string()), work.size)
        found = work.column(text.column).cast(pa.string())
        work.reject(text.column, found.is_null(), f"expected the {what}, the cell is empty")
        fits = pc.match_substring_regex(found, f"^(?:{pattern})$")
        work.reject(text.column, pc.fill_null(pc.invert(fits), False), f"expected a {what} as {pattern}")
        return found

    def _places(self, work: "_Batch", device: pa.Array, ms: pa.Array) -> tuple[pa.Array, pa.Array]:
        if self._mapping.tenant is not None and self._mapping.site is not None:
            pattern = NAME.pattern
            tenant = self._text(work, self._mapping.tenant, "tenant", pattern)
            return tenant, self._text(work, self._mapping.site, "site", pattern)
        column = self._mapping.device.column or self._mapping.time.column
        tenants: list[str | None] = []
        sites: list[str | None] = []
        for at, (name, moment) in enumerate(zip(device.to_pylist(), ms.to_pylist(), strict=True)):
            found = self._place(name, moment) if name is not None and moment is not None else None
            if isinstance(found, str):
                work.reject_at(at, column, found)
            place = found if isinstance(found, Placed) else None
            tenants.append(place.tenant if place else None)
            sites.append(place.site if place else None)
        return pa.array(tenants, pa.string()), pa.array(sites, pa.string())

    def _place(self, device: str, moment: int) -> Placed | str:
        """Where a device was, or why that is not known."""
        places = self._registry.get(device, ()) if self._registry is not None else ()
        if not places:
            return "the registry has no such device; onboard it, or say tenant and site in the mapping"
        at = bisect_right(places, moment, key=lambda place: place.since) - 1
        until = places[at].until
        if at < 0 or (until is not None and moment >= until):
            return "the registry does not say where the device was at that time; say tenant and site in the mapping"
        return places[at]

    def _seq(self, work: "_Batch", ms: pa.Array) -> pa.Array:
        """The column's, or the time itself: so a reading is identified by device and time."""
        column = self._mapping.seq
        if column is None:
            return ms
        sent = work.column(column)
        work.reject(column, sent.is_null(), "expected a whole number, the cell is empty")
        text = sent.cast(pa.string())
        fits = pc.fill_null(pc.match_substring_regex(text, _WHOLE), False)
        expected = "expected a whole number of 64 bits"
        try:
            found = pc.if_else(fits, pc.utf8_ltrim(text, characters="+"), None).cast(pa.int64())
        except pa.ArrowInvalid:  # 19 digits may be too many
            found = pa.array([_int64(each) for each in text.to_pylist()], pa.int64())
        work.reject(column, pc.and_(sent.is_valid(), found.is_null()), expected)
        return found

    def _wide(self, work: "_Batch") -> tuple[pa.Array, pa.Array, pa.Array]:
        parts = [self._value(work, work.column(metric.source), metric) for metric in self._mapping.metrics]
        if self._mapping.location:
            lat, lon = (
                self._number(work, work.column(name), name, pa.repeat(pa.scalar(True), work.size))
                for name in self._mapping.location
            )
            joined = pc.binary_join_element_wise(',"location":{"lat":', lat, ',"lon":', lon, "}", "")
            parts.append(pc.fill_null(joined, ""))
            # Half of a place is no place: as the contract has it, it is said and quarantined, not left out.
            half = pc.xor(lat.is_valid(), lon.is_valid())
            for name, found in zip(self._mapping.location, (lat, lon), strict=True):
                work.reject(name, pc.and_(half, found.is_null()), "the other of lat and lon has a value, this has none")
        metric = pa.repeat(pa.scalar(-1, pa.int8()), work.size)
        return metric, pc.binary_join_element_wise(*parts, ""), pa.repeat(pa.scalar(False), work.size)

    def _long(self, work: "_Batch") -> tuple[pa.Array, pa.Array, pa.Array]:
        long = self._mapping.long
        if long is None:
            raise MappingError("the mapping is of wide files")
        names = work.column(long.name).cast(pa.string())
        known = pa.array([metric.source for metric in self._mapping.metrics], pa.string())
        metric = pc.index_in(names, known).cast(pa.int8())
        ignored = pc.is_in(names, pa.array(sorted(long.ignored), pa.string()))
        work.reject(long.name, names.is_null(), "expected the name of a metric, the cell is empty")
        strange = pc.and_(pc.and_(names.is_valid(), metric.is_null()), pc.invert(ignored))
        work.reject(long.name, strange, "the mapping has no metric of that name; map it, or ignore it")
        sent = work.column(long.value)
        wanted = pc.invert(ignored)
        work.reject(long.value, pc.and_(sent.is_null(), wanted), "expected a number, the cell is empty")
        number = self._number(work, sent, long.value, wanted)
        keys = pa.array([f',"{each.metric}":' for each in self._mapping.metrics], pa.string())
        return metric, pc.binary_join_element_wise(keys.take(metric), number, ""), ignored

    def _value(self, work: "_Batch", sent: pa.Array, metric: MetricSource) -> pa.Array:
        number = self._number(work, sent, metric.source, pa.repeat(pa.scalar(True), work.size))
        return pc.fill_null(pc.binary_join_element_wise(f',"{metric.metric}":', number, ""), "")

    def _number(self, work: "_Batch", sent: pa.Array, column: str, wanted: pa.Array) -> pa.Array:
        """JSON's text of each number, the shortest that gives the same DOUBLE. Null where nothing was sent."""
        if pa.types.is_string(sent.type) or pa.types.is_large_string(sent.type):
            text = pc.replace_substring(sent, ",", ".") if self._mapping.csv.decimal == "," else sent
            fits = pc.fill_null(pc.match_substring_regex(text, _NUMBER), False)
            if self._mapping.csv.decimal == ",":  # 1.000,5 is a thousand with a separator, or a mistake
                fits = pc.and_(fits, pc.invert(pc.fill_null(pc.match_substring(sent, "."), False)))
            number = pc.if_else(fits, pc.utf8_ltrim(text, characters="+"), None).cast(pa.float64())
        elif pa.types.is_decimal(sent.type):
            # By their text: Arrow divides by a power of ten, which is off by a last digit for some.
            number = sent.cast(pa.string()).cast(pa.float64())
        else:
            number = sent.cast(pa.float64(), safe=False)
        number = pc.if_else(pc.is_finite(number), number, None)
        failed = pc.and_(pc.and_(sent.is_valid(), number.is_null()), wanted)
        work.reject(column, failed, "expected a number within a DOUBLE's range; what means nothing belongs to `nulls`")
        return number.cast(pa.string())


class _Batch:
    """A batch while it is mapped, and which of its rows are rejected, by the first reason found."""

    def __init__(self, batch: pa.RecordBatch, rows: pa.Array, nulls: frozenset[str]) -> None:
        self._batch, self._rows = batch, rows
        self._nulls = pa.array(sorted(nulls), pa.string())
        self._nan_is_null = any(each.lower() == "nan" for each in nulls)
        self._why: dict[int, tuple[str, str]] = {}
        self._columns: dict[str, pa.Array] = {}
        self.size = len(rows)

    def column(self, name: str) -> pa.Array:
        """A column, null where it says nothing. A text that is not UTF-8 rejects its row."""
        if name not in self._columns:
            found = self._batch.column(name)
            if pa.types.is_dictionary(found.type):
                found = found.cast(found.type.value_type)
            if pa.types.is_large_string(found.type):
                found = found.cast(pa.string())
            if pa.types.is_string(found.type):
                found = self._readable(name, found)
                found = pc.if_else(pc.is_in(found, self._nulls), None, found)
            elif pa.types.is_floating(found.type) and self._nan_is_null:
                found = pc.if_else(pc.is_nan(found), None, found)
            self._columns[name] = found
        return self._columns[name]

    def _readable(self, name: str, texts: pa.Array) -> pa.Array:
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            decoded = [_decoded(each) for each in texts.view(pa.binary()).to_pylist()]
            for at, text in enumerate(decoded):
                if text is None and texts[at].is_valid:
                    self.reject_at(at, name, "the text is not in the encoding that the mapping says (csv.encoding)")
            return pa.array(decoded, pa.string())
        return texts

    def reject(self, column: str, mask: pa.Array, reason: str) -> None:
        """Reject the rows where the mask holds, unless they are already."""
        if pc.any(mask).as_py():
            for at in pc.indices_nonzero(mask).to_pylist():
                self._why.setdefault(at, (column, reason))

    def reject_at(self, at: int, column: str, reason: str) -> None:
        """Reject one row, unless it is already."""
        self._why.setdefault(at, (column, reason))

    def good(self) -> pa.Array:
        """Where no row is rejected."""
        if not self._why:
            return pa.repeat(pa.scalar(True), self.size)
        mask = np.ones(self.size, bool)
        mask[list(self._why)] = False
        return pa.array(mask)

    def rejected(self) -> list[Rejected]:
        """The rejected rows, in order."""
        return [
            Rejected(self._rows[at].as_py(), column, reason, _shown(self._batch, column, at))
            for at, (column, reason) in sorted(self._why.items())
        ]


def _shown(batch: pa.RecordBatch, column: str, at: int) -> str:
    value = batch.column(column).slice(at, 1)
    if pa.types.is_string(value.type):
        sent = value.view(pa.binary())[0].as_py()
        return "" if sent is None else str(sent[:_SHOWN].decode("utf-8", "replace"))
    found = value[0].as_py()
    return "" if found is None else str(found)[:_SHOWN]


def _decoded(sent: bytes | None) -> str | None:
    try:
        return None if sent is None else sent.decode()
    except UnicodeDecodeError:
        return None


def _int64(text: str | None) -> int | None:
    try:
        found = int(text) if text is not None else None
    except ValueError:
        return None
    return found if found is not None and -(2**63) <= found < 2**63 else None
