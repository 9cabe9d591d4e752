"""What is wrong with an hour of a table, in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.notes import Counts
from iot_pipeline.lake.objects import StoredObject

_JUDGE_AGAIN = "udge the arrival hour again (job judge_arrival_hours)"


@dataclass(frozen=True)
class Fault:
    """What is wrong with an hour of a table, and what to do about it."""

    hour: Hour
    table: str
    what: str
    remedy: str

    def __str__(self) -> str:
        """As people read it in a check."""
        return f"{self.table} {self.hour}: {self.what}. {self.remedy}"


def of_curated(hour: Hour, table: str, what: str) -> Fault:
    """A fault that building the event hour again mends."""
    return Fault(hour, table, what, f"Materialize the hour of {table} again")


def of_judged(hour: Hour, table: str, what: str) -> Fault:
    """A fault that judging the arrival hour again mends."""
    return Fault(hour, table, what, f"J{_JUDGE_AGAIN}")


def of_raw(hour: Hour, uris: Iterable[str], what: str, first: str) -> Fault:
    """A fault of raw objects: `first` is what to do or know before the arrival hour is judged again."""
    return Fault(hour, "raw_telemetry", f"{listed(sorted(uris))} {what}", f"{first} j{_JUDGE_AGAIN}")


def other_rows(location: str, built: str, held: str) -> str:
    """A location holds other rows than it should."""
    return f"{location} should hold {built} and holds {held}: objects were removed, added or replaced"


def listed(uris: Sequence[str]) -> str:
    """The first of some objects, and how many there are besides."""
    return f"{uris[0]} was" if len(uris) == 1 else f"{uris[0]} and {len(uris) - 1} more were"


def uris_of(objects: Iterable[StoredObject]) -> list[str]:
    """The URIs of objects, in order."""
    return sorted(it.uri for it in objects)


def counts(of: Counts) -> str:
    """The counts of an event hour."""
    return f"{of.rows} rows with {of.duplicates} duplicates and {of.conflicts} conflicts"


def outcomes(of: Mapping[str, int]) -> str:
    """Rows by outcome."""
    by_outcome = ", ".join(f"{count} {outcome}" for outcome, count in sorted(of.items()))
    return f"{sum(of.values())} rows" + (f" ({by_outcome})" if by_outcome else "")
