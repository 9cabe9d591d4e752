"""A statement's rows as the Data API gives them: typed fields, or CSV, in pages; and what their columns are.

API reference, "Field" and "ColumnMetadata". Integers are `longValue`, floats `doubleValue`, booleans `booleanValue`;
all else, DECIMAL and times among it, is text as Redshift writes it. VARBYTE is text in hexadecimal digits, as Redshift
shows it to clients (database developer guide, "VARBYTE type").
"""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.pq.abc import PGresult

# "Considerations when calling the Amazon Redshift Data API" and "Troubleshooting issues for Amazon Redshift Data API",
# same guide: 500 MB after gzip (100 MB before 2024), and 64 KB a row.
MOST_BYTES = 500 * 1024 * 1024
MOST_ROW_BYTES = 64 * 1024
PAGE_BYTES = 1024 * 1024

_LONG = {20: "int8", 21: "int2", 23: "int4", 26: "oid"}
_DOUBLE = {700: "float4", 701: "float8"}
_BOOL = {16: "bool"}
_TEXT = {25: "varchar", 1043: "varchar", 705: "varchar", 1042: "bpchar", 19: "name", 18: "char", 17: "varbyte"}
_OTHER = {1700: "numeric", 1082: "date", 1083: "time", 1266: "timetz", 1114: "timestamp", 1184: "timestamptz"}
_OTHER |= {4000: "super", 3802: "super", 1186: "interval"}
_NAMES = _LONG | _DOUBLE | _BOOL | _TEXT | _OTHER
_SIGNED = {*_LONG, *_DOUBLE, 1700} - {26}
_PRECISIONS = {20: 19, 21: 5, 23: 10, 26: 10, 700: 8, 701: 17, 16: 1, 1082: 13, 1114: 29, 1184: 35, 1083: 15, 1266: 21}
_BYTEA, _NUMERIC, _VARIABLE = 17, 1700, (1042, 1043)


class ResultTooLargeError(Exception):
    """More than the Data API gives; the message is AWS's."""


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result, by its PostgreSQL type."""

    name: str
    oid: int
    modifier: int

    @property
    def type_name(self) -> str:
        """Redshift's name of the type; a type without one here is text."""
        return _NAMES.get(self.oid, "varchar")

    def metadata(self) -> dict[str, Any]:
        """Its ColumnMetadata."""
        precision, scale = self._size()
        return {
            "isCaseSensitive": self.oid in _TEXT,
            "isCurrency": False,
            "isSigned": self.oid in _SIGNED,
            "label": self.name,
            "length": 0,
            "name": self.name,
            "nullable": 1,
            "precision": precision,
            "scale": scale,
            "schemaName": "",
            "tableName": "",
            "typeName": self.type_name,
        }

    def _size(self) -> tuple[int, int]:
        """(precision, scale); 0 where nothing is declared."""
        if self.oid == _NUMERIC and self.modifier >= 4:
            return (self.modifier - 4) >> 16, (self.modifier - 4) & 0x7FF
        if self.oid in _VARIABLE and self.modifier >= 4:
            return self.modifier - 4, 0
        return _PRECISIONS.get(self.oid, 0), 0

    def field(self, value: bytes | None) -> dict[str, Any]:
        """A value of it, given as PostgreSQL writes it."""
        if value is None:
            return {"isNull": True}
        text = value.decode()
        if self.oid in _LONG:
            return {"longValue": int(text)}
        if self.oid in _DOUBLE:
            return {"doubleValue": _double(text)}
        if self.oid in _BOOL:
            return {"booleanValue": text == "t"}
        return {"stringValue": text.removeprefix("\\x") if self.oid == _BYTEA else text}


def _double(text: str) -> float | str:
    """JSON has no NaN and no infinities; the JSON protocol of AWS writes them as texts."""
    number = float(text)
    return number if number - number == 0 else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(number)]


def columns_of(result: PGresult) -> list[ResultColumn]:
    """The columns of a result of psycopg's."""
    return [
        ResultColumn((result.fname(n) or b"").decode(), result.ftype(n), result.fmod(n)) for n in range(result.nfields)
    ]


@dataclass
class Result:
    """Rows, as they come, cut into gzipped pages of about a megabyte."""

    columns: Sequence[ResultColumn]
    csv: bool
    rows: int = 0
    size: int = 0
    gzipped: int = 0
    _pages: list[bytes] = field(default_factory=list)
    _page: list[list[dict[str, Any]]] = field(default_factory=list)
    _page_bytes: int = 0

    def add(self, values: Sequence[bytes | None]) -> None:
        """Add a row. Raises ResultTooLargeError."""
        length = sum(len(value) for value in values if value is not None)
        if length > MOST_ROW_BYTES:
            raise ResultTooLargeError("ERROR: Packet for query is too large: a row of more than 64 KB.")
        fields = [column.field(value) for column, value in zip(self.columns, values, strict=True)]
        self._page.append(fields)
        self.rows += 1
        self.size += length
        self._page_bytes += length + 16 * len(fields)
        if self._page_bytes >= PAGE_BYTES:
            self._cut()

    def end(self) -> None:
        """No more rows. Raises ResultTooLargeError."""
        if self._page or not self._pages:
            self._cut()

    def _cut(self) -> None:
        text = _csv(self.columns, self._page) if self.csv else json.dumps(self._page)
        self._pages.append(gzip.compress(text.encode(), 1))
        self.gzipped += len(self._pages[-1])
        self._page, self._page_bytes = [], 0
        if self.gzipped > MOST_BYTES:
            raise ResultTooLargeError("ERROR: Database response exceeded size limit of 500 MB.")

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def page(self, number: int) -> str:
        """The page's rows, as JSON or CSV."""
        return gzip.decompress(self._pages[number]).decode()


def _csv(columns: Sequence[ResultColumn], rows: Sequence[Sequence[dict[str, Any]]]) -> str:
    """With a heading; values with commas, quotes or line ends are quoted, NULL is nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for fields in rows:
        writer.writerow([_plain(found) for found in fields])
    return out.getvalue()


def _plain(found: dict[str, Any]) -> Any:
    ((kind, value),) = found.items()
    if kind == "isNull":
        return None
    return str(value).lower() if kind == "booleanValue" else value
