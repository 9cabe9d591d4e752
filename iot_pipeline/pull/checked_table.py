"""A table of a TOML file, read field by field: each mistake is told with where it stands and what was expected."""

import re
from typing import Any

from iot_pipeline.pull.json_pointer import steps_of


class VendorFileError(ValueError):
    """A vendor's file is wrong: which file, table and field, what was found, what was expected."""


class CheckedTable:
    """A table of which every field has to be asked for: `done` refuses what nobody asked for."""

    def __init__(self, where: str, table: dict[str, Any]) -> None:
        self.where = where
        self._table = table
        self._asked: set[str] = set()

    def wrong(self, name: str, expected: str) -> VendorFileError:
        """The error for a field."""
        found = f"= {self._table[name]!r}" if name in self._table else "is missing"
        return VendorFileError(f"{self.where} {name} {found}: expected {expected}")

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self._table

    def text(self, name: str, pattern: str, expected: str, default: str | None = None) -> str:
        """A text that the pattern matches whole. Raises VendorFileError."""
        value = self._value(name, default)
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            raise self.wrong(name, expected)
        return value

    def choice(self, name: str, known: list[str]) -> str:
        """One of some texts. Raises VendorFileError."""
        value = self._value(name, None)
        if value not in known:
            raise self.wrong(name, f"one of {', '.join(known)}")
        return str(value)

    def number(self, name: str, least: float, most: float, default: float | None = None) -> float:
        """A number within bounds, both inclusive. Raises VendorFileError."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.wrong(name, f"a number from {least:g} to {most:g}")
        return float(value)

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds, both inclusive. Raises VendorFileError."""
        value = self._value(name, default)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(name, f"a whole number from {least} to {most}")
        return int(value)

    def pointer(self, name: str) -> tuple[str, ...]:
        """A JSON pointer. Raises VendorFileError."""
        value = self._value(name, None)
        expected = 'a JSON pointer, such as "/data/items", or "" for the whole document'
        if not isinstance(value, str):
            raise self.wrong(name, expected)
        try:
            return steps_of(value)
        except ValueError as error:
            raise self.wrong(name, expected) from error

    def optional_pointer(self, name: str) -> tuple[str, ...] | None:
        """A JSON pointer, None where there is no such field. Raises VendorFileError."""
        return self.pointer(name) if self.has(name) else None

    def moment(self, name: str) -> int:
        """A date and time with a zone, as epoch milliseconds UTC. Raises VendorFileError."""
        value = self._value(name, None)
        offset = getattr(value, "utcoffset", lambda: None)()
        if offset is None:
            raise self.wrong(name, "a date and time with a zone, such as 2026-01-01T00:00:00Z without quotation marks")
        epoch_ms: int = round(value.timestamp() * 1000)
        return epoch_ms

    def table(self, name: str) -> "CheckedTable":
        """A table within this one. Raises VendorFileError."""
        value = self._value(name, None)
        if not isinstance(value, dict):
            raise self.wrong(name, "a table")
        return CheckedTable(f"{self.where}.{name}", value)

    def tables(self) -> list[tuple[str, "CheckedTable"]]:
        """All that stands in this table, each a table within it. Raises VendorFileError."""
        return [(name, self.table(name)) for name in self._table]

    def texts(self, name: str) -> dict[str, str]:
        """A table of texts, empty where there is none. Raises VendorFileError."""
        value = self._value(name, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise self.wrong(name, "a table of texts")
        return dict(value)

    def done(self) -> None:
        """Refuse what was not asked for. Raises VendorFileError."""
        if unknown := sorted(self._table.keys() - self._asked):
            raise VendorFileError(
                f"{self.where}: there is no field {', '.join(unknown)}; there are {', '.join(sorted(self._asked))}"
            )

    def _value(self, name: str, default: Any) -> Any:
        self._asked.add(name)
        return self._table.get(name, default)
