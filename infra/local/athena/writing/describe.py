"""DESCRIBE and DESCRIBE FORMATTED (AWS Athena user guide, "DESCRIBE", "DESCRIBE VIEW"; Hive's MetaDataFormatUtils).

Each line is one value: Athena's columns col_name, data_type and comment say what stands between its tabs.
"""

import re
from collections.abc import Iterator

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.reading.glue_tables import Table
from infra.local.athena.writing.ddl_result import FLAGS, DdlResult, Handlers, Scope, shown
from infra.local.athena.writing.hive_text import NAME

_NAMES = ["col_name", "data_type", "comment"]
_WIDTH = 20


def describe(scope: Scope, match: re.Match[str]) -> DdlResult:
    """A table's columns and partition keys; FORMATTED adds where and how it is stored.

    Raises UnsupportedError for EXTENDED (Thrift's text), a partition's description and a single column's.
    """
    if match["rest"].strip():
        raise UnsupportedError(f"DESCRIBE with {match['rest'].strip()[:40]}; describe the whole table")
    mode = (match["mode"] or "").strip().lower()
    if mode == "extended":
        raise UnsupportedError("DESCRIBE EXTENDED; write DESCRIBE FORMATTED")
    table = scope.table(match["name"])
    lines = _formatted(table) if mode else _plain(table)
    return shown(_NAMES, [[line] for line in lines])


def _plain(table: Table) -> Iterator[str]:
    columns, keys = _described(table)
    yield from columns + keys
    if keys:
        yield from ("\t \t ", "# Partition Information\t \t ", _line("# col_name", "data_type", "comment"), "\t \t ")
        yield from keys


def _formatted(table: Table) -> Iterator[str]:
    columns, keys = _described(table)
    yield _line("# col_name", "data_type", "comment")
    yield from ("\t \t ", *columns, "\t \t ")
    if keys:
        yield from ("# Partition Information\t \t ", _line("# col_name", "data_type", "comment"), "\t \t ")
        yield from (*keys, "\t \t ")
    yield "# Detailed Table Information\t \t "
    created = table.glue.get("CreateTime")
    yield from (
        _pair("Database:", table.database),
        _pair("Owner:", table.glue.get("Owner") or ""),
        _pair("CreateTime:", f"{created:%a %b %d %H:%M:%S UTC %Y}" if created else "UNKNOWN"),
        _pair("LastAccessTime:", "UNKNOWN"),
        _pair("Protect Mode:", "None"),
        _pair("Retention:", str(table.glue.get("Retention", 0))),
        _pair("Location:", table.location.rstrip("/")),
        _pair("Table Type:", table.glue.get("TableType", "")),
    )
    yield from _parameters("Table Parameters:", dict(sorted((table.glue.get("Parameters") or {}).items())))
    storage = table.storage
    yield from (
        "\t \t ",
        "# Storage Information\t \t ",
        _pair("SerDe Library:", table.serde),
        _pair("InputFormat:", storage.get("InputFormat") or ""),
        _pair("OutputFormat:", storage.get("OutputFormat") or ""),
        _pair("Compressed:", "Yes" if storage.get("Compressed") else "No"),
        _pair("Num Buckets:", str(storage.get("NumberOfBuckets") or -1)),
        _pair("Bucket Columns:", f"[{', '.join(storage.get('BucketColumns') or [])}]"),
        _pair("Sort Columns:", "[]"),
    )
    yield from _parameters("Storage Desc Params:", dict(sorted(table.serde_parameters.items())))


def _described(table: Table) -> tuple[list[str], list[str]]:
    parts = table.storage.get("Columns", []), table.glue.get("PartitionKeys") or []
    columns, keys = ([_line(c["Name"], c.get("Type", "string"), c.get("Comment", "")) for c in part] for part in parts)
    return columns, keys


def _parameters(title: str, found: dict[str, str]) -> Iterator[str]:
    if found:
        yield f"{title}\t \t "
        yield from (f"\t{key:<{_WIDTH}}\t{value:<{_WIDTH}}" for key, value in found.items())


def _line(*parts: str) -> str:
    return "\t".join(f"{part:<{_WIDTH}}" for part in parts)


def _pair(name: str, value: str) -> str:
    return f"{name:<{_WIDTH}}\t{value:<{_WIDTH}}\t "


HANDLERS: Handlers = [
    (
        re.compile(rf"(?:describe|desc)\s+(?P<mode>extended\s+|formatted\s+)?{NAME}(?P<rest>.*)$", FLAGS),
        describe,
    ),
]
