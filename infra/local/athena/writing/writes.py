"""Statements that write: CREATE TABLE AS, INSERT INTO, UNLOAD.

DuckDB writes to local files, which are then uploaded through S3; only after the last upload does Glue learn of them.
A statement that fails or is cancelled before that removes what it uploaded.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.queries.execution import Execution
from infra.local.athena.reading import glue_tables, projection
from infra.local.athena.reading.glue_tables import Catalog, Partition, Table
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.sql.types import duckdb_to_hive, hive_to_duckdb, literal, quote, writable

MAX_PARTITIONS = 100
"""AWS Athena user guide, "Use CTAS and INSERT INTO to work around the 100 partition limit"."""
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
# Trino writes no Bloom filters unless a table asks for them, and gives a dictionary up that makes nothing smaller.
_PARQUET = "WRITE_BLOOM_FILTER false, DICTIONARY_SIZE_LIMIT 2048"
_CODECS = {"SNAPPY": "snappy", "ZSTD": "zstd", "GZIP": "gzip", "NONE": "uncompressed", "UNCOMPRESSED": "uncompressed"}
_FORMATS = {"PARQUET": "parquet", "JSON": "json", "TEXTFILE": "text"}


@dataclass
class Target:
    """Where and how rows are written."""

    location: str
    format: str
    codec: str
    keys: list[str]
    delimiter: str = "\x01"


@dataclass
class Written:
    """The files of one statement and the rows in them; partition values by folder below the target."""

    rows: int
    files: list[tuple[Path, str]]
    partitions: list[tuple[str, ...]]


class Writer:
    """Runs a planned query into files and puts them in S3."""

    def __init__(self, store: ObjectStore, scratch: Path) -> None:
        self._store, self._scratch = store, scratch

    def write(self, con: duckdb.DuckDBPyConnection, execution: Execution, sql: str, target: Target) -> Written:
        """Local Parquet, JSON or text files of the query, partitioned by the target's keys.

        UnsupportedError for a column of a type that the format holds on Athena and this server does not write.
        """
        _check_types(con, sql, target)
        folder = self._scratch / execution.id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options, suffix = _options(target)
        name = f"{execution.submitted:%Y%m%d_%H%M%S}_{execution.id}.{suffix}"
        place = folder / "out"
        if target.keys:
            rows = _write_partitions(con, sql, target.keys, place, name, options)
        else:
            place.mkdir()
            counted = con.execute(f"COPY ({sql}) TO {literal(str(place / name))} ({options})").fetchall()
            rows = int(counted[0][0])
        files = sorted(f for f in folder.rglob("*") if f.is_file())
        if rows == 0:
            files = []
        partitions = sorted({_values(f.relative_to(place)) for f in files}) if target.keys else []
        return Written(rows, [(f, target.location + str(f.relative_to(place))) for f in files], partitions)

    def upload(self, execution: Execution, written: Written, moved: dict[str, str] | None = None) -> list[str]:
        """Put the files in S3 and return their addresses; nothing stays of a failed or cancelled one."""
        places = [(file, _moved(uri, moved or {})) for file, uri in written.files]
        try:
            for start in range(0, len(places), 16):
                execution.check_cancelled()
                self._store.upload(places[start : start + 16])
            execution.check_cancelled()
        except BaseException:
            self._store.delete(uri for _, uri in places)
            raise
        return [uri for _, uri in places]

    def clean(self, execution: Execution) -> None:
        """Remove the local files."""
        shutil.rmtree(self._scratch / execution.id, ignore_errors=True)


@contextmanager
def gathered(con: duckdb.DuckDBPyConnection, execution: Execution, sql: str, target: Target) -> Iterator[str]:
    """The query to write from: of a partitioned target over its rows, gathered in a temporary table.

    Written partition by partition they cost half of what DuckDB's own PARTITION_BY does, which keeps all partitions
    open and copies each row into its own. And a long query is bound once, not once for its columns and once to run.
    """
    if not target.keys:
        yield sql
        return
    rows = quote(f"__rows_{execution.id}")
    con.execute(f"CREATE TEMP TABLE {rows} AS {sql}")
    try:
        yield f"SELECT * FROM {rows}"
    finally:
        con.execute(f"DROP TABLE {rows}")


def _write_partitions(
    con: duckdb.DuckDBPyConnection, sql: str, keys: list[str], place: Path, name: str, options: str
) -> int:
    """A file for each partition of gathered rows, below `place`, at Hive's path; the rows in all of them."""
    columns = ", ".join(quote(key) for key in keys)
    found = con.execute(f"SELECT {columns}, count(*) FROM ({sql}) GROUP BY {columns} ORDER BY ALL").fetchall()
    if len(found) > MAX_PARTITIONS:
        raise QueryError(
            f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MAX_PARTITIONS} open writers for "
            "partitions/buckets. If a data manifest file was generated at the manifest location, you may need to "
            "manually clean the data from locations specified in the manifest."
        )
    varying = [key for n, key in enumerate(keys) if len({values[n] for values in found}) > 1]
    for *values, _ in found:
        of_key = dict(zip(keys, values, strict=True))
        folder = place.joinpath(*(_hive(key, value) for key, value in of_key.items()))
        folder.mkdir(parents=True)
        where = " AND ".join(_equals(key, of_key[key]) for key in varying) or "true"
        partition = f"SELECT * EXCLUDE ({columns}) FROM ({sql}) WHERE {where}"
        con.execute(f"COPY ({partition}) TO {literal(str(folder / name))} ({options})")
    return sum(int(count) for *_, count in found)


_UNWRITTEN = {"text": {"list", "map", "struct", "blob"}, "json": {"blob"}}


def _check_types(con: duckdb.DuckDBPyConnection, sql: str, target: Target) -> None:
    refused = _UNWRITTEN.get(target.format, set())
    if not refused:
        return
    bound = con.sql(f"SELECT * FROM ({sql}) LIMIT 0")
    for name, kind in zip(bound.columns, bound.types, strict=True):
        if kind.id in refused or ("blob" in refused and "BLOB" in str(kind)):
            raise UnsupportedError(f"column {name} of type {duckdb_to_hive(kind)} in a file of format {target.format}")


def _equals(key: str, value: Any) -> str:
    if value is None:
        return f"{quote(key)} IS NULL"
    return f"{quote(key)} = {literal(value) if isinstance(value, str) else literal(str(value))}"


def _hive(key: str, value: Any) -> str:
    """A partition's folder, as Hive writes it."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{key}={HIVE_NULL if value is None else glue_tables.escaped_in_path(text)}"


def select_list(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, list[tuple[str, str]]]:
    """(query whose columns have the types that are written, [(name, Hive type)]); QueryError for unwritable types."""
    bound = con.sql(f"SELECT * FROM ({sql}) LIMIT 0")
    described = [(name.lower(), kind) for name, kind in zip(bound.columns, bound.types, strict=True)]
    names = [name for name, _ in described]
    doubled = {n for n in names if names.count(n) > 1}
    if doubled:
        raise QueryError(f"SYNTAX_ERROR: Column name '{min(doubled)}' specified more than once")
    hive = [(name, duckdb_to_hive(kind)) for name, kind in described]
    aliases = ", ".join(quote(n) for n in names)
    values = ", ".join(
        quote(n) if writable(kind) == str(kind) else f"CAST({quote(n)} AS {writable(kind)}) AS {quote(n)}"
        for n, kind in described
    )
    if all(writable(kind) == str(kind) for _, kind in described) and names == bound.columns:
        return sql, hive
    return f"SELECT {values} FROM ({sql}) AS __rows({aliases})", hive


def without_order(query: exp.Expr) -> exp.Expr:
    """The query without a top-level ORDER BY, which Trino drops in CTAS and INSERT (unless it serves a LIMIT)."""
    if isinstance(query, exp.Query) and query.args.get("order") and not query.args.get("limit"):
        query = query.copy()
        query.set("order", None)
    return query


def properties(create: exp.Create) -> dict[str, Any]:
    """The WITH (...) of a CTAS: lower-case names, text or lists of text."""
    out: dict[str, Any] = {}
    listed = create.args.get("properties")
    for item in listed.expressions if listed is not None else []:
        if isinstance(item, exp.PartitionedByProperty):
            out["partitioned_by"] = [c.name.lower() for c in item.this.expressions]
        elif isinstance(item, exp.FileFormatProperty):
            out["format"] = item.this.name if isinstance(item.this, exp.Expr) else str(item.this)
        elif isinstance(item, exp.LocationProperty):
            out["external_location"] = item.this.name
        elif isinstance(item, exp.WithDataProperty):
            out["with_data"] = not item.args.get("no")
        elif isinstance(item, exp.Property):
            value = item.args["value"]
            out[item.name.lower()] = (
                [v.name for v in value.expressions] if isinstance(value, exp.Array) else _text(value)
            )
        else:
            raise UnsupportedError(f"table property {item.sql(dialect='trino')}")
    return out


def _text(value: exp.Expr) -> str:
    return str(value.this).lower() if isinstance(value, exp.Boolean) else value.name


def target_of(options: dict[str, Any], location: str, *, codec_names: tuple[str, ...]) -> Target:
    """Target of a CTAS or UNLOAD from its WITH; UnsupportedError for formats and options this server lacks."""
    known = {"format", "external_location", "partitioned_by", "field_delimiter", "with_data", *codec_names}
    check_table_type(options)
    for name in options:
        if name not in known:
            raise UnsupportedError(f"table property {name}")
    fmt = str(options.get("format", "PARQUET")).upper()
    if fmt not in _FORMATS:
        raise UnsupportedError(f"format {fmt}")
    codec = next((str(options[n]).upper() for n in codec_names if n in options), "GZIP")
    if codec not in _CODECS:
        raise UnsupportedError(f"compression {codec}")
    keys = [k.lower() for k in options.get("partitioned_by", [])]
    return Target(location.rstrip("/") + "/", _FORMATS[fmt], codec, keys, str(options.get("field_delimiter", "\x01")))


def check_table_type(options: dict[str, Any]) -> None:
    """Take `table_type` and `is_external` out of the options of a CTAS.

    UnsupportedError for Iceberg; a Hive table is external (AWS Athena user guide, "CREATE TABLE AS").
    """
    table_type = str(options.pop("table_type", "HIVE")).upper()
    is_external = str(options.pop("is_external", "true")).lower()
    if table_type != "HIVE":
        raise UnsupportedError(f"table_type {table_type}; write table_type = 'HIVE', or leave it out")
    if is_external != "true":
        raise QueryError("INVALID_TABLE_PROPERTY: is_external must be true for a table of table_type HIVE")


def table_input(name: str, columns: list[tuple[str, str]], target: Target) -> dict[str, Any]:
    """Glue's TableInput for a table made by CTAS."""
    described = [{"Name": n, "Type": t} for n, t in columns]
    cut = len(described) - len(target.keys)
    serde = {"parquet": glue_tables.PARQUET_SERDE, "json": glue_tables.OPENX_SERDE, "text": glue_tables.LAZY_SERDE}[
        target.format
    ]
    parameters = {"field.delim": target.delimiter} if target.format == "text" else {}
    codec_property = {"parquet": "parquet.compression"}.get(target.format, "write.compression")
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": described[cut:],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "has_encrypted_data": "false",
            "classification": target.format if target.format != "text" else "csv",
            codec_property: target.codec,
        },
        "StorageDescriptor": glue_tables.storage_descriptor(described[:cut], target.location, serde, parameters),
    }


def check_keys(columns: list[tuple[str, str]], keys: list[str]) -> None:
    """Partition columns come last and in order (AWS Athena user guide, "CREATE TABLE AS")."""
    names = [n for n, _ in columns]
    if keys and names[-len(keys) :] != keys:
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order "
            f"as the table properties: {keys}"
        )
    if keys and len(keys) == len(names):
        raise QueryError("HIVE_INVALID_METADATA: Table contains only partition columns")


def insert_target(table: Table) -> Target:
    """Target of an INSERT: the table's own location, format and codec; QueryError for a bucketed table."""
    if table.storage.get("BucketColumns"):
        raise QueryError(f"NOT_SUPPORTED: Inserting into bucketed table {table.database}.{table.name}")
    codec = next(
        (
            table.parameters[k]
            for k in ("parquet.compression", "write.compression", "compression")
            if k in table.parameters
        ),
        "GZIP" if table.format == "parquet" else "NONE",
    ).upper()
    if codec not in _CODECS:
        raise UnsupportedError(f"compression {codec}")
    fmt = table.format
    if fmt == "csv":
        raise QueryError("NOT_SUPPORTED: INSERT INTO a table with the Open CSV SerDe")
    delimiter = table.serde_parameters.get("field.delim", "\x01")
    return Target(table.location, fmt, codec, [name for name, _ in table.keys], delimiter)


def insert_query(sql: str, count: int, table: Table, given: list[str] | None) -> str:
    """The query with the table's columns, in its order and types; QueryError when the counts differ."""
    columns = table.columns + table.keys
    names = given or [n for n, _ in columns]
    if count != len(names):
        raise QueryError(
            f"TYPE_MISMATCH: Insert query has mismatched column types: Table has {len(names)} columns, query {count}"
        )
    unknown = [n for n in names if n not in dict(columns)]
    if unknown:
        raise QueryError(f"COLUMN_NOT_FOUND: Insert column name does not exist in target table: {unknown[0]}")
    position = {n: f"__c{i}" for i, n in enumerate(names)}
    values = [f"CAST({position.get(n, 'NULL')} AS {_stored(hive)}) AS {quote(n)}" for n, hive in columns]
    aliases = ", ".join(f"__c{i}" for i in range(count))
    return f"SELECT {', '.join(values)} FROM ({sql}) AS __rows({aliases})"


def register(glue: Catalog, table: Table, written: Written) -> dict[str, str]:
    """Folder written -> the partition's own location, for partitions that already lie elsewhere or are projected."""
    moved = {}
    existing = {p.values: p.location for p in glue.partitions_with(table, [])} if not table.keys else {}
    for values in written.partitions:
        folder = table.default_location(values)
        if table.projected:
            existing[values] = projection.partition(table, values).location
        else:
            found = glue.partitions_with(table, [[v] for v in values])
            existing |= {p.values: p.location for p in found}
        if existing.get(values, folder) != folder:
            moved[folder] = existing[values]
    return moved


def new_partitions(table: Table, written: Written) -> list[Partition]:
    """The partitions written, at Hive's locations."""
    return [Partition(values, table.default_location(values)) for values in written.partitions]


def _stored(hive: str) -> str:
    return re.sub(r"\bTIMESTAMP\b", "TIMESTAMP_MS", hive_to_duckdb(hive))


def _options(target: Target) -> tuple[str, str]:
    codec = _CODECS[target.codec]
    if target.format == "parquet":
        return f"FORMAT parquet, COMPRESSION {codec}, {_PARQUET}", "parquet"
    if codec not in {"gzip", "uncompressed", "zstd"}:
        raise UnsupportedError(f"compression {target.codec} of {target.format}")
    suffix = {"gzip": ".gz", "zstd": ".zst", "uncompressed": ""}[codec]
    codec = "none" if codec == "uncompressed" else codec
    if target.format == "json":
        return f"FORMAT json, COMPRESSION {codec}", "json" + suffix
    text = f"FORMAT csv, HEADER false, DELIMITER {literal(target.delimiter)}, QUOTE '', ESCAPE '', NULLSTR '\\N'"
    return f"{text}, COMPRESSION {codec}", "txt" + suffix


def _values(path: Path) -> tuple[str, ...]:
    return tuple(unquote(part.partition("=")[2]) for part in path.parts[:-1])


def _moved(uri: str, moved: dict[str, str]) -> str:
    folder, _, name = uri.rpartition("/")
    return moved.get(folder + "/", folder + "/") + name
