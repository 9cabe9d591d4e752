"""Carrying an import out: files are read and mapped into sorted runs on disk, then written hour by hour.

It may be killed anywhere and run again. A run on disk is whole or not there; an object of the raw zone has a name and
bytes that follow from the files and the mapping alone, so that it is written again as it was; what is noted as written
is not written again.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from iot_pipeline.bulk_import.column_types import check_types
from iot_pipeline.bulk_import.hour_lines import HourObject, hour_objects, hour_of
from iot_pipeline.bulk_import.journal import Beginning, Journal
from iot_pipeline.bulk_import.mapped_rows import SCHEMA, Registry, Rejected, RowMapper
from iot_pipeline.bulk_import.mapping import ImportMapping
from iot_pipeline.bulk_import.sorted_runs import (
    RUN_ROWS,
    FileBooks,
    Run,
    RunNotes,
    SortedRuns,
    Window,
    hours_of_runs,
    rows_in,
    windows,
)
from iot_pipeline.bulk_import.source_batches import batches, schema_of
from iot_pipeline.bulk_import.source_files import SourceFile, Sources
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.object_lock import ObjectLock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Objects that are sent side by side, each of at most OBJECT_BYTES before it is compressed.
_SENDERS = 4


class OutsideError(ValueError):
    """Rows of hours that the lake does not take: before its first partition, or so old that retention removes them."""


class BooksError(RuntimeError):
    """The books of an import do not balance, which is a fault of this program."""


@dataclass(frozen=True)
class Bounds:
    """Which event hours the lake takes. `oldest_kept` is None where nothing is removed."""

    first_partition: datetime
    oldest_kept: datetime | None

    def check(self, first: Hour) -> None:
        """Raises OutsideError if the first hour of an import is not one of them."""
        if first.start < self.first_partition:
            raise OutsideError(
                f"the history begins at {first}, the lake's partitions at {self.first_partition.isoformat()}: set "
                f"IOT_PARTITIONS_START={first.start.isoformat()} here and for Dagster, restart it, and run again"
            )
        if self.oldest_kept is not None and first.start < self.oldest_kept:
            raise OutsideError(
                f"the history begins at {first}, and retention removes what is before "
                f"{self.oldest_kept.isoformat(timespec='minutes')}: keep it longer (IOT_RETENTION_...), or import less"
            )


@dataclass(frozen=True)
class Progress:
    """What is told while an import is carried out: how many rows were read, are to be written, were written."""

    read: Callable[[int], None] = lambda _rows: None
    planned: Callable[[int], None] = lambda _rows: None
    written: Callable[[int], None] = lambda _rows: None


@dataclass(frozen=True)
class Importer:
    """Carries out one import. `folder` is for the sorted runs of imports, each in a folder of its own until its end.

    `registry` asks where every device was; it is asked once an import.
    """

    s3: "S3Client"
    bucket: str
    sources: Sources
    mapping: ImportMapping
    folder: Path
    bounds: Bounds
    registry: Callable[[], Registry] | None = None
    progress: Progress = Progress()

    @property
    def journal(self) -> Journal:
        """The import's journal."""
        return Journal(self.s3, self.bucket, self.mapping.import_id)

    def files(self, source: str) -> Sequence[SourceFile]:
        """The files of a source, each of which has what the mapping reads. Raises SourceError, MappingError."""
        files = self.sources.list(source)
        for file in files:
            schema = schema_of(self.sources, file, self.mapping)
            if file.is_parquet:
                check_types(schema, self.mapping, file.uri)
        return files

    def rehearse(self, source: str) -> Mapping[str, Any]:
        """Map the first rows of each file, a batch, and note nothing; books of those rows alone. Raises as `run`."""
        files, now = self.files(source), datetime.now(UTC).replace(microsecond=0)
        places = self.registry() if self.mapping.tenant is None and self.registry else None
        mapper, gathered = RowMapper(self.mapping, round(now.timestamp() * 1000), places), _Gathered(0)
        for at, file in enumerate(files):
            for batch, rows, rejected in batches(self.sources, file, self.mapping):
                gathered.add(at, mapper, batch, rows, rejected)
                self.progress.read(len(rows) + len(rejected))
                break
        hours = pa.concat_tables([SCHEMA.empty_table(), *gathered.tables])["hour"].unique().to_pylist()
        began = Beginning(self.mapping.digest, source, files, now)
        return self._books(began, [gathered.notes], hours, Counter())

    def plan(self, source: str) -> Mapping[str, Any]:
        """Read and map all of it, and write nothing of the raw zone; the books so far. `run` goes on from there.

        Raises as `run`.
        """
        return self._carry_out(source, write=False)

    def run(self, source: str) -> Mapping[str, Any]:
        """Carry the import out, or on; its books, as `finished.json` has them.

        Raises SourceError, MappingError, ImportStateError, OutsideError and TooDenseError, before anything of the raw
        zone is written unless a file changes meanwhile; botocore's errors.
        """
        return self._carry_out(source, write=True)

    def _carry_out(self, source: str, *, write: bool) -> Mapping[str, Any]:
        files = self.files(source)
        with self.journal.locked() as lock:
            began = self.journal.begin(self.mapping, source, files)
            folder = self.folder / f"import-{self.mapping.import_id}-{began.fingerprint}"
            folder.mkdir(parents=True, exist_ok=True)
            finished = self.journal.finished()
            if finished is not None:
                shutil.rmtree(folder)  # it may have been killed before it did that
                return finished
            runs = self._read(began, SortedRuns(folder), lock)
            hours = hours_of_runs(runs)
            if hours:
                self.bounds.check(hour_of(hours[0]))
            notes = [run.notes for run in runs]
            if not write:
                return self._books(began, notes, hours, Counter())
            self._write(runs, lock)
            books = self._books(began, notes, hours, self._written())
            _check(books, is_long=self.mapping.long is not None)
            self.journal.finish(books)
            shutil.rmtree(folder)
            return books

    def _read(self, began: Beginning, sorted_runs: SortedRuns, lock: ObjectLock) -> list[Run]:
        """Map what is not on disk yet, from where the last whole run ended."""
        runs = sorted_runs.opened()
        file, row = (runs[-1].notes.file, runs[-1].notes.row) if runs else (0, 0)
        latest = round(began.began_at.timestamp() * 1000)
        places = self.journal.places(self.registry) if self.mapping.tenant is None and self.registry else None
        mapper = RowMapper(self.mapping, latest, places)
        gathered = _Gathered(len(runs))
        for at in range(file, len(began.files)):
            source = began.files[at]
            for batch, rows, rejected in batches(self.sources, source, self.mapping, row if at == file else 0):
                lock.check()
                gathered.add(at, mapper, batch, rows, rejected)
                self.progress.read(len(rows) + len(rejected))
                if gathered.size >= RUN_ROWS:
                    self._spill(sorted_runs, gathered, began.files)
            self.sources.check(source)
        if gathered.notes.books:
            self._spill(sorted_runs, gathered, began.files)
        return sorted_runs.opened()

    def _spill(self, runs: SortedRuns, gathered: "_Gathered", files: Sequence[SourceFile]) -> None:
        if gathered.rejected:
            self.journal.reject(gathered.number, files, gathered.rejected)
        self.sources.check(files[gathered.notes.file])
        runs.write(gathered.number, pa.concat_tables([SCHEMA.empty_table(), *gathered.tables]), gathered.notes)
        gathered.next()

    def _write(self, runs: Sequence[Run], lock: ObjectLock) -> None:
        done = self.journal.written()
        self.progress.planned(sum(run.rows for run in runs))
        with ThreadPoolExecutor(_SENDERS) as senders:
            for window in windows(runs):
                lock.check()
                if window.name in done:
                    self.progress.written(done[window.name]["rows"])
                    continue
                self._write_window(runs, window, senders)

    def _write_window(self, runs: Sequence[Run], window: Window, senders: ThreadPoolExecutor) -> None:
        rows = rows_in(runs, window)
        counts = Counter({"rows": len(rows)})
        sent: set[Future[None]] = set()
        for made in hour_objects(rows, self.mapping, window.begin):
            counts.update({"objects": 1, "readings": made.readings, "bytes": len(made.body)})
            if len(sent) >= 2 * _SENDERS:
                sent = _all_but_some(sent)
            sent.add(senders.submit(self._send, made))
        while sent:
            sent = _all_but_some(sent)
        self.journal.write(window.name, counts)
        self.progress.written(len(rows))

    def _send(self, made: HourObject) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=made.key, Body=made.body)

    def _written(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for counts in self.journal.written().values():
            found.update(counts)
        return found

    def _books(
        self, began: Beginning, notes: Sequence[RunNotes], of_rows: Sequence[int], written: Counter[str]
    ) -> Mapping[str, Any]:
        per_file: dict[int, FileBooks] = {}
        reasons, total, hours = Counter[str](), FileBooks(), sorted(set(of_rows))
        for each in notes:
            for file, books in each.books.items():
                per_file.setdefault(file, FileBooks()).add(books)
                total.add(books)
            reasons.update(each.reasons)
        return {
            "import": self.mapping.import_id,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **asdict(total),
            "written": written["rows"],
            "readings": written["readings"],
            "objects": written["objects"],
            "bytes": written["bytes"],
            "hours": len(hours),
            "first_hour": hour_of(hours[0]).start.isoformat() if hours else None,
            "last_hour": hour_of(hours[-1]).start.isoformat() if hours else None,
            "reasons": dict(reasons.most_common()),
            "files": {began.files[file].uri: asdict(books) for file, books in sorted(per_file.items())},
        }


class _Gathered:
    """What has been mapped since the last run was written."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._clear()

    def add(
        self, file: int, mapper: RowMapper, batch: pa.RecordBatch, rows: pa.Array, strange: Sequence[Rejected]
    ) -> None:
        """Map a batch of a file; `strange` are rows of it that are none."""
        mapped = mapper.map(batch, rows)
        rejected = sorted([*mapped.rejected, *strange], key=lambda each: each.row)
        counts = FileBooks(len(rows) + len(strange), len(mapped.table), len(rejected), mapped.ignored)
        if counts.rows != counts.mapped + counts.rejected + counts.ignored:
            raise BooksError(f"of {counts.rows} rows {counts} became something")
        self.tables.append(mapped.table)
        self.size += counts.rows
        self.rejected += [(file, each) for each in rejected]
        self.notes.books.setdefault(file, FileBooks()).add(counts)
        for each in rejected:
            reason = f"{each.column}: {each.reason}"
            self.notes.reasons[reason] = self.notes.reasons.get(reason, 0) + 1
        last = [rows[-1].as_py()] if len(rows) else []
        self.notes.file, self.notes.row = file, max([*last, *(each.row for each in strange)], default=0)

    def next(self) -> None:
        """Begin the next run."""
        self.number += 1
        self._clear()

    def _clear(self) -> None:
        self.tables: list[pa.Table] = []
        self.size = 0
        self.rejected: list[tuple[int, Rejected]] = []
        self.notes = RunNotes(0, 0)


def oldest_kept(kept: Sequence[timedelta | None], now: datetime) -> datetime | None:
    """Before which moment retention removes what the zones keep for so long (None: for ever)."""
    shortest = min((each for each in kept if each is not None), default=None)
    return None if shortest is None else now - shortest


def _check(books: Mapping[str, Any], *, is_long: bool) -> None:
    """Raises BooksError unless everything that was mapped is written: of wide files a reading a row."""
    mapped, written, readings = books["mapped"], books["written"], books["readings"]
    if written != mapped or (not is_long and readings != mapped):
        raise BooksError(f"{mapped} rows were mapped; {written} are written, as {readings} readings")


def _all_but_some(sent: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(sent, return_when=FIRST_COMPLETED)
    for each in done:
        each.result()
    return left
