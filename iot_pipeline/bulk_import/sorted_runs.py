"""Mapped rows on disk, by event hour: runs, each sorted by hour and written once, of which any hours are read together.

An external sort: memory holds one run while it is made, and then one window of hours of all runs. A run is a file of
Arrow IPC in small compressed batches, so that a window reads few of them; it is renamed into place when it is whole.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
from numpy.typing import NDArray

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
    """A run on disk: its hours in order, and with which row each begins; one entry more says where the last ends.

    Arrays, since an import may have hundreds of runs of tens of thousands of hours.
    """

    path: Path
    notes: RunNotes
    hours: NDArray[np.int32]
    begins: NDArray[np.int64]

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Read what a run is. Raises pyarrow.ArrowInvalid if the file is none."""
        with pa.memory_map(str(path)) as source:
            about = ipc.open_file(source).schema.metadata
        begins = np.concatenate(([0], np.cumsum(json.loads(about[_COUNTS])))).astype(np.int64)
        return cls(path, RunNotes.decode(about[_ABOUT]), np.array(json.loads(about[_HOURS]), np.int32), begins)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.begins[-1])

    def between(self, first: int, last: int) -> pa.Table | None:
        """Its rows of the hours from one to another, both included, in the order of the source; None without any.

        Copied: a slice would keep all of its batch in memory, of each run.
        """
        low, high = np.searchsorted(self.hours, [first, last + 1])
        begin, end = int(self.begins[low]), int(self.begins[high])
        if begin == end:
            return None
        parts = []
        with pa.memory_map(str(self.path)) as source:
            reader = ipc.open_file(source)
            for number in range(begin // _BATCH_ROWS, (end - 1) // _BATCH_ROWS + 1):
                batch, start = reader.get_batch(number), number * _BATCH_ROWS
                wanted = np.arange(max(begin - start, 0), min(end - start, batch.num_rows))
                parts.append(batch.take(pa.array(wanted)))
        return pa.Table.from_batches(parts)


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
        found: list[Run] = []
        while self._path(len(found)).exists():
            found.append(Run.open(self._path(len(found))))
        return found

    def _path(self, number: int) -> Path:
        return self.folder / f"run-{number:06d}.arrow"


def windows(runs: Sequence[Run]) -> Iterator[Window]:
    """All hours of the runs, in order, as windows of at most WINDOW_ROWS rows; of an hour with more, its seconds.

    The same runs give the same windows. Raises TooDenseError.
    """
    hours, totals = _totals(runs)
    begin, size = 0, 0
    for at, hour in enumerate(hours):
        if totals[at] > WINDOW_ROWS:
            if at > begin:
                yield Window(hours[begin], hours[at - 1])
            yield from _seconds(runs, hour)
            begin, size = at + 1, 0
            continue
        if size + totals[at] > WINDOW_ROWS:
            yield Window(hours[begin], hours[at - 1])
            begin, size = at, 0
        size += totals[at]
    if begin < len(hours):
        yield Window(hours[begin], hours[-1])


def hours_of_runs(runs: Sequence[Run]) -> list[int]:
    """The hours (since 1970) of which there are rows, in order."""
    return _totals(runs)[0]


def rows_in(runs: Sequence[Run], window: Window) -> pa.Table:
    """The rows of a window, in the order of the source."""
    parts = []
    for run in runs:
        found = run.between(window.first, window.last)
        if found is None:
            continue
        if (window.begin, window.end) != (0, 3600):
            second = pc.divide(pc.subtract(found["ts"], window.first * _HOUR_MS), _SECOND_MS)
            found = found.filter(pc.and_(pc.greater_equal(second, window.begin), pc.less(second, window.end)))
        parts.append(found)
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def _totals(runs: Sequence[Run]) -> tuple[list[int], list[int]]:
    """The hours of all runs, in order, and how many rows each has."""
    if not runs:
        return [], []
    hours, where = np.unique(np.concatenate([run.hours for run in runs]), return_inverse=True)
    counts = np.zeros(len(hours), np.int64)
    np.add.at(counts, where, np.concatenate([np.diff(run.begins) for run in runs]))
    return hours.tolist(), counts.tolist()


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
    if size:  # none are left where the last second alone was more than a window
        yield Window(hour, hour, begin, 3600)
