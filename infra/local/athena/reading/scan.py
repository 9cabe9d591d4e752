"""DuckDB relations over the objects of a table: typed columns, partition keys, "$path"."""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from sqlglot import exp

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.reading import lazy_text
from infra.local.athena.reading.glue_tables import Partition, Table
from infra.local.athena.reading.objects import ObjectStore, S3Object
from infra.local.athena.sql.types import hive_to_duckdb, literal, quote

_MAX_LINE = 4_194_304
_LINE_DELIMITER = "\x02\x1d\x03\x1e"
"""Four control characters that no text holds in a row: they stand for 'no delimiter'."""


@dataclass
class Scan:
    """What one table reference reads: objects with their partition, and the columns the query names."""

    table: Table
    columns: set[str]
    """Lower-case names of the columns that the query mentions (more than needed, never fewer)."""
    objects: list[tuple[S3Object, Partition | None]] = field(default_factory=list)
    alternatives: list[list[exp.Expr]] = field(default_factory=lambda: [[]])
    """Conditions on columns of text, one list for each way the query reaches the table."""
    cleaned: bool = False
    """Whether text objects are read from copies without invalid UTF-8 and carriage returns."""

    @property
    def stored_bytes(self) -> int:
        """Size of all objects, as stored."""
        return sum(item.size for item, _ in self.objects)


def relation(con: duckdb.DuckDBPyConnection, store: ObjectStore, scan: Scan) -> str:
    """A DuckDB subquery with every column of the table."""
    table = scan.table
    wanted = [(name, hive) for name, hive in table.columns if name in scan.columns]
    keys = [(name, hive) for name, hive in table.keys if name in scan.columns]
    if not scan.objects:
        return _nothing(wanted + keys, scan.columns)
    files = [_file(store, scan, item) for item, _ in scan.objects]
    if table.format == "parquet":
        source, selected = _parquet(con, files, wanted)
    else:
        source, selected = {"json": _json, "text": _text, "csv": _csv}[table.format](table, files, wanted)
    if keys:
        source, key_columns = _with_keys(source, scan, files, keys)
        selected += key_columns
    if "$path" in scan.columns:
        selected.append(f'{store.path_sql("filename")} AS "$path"')
    if "$file_size" in scan.columns:
        sizes = ", ".join(f"{literal(str(f))}: {i.size}" for f, (i, _) in zip(files, scan.objects, strict=True))
        selected.append(f'CAST(MAP {{{sizes}}}[filename] AS BIGINT) AS "$file_size"')
    return f"(SELECT {', '.join(selected) or '1 AS __row'} FROM {source})"


def _is_lines(table: Table) -> bool:
    """Whether the table has one text column, which is the whole line."""
    delimiter = table.serde_parameters.get("field.delim", table.serde_parameters.get("serialization.format", "\x01"))
    one = len(table.columns) == 1 and table.columns[0][1] == "string"
    return table.format == "text" and one and delimiter in {"", "1", "\x01", "\\001"}


def _file(store: ObjectStore, scan: Scan, item: S3Object) -> Path:
    clean = store.clean_text(item) if scan.cleaned and scan.table.format != "parquet" else None
    return clean or store.local_path(item)


def _nothing(columns: list[tuple[str, str]], wanted: set[str]) -> str:
    selected = [f"CAST(NULL AS {hive_to_duckdb(hive)}) AS {quote(name)}" for name, hive in columns]
    selected += [f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in _HIDDEN.items() if name in wanted]
    return f"(SELECT {', '.join(selected) or '1 AS __row'} WHERE false)"


_HIDDEN = {"$path": "VARCHAR", "$file_size": "BIGINT"}


def _list(files: list[Path]) -> str:
    return "[" + ", ".join(literal(str(f)) for f in files) + "]"


def _parquet(con: duckdb.DuckDBPyConnection, files: list[Path], wanted: list[tuple[str, str]]) -> tuple[str, list[str]]:
    """Columns by name, as Athena reads Parquet; missing ones are NULL."""
    read = f"read_parquet({_list(files)}, union_by_name = true, hive_partitioning = false)"
    bound = con.sql(f"SELECT * FROM {read} LIMIT 0")
    have = {name.lower(): (name, str(kind)) for name, kind in zip(bound.columns, bound.types, strict=True)}
    selected = []
    for name, hive in wanted:
        kind = hive_to_duckdb(hive)
        if name not in have:
            selected.append(f"CAST(NULL AS {kind}) AS {quote(name)}")
            continue
        stored, stored_kind = have[name]
        same = stored_kind.replace(" ", "").replace('"', "") == kind.replace(" ", "").replace('"', "")
        value = quote(stored) if same else f"CAST({quote(stored)} AS {kind})"
        selected.append(f"{value} AS {quote(name)}")
    return f"read_parquet({_list(files)}, union_by_name = true, hive_partitioning = false, filename = true)", selected


def _lines(files: list[Path], column: str, skip: int = 0) -> str:
    return (
        f"read_csv({_list(files)}, columns = {{{literal(column)}: 'VARCHAR'}}, delim = '{_LINE_DELIMITER}', "
        f"quote = '', escape = '', header = false, auto_detect = false, new_line = '\\n', skip = {skip}, "
        f"max_line_size = {_MAX_LINE}, hive_partitioning = false, filename = true)"
    )


def _text(
    table: Table,
    files: list[Path],
    wanted: list[tuple[str, str]],
) -> tuple[str, list[str]]:
    """LazySimpleSerDe: fields by delimiter, no quotes, backslash N is NULL; one string column is the whole line."""
    delimiter = table.serde_parameters.get("field.delim", table.serde_parameters.get("serialization.format", "\x01"))
    if _is_lines(table):
        name = table.columns[0][0]
        return _lines(files, name), [f"coalesce({quote(name)}, '') AS {quote(name)}" for _ in wanted]
    delimiter = "\x01" if delimiter in {"", "1", "\\001"} else delimiter.replace("\\t", "\t")
    delimiters = lazy_text.Delimiters.of(table.serde_parameters)
    if delimiters.escape:
        fields = lazy_text.escaped_fields("__line", delimiter, delimiters.escape)
        lines = _lines(files, "__line", int(table.parameters.get("skip.header.line.count", "0")))
        position = {name: at for at, (name, _) in enumerate(table.columns, start=1)}
        values = [lazy_text.escaped_value(f"__fields[{position[n]}]", hive, delimiters) for n, hive in wanted]
        source = f"(SELECT {fields} AS __fields, filename FROM {lines} WHERE __line IS NOT NULL)"
        return source, [f"{value} AS {quote(n)}" for value, (n, _) in zip(values, wanted, strict=True)]
    selected = [f"{lazy_text.value(quote(n), hive, delimiters)} AS {quote(n)}" for n, hive in wanted]
    return _separated(table, files, delimiter, "", ""), selected


def _csv(
    table: Table,
    files: list[Path],
    wanted: list[tuple[str, str]],
) -> tuple[str, list[str]]:
    """OpenCSVSerDe (AWS Athena user guide, "Open CSV SerDe"): quoted fields, every value text at first."""
    p = table.serde_parameters
    source = _separated(table, files, p.get("separatorChar", ","), p.get("quoteChar", '"'), p.get("escapeChar", "\\"))
    return source, [f"{_parsed(quote(n), hive)} AS {quote(n)}" for n, hive in wanted]


def _parsed(value: str, hive: str) -> str:
    kind = hive_to_duckdb(hive)
    if kind.endswith("]") or kind.startswith(("MAP", "STRUCT", "BLOB")):
        raise UnsupportedError(f"type {hive} in a table of the Open CSV SerDe")
    return value if kind == "VARCHAR" else f"TRY_CAST({value} AS {kind})"


def _separated(table: Table, files: list[Path], delimiter: str, quoting: str, escape: str) -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name, _ in table.columns)
    skip = int(table.parameters.get("skip.header.line.count", "0"))
    escape = quoting if escape == "\\" and not quoting else escape
    return (
        f"read_csv({_list(files)}, columns = {{{columns}}}, delim = {literal(delimiter)}, quote = {literal(quoting)}, "
        f"escape = {literal(escape)}, skip = {skip}, header = false, auto_detect = false, null_padding = true, "
        # An empty field is an empty text: what stands for NULL is looked for in each value.
        f"nullstr = '{_LINE_DELIMITER}', "
        f"strict_mode = false, max_line_size = {_MAX_LINE}, hive_partitioning = false, filename = true)"
    )


def _json(
    table: Table,
    files: list[Path],
    wanted: list[tuple[str, str]],
) -> tuple[str, list[str]]:
    """The openx and Hive JSON SerDes: keys by name in any case, mapping.*, malformed lines NULL or an error.

    AWS Athena user guide, "OpenX JSON SerDe": ignore.malformed.json makes every column of such a row NULL
    (as the engine does; the guide's word is "skip").
    """
    p = {k.lower(): v for k, v in table.serde_parameters.items()}
    ignore = p.get("ignore.malformed.json", "false").lower() == "true"
    fields = {name: p.get(f"mapping.{name}", name).lower() for name, _ in wanted}
    struct = ", ".join(f"{quote(key)} JSON" for key in dict.fromkeys(fields.values())) or '"__none" JSON'
    parsed = "openx_json(__line)" if ignore else "trino_must_json(__line, openx_json(__line))"
    source = (
        f"(SELECT TRY_CAST({parsed} AS STRUCT({struct})) AS __json, filename "
        f"FROM {_lines(files, '__line')} WHERE __line IS NOT NULL)"
    )
    selected = [f"{_json_value(f'__json.{quote(fields[n])}', hive)} AS {quote(n)}" for n, hive in wanted]
    return source, selected


def _json_value(value: str, hive: str) -> str:
    kind = hive_to_duckdb(hive)
    if "BLOB" in kind:
        raise UnsupportedError(f"type {hive} in a JSON table")
    if kind == "VARCHAR":
        return f"json_extract_string({value}, '$')"
    if kind == "TIMESTAMP":
        return f"TRY_CAST(replace(json_extract_string({value}, '$'), 'T', ' ') AS TIMESTAMP)"
    return f"TRY_CAST({value} AS {kind})"


def _with_keys(source: str, scan: Scan, files: list[Path], keys: list[tuple[str, str]]) -> tuple[str, list[str]]:
    """Partition keys: from Hive paths where they say the same as the catalog, else looked up by folder."""
    if all(partition and _in_path(item, scan.table, partition) for item, partition in scan.objects):
        types = ", ".join(f"{literal(name)}: {literal(hive_to_duckdb(hive))}" for name, hive in keys)
        source = source.replace("hive_partitioning = false", f"hive_partitioning = true, hive_types = {{{types}}}")
        if source.startswith("(SELECT"):
            source = source.replace(", filename FROM", f", filename, {', '.join(quote(n) for n, _ in keys)} FROM", 1)
        return source, [quote(name) for name, _ in keys]
    folders = {str(f.parent): p.values for f, (_, p) in zip(files, scan.objects, strict=True) if p}
    lookup = ", ".join(f"{literal(d)}: [{', '.join(literal(v) for v in values)}]" for d, values in folders.items())
    position = {name: i for i, (name, _) in enumerate(scan.table.keys)}
    return source, [
        f"CAST(MAP {{{lookup}}}[regexp_replace(filename, '/[^/]*$', '')][{position[name] + 1}] "
        f"AS {hive_to_duckdb(hive)}) AS {quote(name)}"
        for name, hive in keys
    ]


def _in_path(item: S3Object, table: Table, partition: Partition) -> bool:
    parts = item.key.split("/")[:-1]
    found = [p for p in parts if p.partition("=")[0].lower() in dict(table.keys) and "=" in p]
    return found == [f"{name}={value}" for (name, _), value in zip(table.keys, partition.values, strict=True)]
