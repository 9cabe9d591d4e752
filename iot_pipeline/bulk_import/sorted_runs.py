"""Mapped rows on disk, by event hour: runs, each sorted by hour and written once, of which any hours are read together.

An external sort: memory holds one run while it is made, and then one window of hours of all runs. A run is a file of
Arrow IPC in small compressed batches, so that a window reads few of them; it is renamed into place when it is whole.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc

from iot_pipeline.bulk_import.mapped_rows import SCHEMA

# Rows of a run, and of a window: some 150 bytes each, a few times over while they are sorted.
RUN_ROWS = 500_000
WINDOW_ROWS = 500_000
# What a second may hold at most: its rows are in memory together.
SECOND_ROWS = 4_000_000
_BATCH_ROWS = 16_384
_HOUR_MS, _SECOND_MS = 3_600_000, 1000
_ABOUT, _HOURS, _COUNTS = b"about", b"hours", b"counts"


class TooDenseError(ValueError):
    """So many rows of one second that they do not fit in the memory that an import may take."""


@dataclass
class FileBooks:
    """What was read of a file: rows = mapped + rejected + ignored."""

    rows: int = 0
    mapped: int = 0
    rejected: int = 0
    ignored: int = 0

    def add(self, other: "FileBooks") -> None:
        """Add what was read of another part of the file."""
        self.rows += other.rows
        self.mapped += other.mapped
        self.rejected += other.rejected
        self.ignored += other.ignored


@dataclass
class RunNotes:
    """What a run is of: the books of the files in it, and the file and row that it ends with."""

    file: int
    row: int
    books: dict[int, FileBooks] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    def encode(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str | bytes) -> "RunNotes":
        """What `encode` gave."""
        held = json.loads(text)
        books = {int(file): FileBooks(**counts) for file, counts in held["books"].items()}
        return cls(held["file"], held["row"], books, held["reasons"])


@dataclass(frozen=True)
class Window:
    """Event hours (since 1970) from `first` to `last`, both included; or, of one hour, the seconds `begin` to `end`."""

    first: int
    last: int
    begin: int = 0
    end: int = 3600

    @property
    def name(self) -> str:
        """Its name in the journal."""
        return f"{self.first}-{self.last}-{self.begin:04d}-{self.end:04d}"


@dataclass(frozen=True)
class Run:
    """A run on disk: of each of its hours the first row and the number of rows."""

    path: Path
    notes: RunNotes
    hours: Mapping[int, tuple[int, int]]

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Read what a run is. Raises pyarrow.ArrowInvalid if the file is none."""
        with pa.memory_map(str(path)) as source:
            about = ipc.open_file(source).schema.metadata
        hours, counts = json.loads(about[_HOURS]), json.loads(about[_COUNTS])
        firsts = np.concatenate(([0], np.cumsum(counts)[:-1])).tolist() if counts else []
        found = {hour: (first, count) for hour, first, count in zip(hours, firsts, counts, strict=True)}
        return cls(path, RunNotes.decode(about[_ABOUT]), found)

    def between(self, first: int, last: int) -> pa.Table | None:
        """Its rows of the hours from one to another, both included, in the order of the source; None without any."""
        wanted = [span for hour, span in self.hours.items() if first <= hour <= last]
        if not wanted:
            return None
        begin = min(start for start, _ in wanted)
        end = max(start + count for start, count in wanted)
        with pa.memory_map(str(self.path)) as source:
            reader = ipc.open_file(source)
            low, high = begin // _BATCH_ROWS, (end - 1) // _BATCH_ROWS
            parts = [reader.get_batch(number) for number in range(low, high + 1)]
            return pa.Table.from_batches(parts).slice(begin - low * _BATCH_ROWS, end - begin)


@dataclass(frozen=True)
class SortedRuns:
    """The runs of an import in a folder."""

    folder: Path

    def write(self, number: int, table: pa.Table, notes: RunNotes) -> None:
        """Write a run. What a run that was killed left of it is replaced."""
        order = pc.sort_indices(table["hour"])  # stable: within an hour the order of the source stays
        table = table.take(order)
        hours, counts = np.unique(table["hour"].to_numpy(), return_counts=True)
        about = {
            _ABOUT: notes.encode(),
            _HOURS: json.dumps(hours.tolist()),
            _COUNTS: json.dumps(counts.tolist()),
        }
        path = self._path(number)
        temporary = path.with_suffix(".part")
        options = ipc.IpcWriteOptions(compression="lz4")
        with ipc.new_file(str(temporary), SCHEMA.with_metadata(about), options=options) as writer:
            # One chunk, so that each batch but the last has exactly so many rows: they are found by their number.
            writer.write_table(table.combine_chunks().replace_schema_metadata(about), _BATCH_ROWS)
        temporary.replace(path)

    def opened(self) -> list[Run]:
        """The runs that are whole, in order, up to the first that is missing."""
        found = []
        while self._path(len(found)).exists():
            found.append(Run.open(self._path(len(found))))
        return found

    def _path(self, number: int) -> Path:
        return self.folder / f"run-{number:06d}.arrow"


def windows(runs: Sequence[Run]) -> Iterator[Window]:
    """All hours of the runs, in order, as windows of at most WINDOW_ROWS rows; of an hour with more, its seconds.

    The same runs give the same windows. Raises TooDenseError.
    """
    totals: dict[int, int] = {}
    for run in runs:
        for hour, (_, count) in run.hours.items():
            totals[hour] = totals.get(hour, 0) + count
    hours = sorted(totals)
    begin, size = 0, 0
    for at, hour in enumerate(hours):
        if totals[hour] > WINDOW_ROWS:
            if at > begin:
                yield Window(hours[begin], hours[at - 1])
            yield from _seconds(runs, hour)
            begin, size = at + 1, 0
            continue
        if size + totals[hour] > WINDOW_ROWS:
            yield Window(hours[begin], hours[at - 1])
            begin, size = at, 0
        size += totals[hour]
    if begin < len(hours):
        yield Window(hours[begin], hours[-1])


def rows_in(runs: Sequence[Run], window: Window) -> pa.Table:
    """The rows of a window, in the order of the source."""
    parts = []
    for run in runs:
        found = run.between(window.first, window.last)
        if found is None:
            continue
        if (window.begin, window.end) != (0, 3600):
            second = pc.divide(pc.subtract(found["ts"], window.first * _HOUR_MS), _SECOND_MS)
            # Copied by the filter: a slice would hold on to all of the run's batches.
            found = found.filter(pc.and_(pc.greater_equal(second, window.begin), pc.less(second, window.end)))
        parts.append(found)
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def _seconds(runs: Sequence[Run], hour: int) -> Iterator[Window]:
    counts = np.zeros(3600, np.int64)
    for run in runs:
        found = run.between(hour, hour)
        if found is not None:
            second = (found["ts"].to_numpy() - hour * _HOUR_MS) // _SECOND_MS
            counts += np.bincount(second, minlength=3600)
    if counts.max() > SECOND_ROWS:
        raise TooDenseError(
            f"{counts.max():,} rows are of one second, {hour * 3600 + int(counts.argmax())} s since 1970; at most "
            f"{SECOND_ROWS:,} fit in memory: import them in several imports, by device"
        )
    begin, size = 0, 0
    for second, count in enumerate(counts.tolist()):
        if size and size + count > WINDOW_ROWS:
            yield Window(hour, hour, begin, second)
            begin, size = second, 0
        size += count
    yield Window(hour, hour, begin, 3600)
