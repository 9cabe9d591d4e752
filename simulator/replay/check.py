"""A pass over a whole CSV file before anything is sent: what it holds, and what of it cannot be read, by reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simulator.replay.flaws import BadRow, CsvError, Flaw
from simulator.replay.form import CsvForm
from simulator.replay.readings import CsvReading, NoReading, canonical, rows

_SHOWN_READINGS = 5
_SHOWN_LINES = 5


@dataclass
class Tally:
    """How many rows, and the lines of the first few."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count a row that begins on this line."""
        self.count += 1
        if len(self.lines) < _SHOWN_LINES:
            self.lines.append(line)

    def __str__(self) -> str:
        """`3 (lines 2, 5, 9)`."""
        more = ", ..." if self.count > len(self.lines) else ""
        return f"{self.count:,} ({'lines' if self.count > 1 else 'line'} {', '.join(map(str, self.lines))}{more})"


@dataclass
class Check:
    """What a file holds. Times are epoch milliseconds UTC; `first` are the first readings, `errors` the first error
    of each kind.

    `out_of_range` counts readings by the metric whose value the contract does not bear: they are sent, and expected in
    quarantine. `finer` are readings whose time was rounded to a millisecond.
    """

    fingerprint: tuple[int, ...]
    readings: int = 0
    earliest_ms: int = 0
    latest_ms: int = 0
    first: list[CsvReading] = field(default_factory=list)
    bad: dict[Flaw, Tally] = field(default_factory=dict)
    errors: dict[Flaw, str] = field(default_factory=dict)
    blank: Tally = field(default_factory=Tally)
    without_value: Tally = field(default_factory=Tally)
    finer: Tally = field(default_factory=Tally)
    out_of_range: dict[str, Tally] = field(default_factory=dict)

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be read."""
        return sum(tally.count for tally in self.bad.values())

    def refuse_bad_rows(self, path: Path) -> None:
        """Raise CsvError, with the first errors, if a row cannot be read."""
        if self.bad_rows:
            reasons = "; ".join(f"{flaw}: {tally}" for flaw, tally in self.bad.items())
            raise CsvError(
                f"{path}: {self.bad_rows:,} of its rows cannot be read ({reasons}); correct them, or leave them out by "
                f"--skip-bad-rows. First: {' | '.join(self.errors.values())}"
            )


def fingerprint(path: Path) -> tuple[int, ...]:
    """What tells that a file was changed: where it is on the disk, its size, when it was written."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def check(form: CsvForm) -> Check:
    """Read a file through. Raises CsvError as `rows`, and if it has no row with a reading."""
    found = Check(fingerprint(form.path))
    for row in rows(form):
        if isinstance(row, BadRow):
            found.bad.setdefault(row.flaw, Tally()).add(row.line)
            found.errors.setdefault(row.flaw, row.text)
        elif isinstance(row, NoReading):
            (found.blank if row.is_blank else found.without_value).add(row.line)
        else:
            _add(found, form, row)
    if not found.readings:
        found.refuse_bad_rows(form.path)
        raise CsvError(f"{form.path} has no row with a reading; expected at least one")
    return found


def _add(found: Check, form: CsvForm, reading: CsvReading) -> None:
    if not found.readings:
        found.earliest_ms = found.latest_ms = reading.ts_ms
    found.readings += 1
    found.earliest_ms, found.latest_ms = min(found.earliest_ms, reading.ts_ms), max(found.latest_ms, reading.ts_ms)
    if len(found.first) < _SHOWN_READINGS:
        found.first.append(reading)
    if reading.was_finer:
        found.finer.add(reading.line)
    values = canonical(form.mapped, reading)
    for item in form.mapped:
        value = values.get(item.metric.name)
        if value is not None and not item.metric.minimum <= value <= item.metric.maximum:
            found.out_of_range.setdefault(item.metric.name, Tally()).add(reading.line)


def readings(form: CsvForm, checked: Check) -> Iterator[CsvReading]:
    """The readings of a file that was checked. Raises CsvError if it was changed since then."""
    changed = CsvError(
        f"{form.path} was changed while it was replayed; what was sent until then is in the manifest (python -m "
        "simulator summary): replay the file into another --out"
    )
    count = 0
    if fingerprint(form.path) != checked.fingerprint:
        raise changed
    for row in rows(form):
        if isinstance(row, CsvReading):
            count += 1
            yield row
    if count != checked.readings or fingerprint(form.path) != checked.fingerprint:
        raise changed
