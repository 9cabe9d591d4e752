"""What a restore took and what it lost, against what is promised."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_WIDTH = 140
_HEADINGS = ("part", "restored from", "RTO s", "promised s", "rows before", "lost", "RPO s", "promised s", "kept")


@dataclass(frozen=True)
class Promise:
    """How long a restore may take, and how many seconds before the loss its data may end (docs/slo.md)."""

    rto_seconds: float
    rpo_seconds: float


# DynamoDB API reference, PointInTimeRecoveryDescription: the latest restorable time "is typically 5 minutes before the
# current time"; Aurora user guide, "Restoring a DB cluster to a specified time": within the last five minutes.
DATABASE = Promise(rto_seconds=3600, rpo_seconds=300)
# Rebuilt from the lake, which has not been lost: nothing may be missing.
REBUILT = Promise(rto_seconds=4 * 3600, rpo_seconds=0)
# What Firehose has not delivered yet is not in the raw zone: its buffer's interval.
LIVE_STATE = Promise(rto_seconds=3600, rpo_seconds=60)


@dataclass(frozen=True)
class Outcome:
    """One restore: of what, from what; rows before the loss and after the restore; seconds that the data ends early."""

    part: str
    source: str
    seconds: float
    rows_before: int
    rows_after: int
    seconds_lost: float
    promise: Promise
    wrong: Sequence[str] = field(default=())
    """What came back otherwise than it was, or did not though it should have."""

    @property
    def rows_lost(self) -> int:
        """Rows that did not come back."""
        return self.rows_before - self.rows_after

    @property
    def is_kept(self) -> bool:
        """Whether both promises are kept, and all that came back is right."""
        in_time = self.seconds <= self.promise.rto_seconds and self.seconds_lost <= self.promise.rpo_seconds
        return in_time and not self.wrong and (self.promise.rpo_seconds > 0 or self.rows_lost == 0)


class Stopwatch:
    """The seconds of a restore."""

    seconds = 0.0


@contextmanager
def timed() -> Iterator[Stopwatch]:
    """Measure a `with` block."""
    watch, began = Stopwatch(), monotonic()
    yield watch
    watch.seconds = monotonic() - began


def print_outcomes(outcomes: Sequence[Outcome], console: Console) -> None:
    """A row for each restore, and below it whatever is wrong."""
    table = Table(box=box.SIMPLE)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True)
    for each in outcomes:
        table.add_row(
            each.part,
            each.source,
            f"{each.seconds:.1f}",
            f"{each.promise.rto_seconds:.0f}",
            f"{each.rows_before:,}",
            f"{each.rows_lost:,}",
            f"{each.seconds_lost:.1f}",
            f"{each.promise.rpo_seconds:.0f}",
            "yes" if each.is_kept else "[bold red]NO[/]",
        )
    # Wider than a terminal may be: a figure that is cut off is none.
    Console(file=console.file, width=_WIDTH, highlight=False).print(table)
    for each in outcomes:
        for line in each.wrong:
            console.print(f"[bold red]{each.part}, {each.source}:[/] {escape(line)}", soft_wrap=True)
