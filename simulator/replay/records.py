"""The records of a CSV file, one after the other, with the lines they stand on. Memory does not grow with the file."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from simulator.replay.flaws import CellError, CsvError, shown

# Bounds what is held of a file without line ends, or with a quote that is never closed.
_MAX_CHARACTERS = 1_000_000
# What is around a cell's text and says nothing.
BLANKS = " \t"
_BREAK = re.compile(r"\r\n|\r|\n")
# A byte that the encoding does not know is read as one of these (PEP 383), so that its line and column can be named.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Syntax:
    """How records are written: Python's codec, the delimiter, the quote (None if there is none)."""

    encoding: str
    delimiter: str
    quote: str | None


@dataclass(frozen=True)
class Record:
    """The fields of one record, and the first and the last line it stands on, from 1.

    `is_plain` says that it is ASCII without NUL.
    """

    line: int
    last_line: int
    fields: list[str]
    is_plain: bool

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it."""
        return not any(field.strip(BLANKS) for field in self.fields)


class _Lines:
    """The lines of a file for `csv.reader`, which takes several where a quoted field holds line breaks."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path, self._file = path, file
        self.read = 0
        self.begin(1)

    def begin(self, line: int) -> None:
        """A record begins on this line."""
        self.line, self.first, self.is_plain, self._size = line, "", True, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        try:
            text = self._file.readline(_MAX_CHARACTERS + 1)
        except UnicodeDecodeError as error:
            # The error comes with a block of the file, of which what is before it is text.
            before = error.object[: error.start].decode(error.encoding, "replace")
            line = self.read + 1 + len(_BREAK.findall(before))
            raise CsvError(
                f"{self._path}, about line {line}: bytes that are no {error.encoding} ({error.reason}); give the right "
                "one by --encoding, or repair the file"
            ) from None
        if not text:
            raise StopIteration
        self.read += 1
        self.first = self.first or text
        self.is_plain = self.is_plain and text.isascii() and "\0" not in text
        self._size += len(text)
        if self._size > _MAX_CHARACTERS:
            raise CsvError(
                f"{self._path}, line {self.line}: a record of more than {_MAX_CHARACTERS:,} characters; expected lines "
                "that end, and quotes that are closed: is this a CSV file, and its --encoding right?"
            )
        return text


def records(path: Path, syntax: Syntax) -> Iterator[Record]:
    """The records of a file in its order, blank lines as records without fields.

    Raises CsvError where quotes are not in order, a field is longer than 131,072 characters or a record longer than a
    million: from there on nothing says where records begin. A byte that is not of the encoding and a NUL are no error
    here; see `check_characters`.
    """
    with path.open(encoding=syntax.encoding, errors="surrogateescape", newline="") as file:
        lines = _Lines(path, file)
        rows = csv.reader(
            lines,
            delimiter=syntax.delimiter,
            quotechar=syntax.quote,
            quoting=csv.QUOTE_MINIMAL if syntax.quote else csv.QUOTE_NONE,
            strict=True,
        )
        while True:
            try:
                fields = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise CsvError(_structure(path, lines, syntax, str(error))) from None
            yield Record(lines.line, lines.read, fields, lines.is_plain)
            lines.begin(lines.read + 1)


def _structure(path: Path, lines: _Lines, syntax: Syntax, error: str) -> str:
    where = f"{path}, line {lines.line}, column {_open_field(lines.first, syntax)}"
    if "field limit" in error:
        field = f"a field of more than {csv.field_size_limit():,} characters"
        return f"{where}: {field}; is a quote not closed, or the --delimiter wrong?"
    what = "a quote is opened and never closed" if "end of data" in error else f"a quote is out of order ({error})"
    return (
        f"{where}: {what}; what follows cannot be told apart. Close it or double it, or give --quote none if "
        "quotes are plain characters here"
    )


def _open_field(line: str, syntax: Syntax) -> int:
    """The number of the field, from 1, in which the reading of a line ended."""
    begin = line[: csv.field_size_limit() - 1]
    if syntax.quote is None:
        return begin.count(syntax.delimiter) + 1
    return len(next(csv.reader([begin], delimiter=syntax.delimiter, quotechar=syntax.quote)))


def check_characters(text: str) -> None:
    """Raise CellError for a cell with a NUL or with a byte that is not of the file's encoding."""
    if found := _ESCAPED_BYTE.search(text):
        raise CellError(
            f"byte 0x{ord(found[0]) - 0xDC00:02X} at character {found.start() + 1} is not of the encoding; give the "
            "right one, such as --encoding cp1252"
        )
    if "\0" in text:
        raise CellError(
            f"{shown(text)} has a NUL character; remove it, or give --encoding utf-16-le if the file is UTF-16"
        )


def broken_lines(record: Record) -> Iterator[tuple[int, list[str]]]:
    """For each field that holds line breaks: its index, and the lines in it."""
    for index, field in enumerate(record.fields):
        lines = _BREAK.split(field)
        if len(lines) > 1:
            yield index, lines
