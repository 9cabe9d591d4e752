"""Types: Glue's Hive text <-> DuckDB, and the names Athena gives result columns."""

from collections.abc import Iterator
from itertools import accumulate

from duckdb.sqltypes import DuckDBPyType

from infra.local.athena.errors import QueryError

DEEPEST = 100
_SCALARS = {
    "string": "VARCHAR",
    "char": "VARCHAR",
    "varchar": "VARCHAR",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "binary": "BLOB",
}
_TO_HIVE = {
    "varchar": "string",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "integer": "int",
    "uinteger": "bigint",
    "bigint": "bigint",
    "ubigint": "bigint",
    "hugeint": "bigint",  # sum(bigint) is bigint in Trino
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp_ms": "timestamp",
    "blob": "binary",
}
_ATHENA = {
    **{hive: hive for hive in ("tinyint", "smallint", "bigint", "float", "double", "boolean", "date", "timestamp")},
    "string": "varchar",
    "int": "integer",
    "binary": "varbinary",
}


def quote(name: str) -> str:
    """A DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def split_top(text: str, separator: str = ",") -> Iterator[str]:
    """The parts of `text` between separators outside brackets and quotes."""
    depth, start, quoted = 0, 0, ""
    for position, char in enumerate(text):
        if quoted:
            quoted = "" if char == quoted else quoted
        elif char in "'\"`":
            quoted = char
        elif char in "(<[":
            depth += 1
        elif char in ")>]":
            depth -= 1
        elif char == separator and depth == 0:
            yield text[start:position].strip()
            start = position + 1
    if text[start:].strip():
        yield text[start:].strip()


def hive_to_duckdb(hive: str) -> str:
    """DuckDB type text of a Hive type (AWS Athena user guide, "Data types in Amazon Athena")."""
    # Each level's text is read anew: without a limit, a long text of brackets alone takes minutes.
    if max(accumulate((char == "<") - (char == ">") for char in hive), default=0) > DEEPEST:
        raise QueryError(f"HIVE_INVALID_METADATA: a type is nested in more than {DEEPEST} others")
    return _duckdb_type(hive)


def _duckdb_type(hive: str) -> str:
    text = hive.strip().lower()
    base, _, rest = text.partition("<")
    if rest:
        inner = list(split_top(rest.rstrip()[:-1]))
        if base.strip() == "array":
            return _duckdb_type(inner[0]) + "[]"
        if base.strip() == "map":
            return f"MAP({_duckdb_type(inner[0])}, {_duckdb_type(inner[1])})"
        if base.strip() == "struct":
            parts = (field.partition(":") for field in inner)
            fields = [quote(name.strip(" `")) + " " + _duckdb_type(kind) for name, _, kind in parts]
            return f"STRUCT({', '.join(fields)})"
    name, _, arguments = text.partition("(")
    if name.strip() == "decimal":
        return f"DECIMAL({arguments.rstrip(')') or '10,0'})"
    if name.strip() in _SCALARS:
        return _SCALARS[name.strip()]
    raise QueryError(f"HIVE_INVALID_METADATA: type '{hive}' is not a Hive type")


def children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """(name, type) of the parts of a list, map or struct."""
    return [(name, part) for name, part in kind.children if isinstance(part, DuckDBPyType)]


def duckdb_to_hive(kind: DuckDBPyType) -> str:
    """Hive type text for a written column; QueryError for what Athena's Hive tables cannot hold."""
    name = str(kind)
    if name == "JSON":
        raise QueryError("NOT_SUPPORTED: Unsupported Hive type: json")
    if kind.id == "list":
        return f"array<{duckdb_to_hive(children(kind)[0][1])}>"
    if kind.id == "map":
        key, value = children(kind)
        return f"map<{duckdb_to_hive(key[1])},{duckdb_to_hive(value[1])}>"
    if kind.id == "struct":
        return f"struct<{','.join(f'{n.lower()}:{duckdb_to_hive(t)}' for n, t in children(kind))}>"
    if kind.id == "decimal":
        return name.lower().replace(" ", "")
    if kind.id == "timestamp with time zone":
        raise QueryError("NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone")
    if kind.id not in _TO_HIVE:
        raise QueryError(f"NOT_SUPPORTED: Unsupported Hive type: {name.lower()}")
    return _TO_HIVE[kind.id]


def writable(kind: DuckDBPyType) -> str:
    """DuckDB type in which a column of this type is written: timestamps in milliseconds, sums as bigint."""
    if kind.id == "list":
        return writable(children(kind)[0][1]) + "[]"
    if kind.id == "map":
        return f"MAP({writable(children(kind)[0][1])}, {writable(children(kind)[1][1])})"
    if kind.id == "struct":
        return f"STRUCT({', '.join(f'{quote(n)} {writable(t)}' for n, t in children(kind))})"
    if kind.id == "timestamp":
        return "TIMESTAMP_MS"
    return "BIGINT" if kind.id in {"hugeint", "ubigint", "uinteger"} else str(kind)


def athena_name(kind: DuckDBPyType) -> str:
    """Type name in ResultSetMetadata."""
    if kind.id in {"list", "map", "struct"}:
        return {"list": "array", "map": "map", "struct": "row"}[kind.id]
    if kind.id == "timestamp with time zone":
        return "timestamp with time zone"
    if str(kind) == "JSON":
        return "json"
    if kind.id in {"decimal", "interval", "time"}:
        return {"decimal": "decimal", "interval": "interval day to second", "time": "time"}[kind.id]
    hive = _TO_HIVE.get(kind.id)
    return _ATHENA.get(hive or "", "unknown" if hive is None else "varchar")
