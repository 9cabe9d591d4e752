"""A mapping: how the columns of someone's files become the readings of the contract. A TOML file; docs/bulk-import.md.

Nothing is guessed: each metric says its unit, a time without a zone needs one, and each column is mapped or ignored.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FORMATS = ("iso8601", "epoch_s", "epoch_ms")


class MappingError(ValueError):
    """A mapping that cannot be used; the text names the key, what was expected, and what stands there."""


@dataclass(frozen=True)
class Text:
    """A text of each row: a constant, or what a column holds. Exactly one of both is set."""

    constant: str | None = None
    column: str | None = None


@dataclass(frozen=True)
class EventTime:
    """Where the time of a reading stands. `format`: one of FORMATS or a pattern of strptime (None: a Parquet time).

    `zone` is IANA's name of the zone of times that say none. `ambiguous`: what becomes of a local time that a change
    of the clocks brings twice.
    """

    column: str
    format: str | None
    zone: str | None
    ambiguous: Literal["reject", "earlier", "later"]


@dataclass(frozen=True)
class MetricSource:
    """Where a metric's values stand: a column (wide), or the rows with a name (long). `unit` is the contract's symbol,
    `is_canonical` whether it is the metric's own.
    """

    metric: str
    source: str
    unit: str
    is_canonical: bool


@dataclass(frozen=True)
class LongForm:
    """A row a value: the columns of its metric's name and of the value; names whose rows are left out, counted."""

    name: str
    value: str
    ignored: frozenset[str]


# Of the names of columns an error shows so many, and so many characters of each.
_SHOWN, _LONG = 50, 100


@dataclass(frozen=True)
class Csv:
    """How CSV files are written. `header` names the columns where the files do not."""

    delimiter: str
    quote: str
    decimal: str
    encoding: str
    skip_lines: int
    header: tuple[str, ...] | None


@dataclass(frozen=True)
class ImportMapping:
    """A mapping that was checked against the contract. `tenant` and `site` are None where the registry says them.

    `digest` is the SHA-256 of the file: an import that goes on must be by the same one.
    """

    import_id: str
    device: Text
    tenant: Text | None
    site: Text | None
    time: EventTime
    seq: str | None
    metrics: tuple[MetricSource, ...]
    location: tuple[str, str] | None
    long: LongForm | None
    csv: Csv
    nulls: frozenset[str]
    ignored: frozenset[str]
    digest: str

    @property
    def columns(self) -> list[str]:
        """The columns that are read, each once."""
        texts = [text.column for text in (self.device, self.tenant, self.site) if text]
        values = [self.long.name, self.long.value] if self.long else [metric.source for metric in self.metrics]
        found = [*texts, self.time.column, self.seq, *values, *(self.location or ())]
        return list(dict.fromkeys(name for name in found if name is not None))

    def check_columns(self, columns: Sequence[str], where: str) -> None:
        """Raises MappingError unless a file has each column that is read, once, and no other that is not ignored."""
        counted, known = Counter(columns), {*self.columns, *self.ignored}
        if twice := sorted(name for name, count in counted.items() if count > 1):
            raise MappingError(f"{where}: column {listed(twice)} is there twice; expected each once, rename one")
        if missing := [name for name in self.columns if name not in counted]:
            raise MappingError(f"{where}: no column {listed(missing)}; there are {listed(columns)}")
        if unknown := [name for name in columns if name not in known]:
            raise MappingError(
                f"{where}: column {listed(unknown)} is neither mapped nor ignored; map it, or name it under `ignore`"
            )


def listed(names: Sequence[str]) -> str:
    """Names as an error shows them: of many the first, of long ones their beginnings."""
    shown = ", ".join(repr(name if len(name) <= _LONG else f"{name[:_LONG]}...") for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else shown
