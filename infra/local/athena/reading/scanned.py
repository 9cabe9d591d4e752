"""DataScannedInBytes: what a query reads of the objects, as Athena counts it.

Row formats: whole objects, as stored (compressed). Parquet: the footer, and the column chunks of the columns the plan
reads. Athena leaves out row groups whose statistics exclude every row (AWS Athena user guide, "Top 10 performance
tuning tips"); they are counted here, so that a figure is rather too high than too low.
"""

import json
from typing import Any

import duckdb

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
    return total


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
