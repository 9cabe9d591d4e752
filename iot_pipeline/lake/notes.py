"""What a build notes about a partition, kept as the parameters of its Glue partition."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

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

    @property
    def readings(self) -> int:
        """The valid readings that they account for."""
        return self.rows + self.duplicates + self.conflicts


@dataclass(frozen=True)
class BuildNotes:
    """When a partition was built and, of an event hour, what it holds.

    `content` is its content id: two builds with the same one hold the same rows, wherever they lie. `counts` are those
    that were audited against the ledger.
    """

    built_at: datetime
    content: str | None = None
    counts: Counts | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """As a Glue partition keeps them."""
        noted = {"built_at": self.built_at.astimezone(UTC).isoformat(timespec="seconds")}
        if self.content is not None:
            noted["content"] = self.content
        if self.counts is not None:
            noted |= {name: str(count) for name, count in asdict(self.counts).items()}
        return noted

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Self | None:
        """From a partition's parameters; None if no build noted anything there."""
        if "built_at" not in parameters:
            return None
        counted = [parameters.get(name) for name in ("rows", "duplicates", "conflicts")]
        return cls(
            built_at=datetime.fromisoformat(parameters["built_at"]).astimezone(UTC),
            content=parameters.get("content", parameters.get(_FORMER_CONTENT)),
            counts=None if None in counted else Counts.of(counted),
        )


def content_id(marks: Iterable[str]) -> str:
    """The content id that follows from these marks, in whatever order: one for each arrival hour that contributes."""
    return hashlib.sha256("\n".join(sorted(marks)).encode()).hexdigest()[:16]
