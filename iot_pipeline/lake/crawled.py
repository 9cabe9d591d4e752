"""What a crawler found in a zone, held against the contract's table: where they differ, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iot_pipeline.contract import Table
from iot_pipeline.contract.tables import LINE, LINE_BASE64

_NESTED = frozenset({"array", "map", "struct", "union"})


@dataclass(frozen=True)
class Difference:
    """A column in which what was found is not what the contract says; empty: it is not there."""

    column: str
    contract: str
    found: str

    @property
    def what(self) -> str:
        """In words."""
        if not self.contract:
            return f"{self.column} ({self.found}) is unknown to the contract"
        if not self.found:
            return f"{self.column} ({self.contract}) was not found"
        return f"{self.column} is {self.found}, the contract says {self.contract}"


def of_files(found: Mapping[str, str], table: Table) -> list[Difference]:
    """Differences of files that we write ourselves: names and types of all columns are the contract's."""
    wanted = {column.name: column.type for column in table.columns}
    names = [*wanted, *sorted(found.keys() - wanted.keys())]
    pairs = [Difference(name, wanted.get(name, ""), found.get(name, "")) for name in names]
    return [each for each in pairs if each.contract.lower() != each.found.lower()]


def of_messages(found: Mapping[str, str], table: Table) -> list[Difference]:
    """Differences of what devices send: fields that the contract does not know, and fields of another form.

    A field that nobody sent is no difference, nor is a number in place of a text: the table takes every scalar as text.
    Names are compared without case, as the table's SerDe does.
    """
    # Of a raw zone in Parquet the crawler finds the line too, by both of its columns; a device's field would be one.
    columns = {column.name for column in (LINE, LINE_BASE64)}
    found = {name: kind for name, kind in found.items() if name not in columns} if columns <= found.keys() else found
    wanted = {column.name.lower(): column.type for column in table.columns}
    return [
        Difference(name, wanted.get(name.lower(), ""), kind)
        for name, kind in sorted(found.items())
        if name.lower() not in wanted or _form(wanted[name.lower()]) != _form(kind)
    ]


def _form(kind: str) -> str:
    """The form of a Hive type: `array`, `struct` and so on, or `scalar`."""
    name = kind.lower().partition("<")[0]
    return name if name in _NESTED else "scalar"


def told(differences: Sequence[Difference], shown: int = 5) -> str | None:
    """The differences in words; None if there is none."""
    more = f"; and {len(differences) - shown} more, see the table" if len(differences) > shown else ""
    return "; ".join(each.what for each in differences[:shown]) + more if differences else None
