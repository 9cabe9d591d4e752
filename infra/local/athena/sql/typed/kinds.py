"""Trino's types (Trino docs, "Data types"), and the rules by which two of them meet."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.sql.types import split_top

T = exp.DataType.Type
WIDEST = 38


@dataclass(frozen=True)
class Kind:
    """A type: its name, numbers such as precision, and the types in it with their field names (none for arrays)."""

    name: str
    numbers: tuple[int, ...] = ()
    parts: tuple["Kind | None", ...] = ()
    fields: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        inside = [str(part or "unknown") for part in self.parts]
        if self.name == "row":
            pairs = zip(self.fields, inside, strict=True)
            inside = [f"{field} {kind}" if field else kind for field, kind in pairs]
        if self.name == ZONED:
            return f"timestamp({self.numbers[0]}) with time zone"
        inside += [str(number) for number in self.numbers]
        return f"{self.name}({', '.join(inside)})" if inside else self.name

    @property
    def part(self) -> "Kind | None":
        """The items' type of an array."""
        return self.parts[0]


ZONED = "timestamp with time zone"
DAY_TIME, YEAR_MONTH = "interval day to second", "interval year to month"
BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT = (
    Kind(name) for name in ("boolean", "tinyint", "smallint", "integer", "bigint")
)
REAL, DOUBLE, VARCHAR, VARBINARY, JSON, DATE = (
    Kind(name) for name in ("real", "double", "varchar", "varbinary", "json", "date")
)
TIMESTAMP, INSTANT = Kind("timestamp", (3,)), Kind(ZONED, (3,))
UNKNOWN = Kind("unknown")
"""The type of NULL."""

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "decimal", "real", "double")
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_SIMPLE = {
    T.BOOLEAN: BOOLEAN, T.TINYINT: TINYINT, T.SMALLINT: SMALLINT, T.INT: INTEGER, T.BIGINT: BIGINT, T.FLOAT: REAL,
    T.DOUBLE: DOUBLE, T.VARBINARY: VARBINARY, T.JSON: JSON, T.DATE: DATE,
}  # fmt: skip
_HIVE = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary"}
_DUCKDB = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT",
    "real": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR", "varbinary": "BLOB", "json": "JSON", "date": "DATE",
    "timestamp": "TIMESTAMP", ZONED: "TIMESTAMPTZ", DAY_TIME: "INTERVAL", YEAR_MONTH: "INTERVAL",
}  # fmt: skip


def decimal(precision: int, scale: int) -> Kind:
    """DECIMAL(precision, scale), no wider than Trino's widest."""
    return Kind("decimal", (min(precision, WIDEST), scale))


def array(item: Kind | None) -> Kind:
    """ARRAY(item)."""
    return Kind("array", (), (item,), (None,))


def mapping(key: Kind | None, value: Kind | None) -> Kind:
    """MAP(key, value)."""
    return Kind("map", (), (key, value), (None, None))


def row(fields: Iterable[tuple[str | None, Kind | None]]) -> Kind:
    """ROW of named or unnamed fields."""
    pairs = list(fields)
    return Kind("row", (), tuple(kind for _, kind in pairs), tuple(name.lower() if name else None for name, _ in pairs))


def of_type(kind: exp.DataType | None) -> Kind | None:
    """The Kind that a type in a statement means; None for those that this server does not have."""
    if kind is None:
        return None
    inner = kind.expressions
    if isinstance(kind.this, exp.Interval):
        span = kind.this.sql(dialect="trino").upper()
        return Kind(DAY_TIME if "DAY" in span else YEAR_MONTH)
    if kind.this in _SIMPLE:
        return _SIMPLE[kind.this]
    if kind.this in {T.VARCHAR, T.TEXT}:
        return VARCHAR
    if kind.this == T.CHAR:
        return Kind("char", (int(inner[0].name) if inner else 1,))
    if kind.this == T.DECIMAL:
        numbers = [int(number.name) for number in inner] or [WIDEST]
        return Kind("decimal", (numbers[0], numbers[1] if len(numbers) > 1 else 0))
    if kind.this in {T.TIMESTAMP, T.TIMESTAMPTZ}:
        return Kind(ZONED if kind.this == T.TIMESTAMPTZ else "timestamp", (int(inner[0].name) if inner else 3,))
    if kind.this == T.ARRAY:
        return array(of_type(inner[0]))
    if kind.this == T.MAP:
        return mapping(of_type(inner[0]), of_type(inner[1]))
    if kind.this == T.STRUCT:
        return row((f.name, of_type(f.kind)) if isinstance(f, exp.ColumnDef) else (None, of_type(f)) for f in inner)
    return None


def of_hive(hive: str) -> Kind | None:
    """The Kind of a Glue column's type; None when it is not known."""
    text = hive.strip().lower()
    base, _, rest = text.partition("<")
    if rest:
        inner = list(split_top(rest.rstrip()[:-1]))
        if base == "array":
            return array(of_hive(inner[0]))
        if base == "map":
            return mapping(of_hive(inner[0]), of_hive(inner[1]))
        pairs = (field.partition(":") for field in inner)
        return row((name.strip(" `"), of_hive(kind)) for name, _, kind in pairs) if base == "struct" else None
    name, _, arguments = text.partition("(")
    name = _HIVE.get(name.strip(), name.strip())
    if name == "decimal":
        numbers = [int(n) for n in re.findall(r"\d+", arguments)] or [10, 0]
        return Kind("decimal", (numbers[0], numbers[1] if len(numbers) > 1 else 0))
    if name == "timestamp":
        return TIMESTAMP
    return Kind("varchar" if name == "char" else name) if name in _DUCKDB or name == "char" else None


def duckdb_text(kind: Kind) -> str:
    """DuckDB's text of the type; UnsupportedError for one that it cannot hold exactly."""
    if kind.name == "decimal":
        return f"DECIMAL({kind.numbers[0]}, {kind.numbers[1]})"
    if None in kind.parts:
        raise UnsupportedError(f"type {kind} with a part of unknown type (CAST the part)")
    parts = [duckdb_text(part) for part in kind.parts if part]
    if kind.name == "array":
        return parts[0] + "[]"
    if kind.name == "map":
        return f"MAP({', '.join(parts)})"
    if kind.name == "row":
        names = [name or f"field{at}" for at, name in enumerate(kind.fields)]
        return "STRUCT(" + ", ".join(f'"{n}" {p}' for n, p in zip(names, parts, strict=True)) + ")"
    if kind.name in {"timestamp", ZONED} and kind.numbers[0] > 6:
        raise UnsupportedError(f"{kind}: this server keeps microseconds; write {kind.name.split()[0]}(6)")
    if kind.name not in _DUCKDB:
        raise UnsupportedError(f"type {kind}")
    return _DUCKDB[kind.name]


def as_decimal(kind: Kind) -> Kind:
    """The DECIMAL that holds an integer type's values; a DECIMAL itself."""
    return kind if kind.name == "decimal" else decimal(_DIGITS[kind.name], 0)


def common(kinds: Iterable[Kind | None]) -> Kind | None:
    """The type to which all can be coerced (Trino docs, "Conversion functions"); None when it is not known."""
    found: Kind | None = UNKNOWN
    for kind in kinds:
        if found is None or kind is None:
            return None
        found = _meet(found, kind)
    return found


def _meet(a: Kind, b: Kind) -> Kind | None:
    if a == b or b == UNKNOWN:
        return a
    if a == UNKNOWN:
        return b
    if a.name in NUMBERS and b.name in NUMBERS:
        return _number(a, b)
    if a.name == b.name and a.name in {"timestamp", ZONED}:
        return Kind(a.name, (max(a.numbers[0], b.numbers[0]),))
    order = ("date", "timestamp", ZONED)
    if a.name in order and b.name in order:
        wider = max(a, b, key=lambda kind: order.index(kind.name))
        numbers = [kind.numbers[0] for kind in (a, b) if kind.numbers]
        return Kind(wider.name, (max(numbers),))
    if a.name == b.name and len(a.parts) == len(b.parts) and a.parts:
        parts = tuple(_meet(x, y) if x and y else None for x, y in zip(a.parts, b.parts, strict=True))
        names = tuple(x if x == y else None for x, y in zip(a.fields, b.fields, strict=True))
        return Kind(a.name, (), parts, names)
    return None


def _number(a: Kind, b: Kind) -> Kind:
    names = (a.name, b.name)
    if "double" in names:
        return DOUBLE
    if "real" in names:
        return REAL
    if "decimal" not in names:
        return max(a, b, key=lambda kind: INTEGERS.index(kind.name))
    (p, s), (q, t) = as_decimal(a).numbers, as_decimal(b).numbers
    scale = max(s, t)
    return decimal(max(p - s, q - t) + scale, scale)


def result_of(operator: str, a: Kind, b: Kind) -> Kind | None:
    """The type of an arithmetic result (Trino docs, "Decimal functions and operators"); None when it is not known."""
    if UNKNOWN in (a, b):
        return b if a == UNKNOWN else a
    if a.name in NUMBERS and b.name in NUMBERS:
        met = _number(a, b)
        return _decimal_result(operator, as_decimal(a), as_decimal(b)) if met.name == "decimal" else met
    return _moment(operator, a, b)


def _decimal_result(operator: str, a: Kind, b: Kind) -> Kind:
    (p, s), (q, t) = a.numbers, b.numbers
    if operator in "+-":
        scale = max(s, t)
        return decimal(max(p - s, q - t) + scale + 1, scale)
    if operator == "*":
        return decimal(p + q, s + t)
    if operator == "/":
        return decimal(p + t + max(t - s, 0), max(s, t))
    scale = max(s, t)
    return decimal(min(p - s, q - t) + scale, scale)


def _moment(operator: str, a: Kind, b: Kind) -> Kind | None:
    """Dates, timestamps and intervals (Trino docs, "Date and time functions and operators")."""
    intervals = (DAY_TIME, YEAR_MONTH)
    moments = ("date", "timestamp", ZONED)
    if operator in "+-" and a.name in moments and b.name in intervals:
        return _moved(a, b)
    if operator == "+" and b.name in moments and a.name in intervals:
        return _moved(b, a)
    if operator in "+-" and a == b and a.name in intervals:
        return a
    if operator == "-" and a.name in moments and b.name in moments:
        return Kind(DAY_TIME)
    if operator in "*/" and a.name in intervals and b.name in (*INTEGERS, "double"):
        return a
    if operator == "*" and b.name in intervals and a.name in (*INTEGERS, "double"):
        return b
    return None


def _moved(moment: Kind, interval: Kind) -> Kind:
    """A moment moved by an interval, which has milliseconds where it is of days and less."""
    exact = interval.name == DAY_TIME and moment.numbers
    return Kind(moment.name, (max(moment.numbers[0], 3),)) if exact else moment


def record(value: Any) -> Kind | None:
    """The Kind noted at a node of a statement, if any."""
    found = value.meta.get("kind") if isinstance(value, exp.Expr) else None
    return found if isinstance(found, Kind) else None


def unambiguous(kind: Kind | None) -> Kind | None:
    """The type of a column, also where its name comes twice."""
    while kind and kind.name == "ambiguous":
        kind = kind.parts[0]
    return kind


def is_orderable(kind: Kind) -> bool:
    """Whether values of the type have an order, which those of JSON and maps have not."""
    return kind.name not in {"json", "map"} and all(part is None or is_orderable(part) for part in kind.parts)


def is_partly_known(kind: Kind | None) -> bool:
    """Whether a type, or one within it, is not known."""
    return kind is None or any(is_partly_known(part) for part in kind.parts)
