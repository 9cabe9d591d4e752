"""The rows of a small CSV file that a person wrote, each by its column names, or an error that names its place."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.file_text import read_text

_BLANKS = " \t"


def read_rows(
    path: Path, required: Sequence[str], optional: Sequence[str]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names in a file's first line, and of each further line that is not blank its number, from 1, and its fields.

    Raises RegistryError for a first line without `required` columns, with others than those and `optional`, or with one
    twice; while the rows are read, for a quote that is out of order or never closed and for a field with a line break;
    and what `read_text` raises.
    """
    rows = _records(path, read_text(path))
    _, header = next(rows, (1, []))
    _check_header(path, header, required, optional)
    return header, ((line, fields) for line, fields in rows if fields)


def cells(header: list[str], fields: list[str]) -> dict[str, str]:
    """A row's fields by their columns, without the blanks around them. Raises RegistryError unless each has one."""
    if len(fields) == len(header):
        return {name: field.strip(_BLANKS) for name, field in zip(header, fields, strict=True)}
    count = f"{len(fields)} fields, expected {len(header)}"
    if len(fields) > len(header):
        raise RegistryError(f"it has more fields than the first line ({count}), quote a text with commas")
    raise RegistryError(f"{', '.join(header[len(fields) :])} is empty ({count}), add the commas")


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RegistryError(_disorder(path, line, text, str(error))) from None
        for number, field in enumerate(fields, 1):
            if "\n" in field or "\r" in field:
                where = f"{path}, line {line}, column {number}"
                raise RegistryError(
                    f"{where}: a quoted text runs on to line {reader.line_num}; expected it to end in its line, close "
                    "the quote"
                )
        yield line, fields


def _disorder(path: Path, line: int, text: str, error: str) -> str:
    begin = io.StringIO(text, newline="").readlines()[line - 1][: csv.field_size_limit() - 1]
    where = f"{path}, line {line}, column {len(next(csv.reader([begin])))}"
    if "field limit" in error:
        return f"{where}: a field of more than {csv.field_size_limit():,} characters; is a quote not closed?"
    if "end of data" in error:
        return f"{where}: a quote is opened and never closed; close it, or double it if it is of the text"
    return f"{where}: a quote is out of order ({error}); quote the whole field, and double the quotes in it"


def _check_header(path: Path, header: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    where = f"{path}, line 1"
    if missing := [column for column in required if column not in header]:
        separated = "; its fields are separated by semicolons, expected commas" if ";" in "".join(header) else ""
        raise RegistryError(
            f"{where}: column {', '.join(missing)} is missing; needed are {', '.join(required)}{separated}"
        )
    if unknown := [column for column in header if column not in (*required, *optional)]:
        names = ", ".join(column or "without a name" for column in unknown)
        raise RegistryError(f"{where}: unknown column {names}; there may be {', '.join(optional)}")
    for number, column in enumerate(header, 1):
        if column in header[: number - 1]:
            first = header.index(column) + 1
            raise RegistryError(f"{where}, column {number}: {column} is there already, as column {first}; keep one")
