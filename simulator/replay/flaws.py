"""What can be wrong with a CSV file, and how it is told: which line, which column, what was expected, what to do."""

from dataclasses import dataclass
from enum import StrEnum

_SHOWN_CHARACTERS = 60


class Flaw(StrEnum):
    """Why a row cannot be read, as the counts name it."""

    BYTES = "bytes that are no text"
    FIELDS = "another number of fields"
    TIME = "no readable time"
    NUMBER = "no readable number"
    NO_VALUE = "no value"


class CsvError(ValueError):
    """The file, or an option for it, is refused; nothing was sent. The text says where, why and what to do."""


class CellError(ValueError):
    """A cell that cannot be read. The text says what was expected and what to do, not where the cell is."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read: the line it begins on (from 1), why, and the whole message."""

    line: int
    flaw: Flaw
    text: str


def shown(text: str) -> str:
    """A cell's text in quotes, control characters escaped, cut to a length that a line of output bears."""
    return repr(text) if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]!r}... ({len(text)} characters)"
