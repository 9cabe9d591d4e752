"""DataScannedInBytes: what a query reads of the objects, as Athena counts it.

Row formats: whole objects, as stored (compressed). Parquet: the footer, and the column chunks of the columns the plan
reads. Athena leaves out row groups whose statistics exclude every row (AWS Athena user guide, "Top 10 performance
tuning tips"). Here those are left out whose least and greatest text excludes what a column of text is compared with by
= or IN; others are counted, so that a figure is rather too high than too low.
"""

import json
from typing import Any

import duckdb
from sqlglot import exp

from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.reading.scan import Scan
from infra.local.athena.sql.types import literal

FOOTER_TAIL = 8
"""Length of the footer's length and the closing magic number."""


def row_format_bytes(scans: list[Scan]) -> int:
    """Bytes of every object in a row format."""
    return sum(s.stored_bytes for s in scans if s.table.format != "parquet")


def parquet_bytes(con: duckdb.DuckDBPyConnection, store: ObjectStore, scans: list[Scan], sql: str) -> int:
    """Bytes of the footers and needed column chunks of every Parquet object."""
    parquet = [s for s in scans if s.table.format == "parquet" and s.objects]
    if not parquet:
        return 0
    used = _scanned_columns(con, sql)
    total = 0
    for item in parquet:
        files = [str(store.local_path(o)) for o, _ in item.objects]
        columns = used & {name for name, _ in item.table.columns}
        total += _chunks(con, files, columns) + _footers(con, files)
        wanted = [_wanted_texts(conditions) for conditions in item.alternatives]
        if columns and all(wanted):
            total -= _left_out(con, files, columns, wanted)
    return total


Wanted = dict[str, list[str]]


def _wanted_texts(conditions: list[exp.Expr]) -> Wanted:
    """By column the texts that a row must have one of."""
    found: Wanted = {}
    for condition in conditions:
        column = condition.this
        values = condition.expressions if isinstance(condition, exp.In) else [condition.args.get("expression")]
        if isinstance(condition, exp.EQ | exp.In) and isinstance(column, exp.Column):
            texts = [value.name for value in values if isinstance(value, exp.Literal) and value.is_string]
            if texts and len(texts) == len(values) and not condition.args.get("query"):
                found[column.name.lower()] = texts
    return found


def _left_out(con: duckdb.DuckDBPyConnection, files: list[str], columns: set[str], wanted: list[Wanted]) -> int:
    """Bytes of these columns in row groups that hold no wanted text, by whichever way the query reaches the table."""
    compared = {column for texts in wanted for column in texts}
    rows = con.execute(
        "SELECT file_name, row_group_id, lower(split_part(path_in_schema, ', ', 1)), total_compressed_size, "
        f"stats_min_value, stats_max_value FROM parquet_metadata([{', '.join(literal(f) for f in files)}]) "
        f"WHERE lower(split_part(path_in_schema, ', ', 1)) IN ({', '.join(literal(c) for c in columns | compared)})"
    ).fetchall()
    bounds = {(file, group, name): (least, greatest) for file, group, name, _, least, greatest in rows}
    sizes: dict[tuple[str, int], int] = {}
    for file, group, name, size, *_ in rows:
        sizes[file, group] = sizes.get((file, group), 0) + (size if name in columns else 0)
    return sum(
        size
        for group, size in sizes.items()
        if all(any(_excludes(bounds.get((*group, name)), texts) for name, texts in way.items()) for way in wanted)
    )


def _excludes(bounds: tuple[str | None, str | None] | None, texts: list[str]) -> bool:
    """Whether all these texts lie outside of the least and greatest of a row group, compared by their bytes."""
    if not bounds or bounds[0] is None or bounds[1] is None:
        return False
    least, greatest = (bound.encode() for bound in bounds if bound is not None)
    return all(not least <= text.encode() <= greatest for text in texts)


def _chunks(con: duckdb.DuckDBPyConnection, files: list[str], columns: set[str]) -> int:
    if not columns:
        return 0
    names = ", ".join(literal(c) for c in columns)
    listed = ", ".join(literal(f) for f in files)
    rows = con.execute(
        "SELECT coalesce(sum(total_compressed_size), 0) FROM parquet_metadata([" + listed + "]) "
        f"WHERE lower(split_part(path_in_schema, ', ', 1)) IN ({names})"
    ).fetchall()
    return int(rows[0][0])


def _footers(con: duckdb.DuckDBPyConnection, files: list[str]) -> int:
    listed = ", ".join(literal(f) for f in files)
    rows = con.execute(f"SELECT sum(footer_size) + {FOOTER_TAIL} * count(*) FROM parquet_file_metadata([{listed}])")
    return int(rows.fetchall()[0][0] or 0)


def _scanned_columns(con: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Lower-case names of the columns that the optimised plan's Parquet scans read or filter on."""
    rows = con.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
    names: set[str] = set()
    pending: list[Any] = json.loads(rows[0][1])
    while pending:
        node = pending.pop()
        pending += node.get("children", [])
        info = node.get("extra_info", {})
        if "READ_PARQUET" in str(info.get("Function", node.get("name", ""))).upper():
            names |= _names(info.get("Projections"))
            names |= {w.strip('"').lower() for w in _words(info.get("Filters"))}
    return names


def _names(value: Any) -> set[str]:
    listed = value if isinstance(value, list) else str(value or "").split(", ")
    return {str(v).split(".")[0].strip().strip('"').lower() for v in listed}


def _words(value: Any) -> list[str]:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
