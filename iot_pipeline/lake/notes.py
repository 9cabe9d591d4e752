"""What a build notes about a partition, kept as the parameters of its Glue partition."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from iot_pipeline.lake.hours import Hour

# The name under which releases before this one kept the content id.
_FORMER_CONTENT = "inputs"


@dataclass(frozen=True)
class Counts:
    """What an event hour holds: rows, and the duplicates and conflicts that were dropped for them."""

    rows: int = 0
    duplicates: int = 0
    conflicts: int = 0

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """From three numbers as SQL gives them; sums come as decimals."""
        rows, duplicates, conflicts = (int(value) for value in values)
        return cls(rows, duplicates, conflicts)

    def __add__(self, other: Self) -> "Counts":
        """Of both together, which share no key."""
        return Counts(self.rows + other.rows, self.duplicates + other.duplicates, self.conflicts + other.conflicts)

    @property
    def readings(self) -> int:
        """The valid readings that they account for."""
        return self.rows + self.duplicates + self.conflicts


def counts_by_hour(rows: Iterable[Sequence[Any]]) -> dict[Hour, Counts]:
    """From rows of year, month, day, hour, rows, duplicates, conflicts; what follows in a row is left out."""
    return {Hour.from_values(row[:4]): Counts.of(row[4:7]) for row in rows}


@dataclass(frozen=True)
class Mark:
    """The valid readings that one arrival hour has of one event hour: how many, and a checksum of where they stand.

    The checksum (hexadecimal) is over the raw objects they came in and the rules that judged them.
    """

    readings: int
    checksum: str

    def __str__(self) -> str:
        """As a content id is made of it, and as partitions note it."""
        return f"{self.readings} {self.checksum}"


Marks = Mapping[Hour, Mark]

# By arrival hour, the names of objects of its judged rows (`lake/additions.py`).
Read = Mapping[Hour, frozenset[str]]


@dataclass(frozen=True)
class BuildNotes:
    """When a partition was built and, of an event hour, what it holds.

    `content` is its content id: two builds with the same one hold the same rows, wherever they lie. `counts` are those
    that were audited against the ledger. `marks` say from which hours to which: a partition of the ledger, an arrival
    hour, has one for each event hour that it has valid readings of; a curated partition, an event hour, has one for
    each arrival hour that it was built from. `rules`, of the ledger, is a digest of those that the arrival hour was
    judged by. Both are None where a release before them built the partition.

    `stored` is how many objects and bytes the build left there; None where a release before it built the partition.
    `follows`, of judged rows, is the location of the version whose objects it took over, beside those of what arrived
    since.
    `judged`, of the ledger and of the quarantine, is the location of the judged rows that it was made from.
    `received`, of the quarantine, are the readings counted from the raw lines of the hour. `columns`, of an event hour,
    is a digest of the names and types of its columns; `read` is what it was built from, of the arrival hours that may
    have grown since.
    """

    built_at: datetime
    content: str | None = None
    counts: Counts | None = None
    marks: Marks | None = None
    rules: str | None = None
    stored: str | None = None
    follows: str | None = None
    judged: str | None = None
    received: int | None = None
    columns: str | None = None
    read: Read | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """As a Glue partition keeps them."""
        noted = {"built_at": self.built_at.astimezone(UTC).isoformat(timespec="seconds")}
        if self.content is not None:
            noted["content"] = self.content
        if self.counts is not None:
            noted |= {name: str(count) for name, count in asdict(self.counts).items()}
        if self.marks is not None:
            noted["marks"] = ",".join(f"{'-'.join(hour.values)} {mark}" for hour, mark in sorted(self.marks.items()))
        if self.read:
            noted["read"] = ",".join(
                f"{'-'.join(hour.values)} {'+'.join(sorted(names))}" for hour, names in sorted(self.read.items())
            )
        for name in ("rules", "stored", "follows", "judged", "received", "columns"):
            if (value := getattr(self, name)) is not None:
                noted[name] = str(value)
        return noted

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self | None:
        """From a partition's parameters; None if no build noted anything there that can be read.

        Anybody with Glue's permissions can write parameters. What is None counts as not built, and is built again.
        """
        try:
            built_at = datetime.fromisoformat(parameters["built_at"])
            counted = [parameters.get(name) for name in ("rows", "duplicates", "conflicts")]
            counts = None if None in counted else Counts.of(counted)
            marks = _marks(parameters["marks"]) if "marks" in parameters else None
            received = int(parameters["received"]) if "received" in parameters else None
            read = _read(parameters["read"]) if "read" in parameters else None
        except (KeyError, ValueError):
            return None
        if built_at.tzinfo is None:
            return None
        content = parameters.get("content", parameters.get(_FORMER_CONTENT))
        stored, follows, judged, columns = (parameters.get(name) for name in ("stored", "follows", "judged", "columns"))
        at, rules = built_at.astimezone(UTC), parameters.get("rules")
        return cls(at, content, counts, marks, rules, stored, follows, judged, received, columns, read)


def content_id(marks: Marks) -> str:
    """The content id that follows from the marks of the arrival hours that contribute."""
    texts = sorted(f"{arrival} {mark}" for arrival, mark in marks.items())
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _marks(text: str) -> Marks:
    """Raises ValueError for a text that no build noted."""
    found = {}
    for item in text.split(",") if text else ():
        hour, readings, checksum = item.split(" ")
        found[Hour.from_values(hour.split("-"))] = Mark(int(readings), checksum)
    return found


def _read(text: str) -> Read:
    """Raises ValueError for a text that no build noted."""
    found = {}
    for item in text.split(","):
        hour, names = item.split(" ")
        found[Hour.from_values(hour.split("-"))] = frozenset(names.split("+"))
    return found
