"""CREATE EXTERNAL TABLE, both ways (AWS Athena user guide, "CREATE TABLE", "SHOW CREATE TABLE")."""

import re
from typing import Any

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.reading import glue_tables
from infra.local.athena.reading.glue_tables import Table
from infra.local.athena.writing.hive_text import TEXT, column_list, name_parts, pairs, quoted_text, text_value
from infra.local.athena.writing.unload import closing

_CLAUSES = re.compile(
    rf"\s*(?:comment\s+(?P<comment>{TEXT})"
    rf"|row\s+format\s+serde\s+(?P<serde>{TEXT})"
    r"|row\s+format\s+(?P<delimited>delimited)"
    rf"|fields\s+terminated\s+by\s+(?P<fields>{TEXT})(?:\s+escaped\s+by\s+(?P<escaped>{TEXT}))?"
    rf"|collection\s+items\s+terminated\s+by\s+(?P<items>{TEXT})"
    rf"|map\s+keys\s+terminated\s+by\s+(?P<map_keys>{TEXT})"
    rf"|lines\s+terminated\s+by\s+(?P<lines>{TEXT})"
    rf"|null\s+defined\s+as\s+(?P<null>{TEXT})"
    rf"|stored\s+as\s+inputformat\s+(?P<input>{TEXT})\s+outputformat\s+(?P<output>{TEXT})"
    r"|stored\s+as\s+(?P<stored>\w+)"
    rf"|location\s+(?P<location>{TEXT})"
    r"|into\s+(?P<buckets>\d+)\s+buckets"
    r"|(?P<listed>partitioned\s+by|clustered\s+by)\s*(?=\()"
    r"|(?:with\s+)?(?P<properties>serdeproperties|tblproperties)\s*(?=\())",
    re.IGNORECASE | re.DOTALL,
)
_DELIMITERS = {
    "fields": ("field.delim", "serialization.format"),
    "escaped": ("escape.delim",),
    "items": ("collection.delim", "colelction.delim"),
    "map_keys": ("mapkey.delim",),
    "lines": ("line.delim",),
    "null": ("serialization.null.format",),
}
"""The SerDe's parameters of ROW FORMAT DELIMITED; Hive writes `colelction.delim` too, as it once misspelt it."""


def parse_create_table(name: str, text: str, *, external: bool = True) -> dict[str, Any]:
    """Glue's TableInput from the statement's text, from the bracket that opens the column list.

    Raises QueryError where the text is not a CREATE TABLE's, UnsupportedError for an Iceberg table.
    """
    close = closing(text, 0, escapes=True)
    found: dict[str, Any] = {"serdeproperties": {}, "tblproperties": {}, "keys": [], "clustered": []}
    columns = column_list(text[1:close])
    position, end_of_text = close + 1, len(text.rstrip())
    while position < end_of_text:
        match = _CLAUSES.match(text, position)
        if not match:
            raise QueryError(f"FAILED: ParseException: mismatched input near '{text[position:].strip()[:60]}'")
        position = match.end()
        if match["listed"] or match["properties"]:
            end = closing(text, position, escapes=True)
            _note_list(found, (match["listed"] or match["properties"]).lower(), text[position + 1 : end])
            position = end + 1
        for clause, value in match.groupdict().items():
            if value is not None and clause not in {"listed", "properties"}:
                found[clause] = text_value(value) if value[0] in "'\"" else value
    if found["tblproperties"].get("table_type", "").upper() == "ICEBERG":
        raise UnsupportedError("table_type ICEBERG; use CREATE EXTERNAL TABLE, or CREATE TABLE AS with table_type HIVE")
    if not external:
        raise QueryError(
            "FAILED: SemanticException: CREATE TABLE without EXTERNAL makes Iceberg tables; write CREATE EXTERNAL TABLE"
        )
    return _table_input(name, columns, found)


def _note_list(found: dict[str, Any], clause: str, body: str) -> None:
    if clause.startswith("partitioned"):
        found["keys"] = column_list(body)
    elif clause.startswith("clustered"):
        found["clustered"] = [name_parts(name.strip())[0] for name in body.split(",") if name.strip()]
    else:
        found[clause] = pairs(body)


def _table_input(name: str, columns: list[dict[str, str]], found: dict[str, Any]) -> dict[str, Any]:
    if "location" not in found:
        raise QueryError("FAILED: SemanticException: a LOCATION is required in CREATE EXTERNAL TABLE")
    stored = found.get("stored", "textfile").lower()
    if stored not in glue_tables.STORED_AS:
        raise UnsupportedError(f"STORED AS {stored.upper()}")
    default_serde, *default_formats = glue_tables.STORED_AS[stored]
    serde = found.get("serde") or default_serde
    if "stored" not in found and "input" not in found:
        default_formats = list(glue_tables.formats_of(serde))
    parameters = {key: found[clause] for clause, keys in _DELIMITERS.items() if clause in found for key in keys}
    parameters |= found["serdeproperties"]
    parameters.setdefault("serialization.format", "1")
    table = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": found["keys"],
        "Parameters": {"EXTERNAL": "TRUE", **found["tblproperties"]},
        "StorageDescriptor": {
            "Columns": columns,
            "Location": found["location"].rstrip("/"),
            "InputFormat": found.get("input", default_formats[0]),
            "OutputFormat": found.get("output", default_formats[1]),
            "NumberOfBuckets": int(found.get("buckets", -1)),
            "BucketColumns": found["clustered"],
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": parameters},
        },
    }
    if "comment" in found:
        table["Description"] = found["comment"]
    return table


def show_create(table: Table) -> str:
    """The statement that makes the table or view."""
    if table.is_view:
        return f"CREATE VIEW {table.database}.{table.name} AS\n{table.view_sql()}"
    storage = table.storage
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`("]
    lines.append(_columns(storage.get("Columns", [])) + ")")
    if table.glue.get("Description"):
        lines += ["COMMENT ", f"  {quoted_text(table.glue['Description'])}"]
    if table.keys:
        lines += ["PARTITIONED BY ( ", _columns(table.glue["PartitionKeys"]) + ")"]
    if storage.get("BucketColumns"):
        lines += ["CLUSTERED BY ( ", ",\n".join(f"  {column}" for column in storage["BucketColumns"]) + ") "]
        lines += ["INTO ", f"  {storage['NumberOfBuckets']} BUCKETS"]
    lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
    if table.serde_parameters:
        lines += ["WITH SERDEPROPERTIES ( ", _pairs(table.serde_parameters)]
    lines += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat', '')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat', '')}'"]
    lines += ["LOCATION", f"  '{table.location.rstrip('/')}'"]
    shown = {k: v for k, v in (table.glue.get("Parameters") or {}).items() if k != "EXTERNAL"}
    if shown:
        lines += ["TBLPROPERTIES (", _pairs(shown)]
    return "\n".join(lines)


def _columns(columns: list[dict[str, str]]) -> str:
    described = (
        f"  `{column['Name']}` {column.get('Type', 'string')}"
        + (f" COMMENT {quoted_text(column['Comment'])}" if column.get("Comment") else "")
        for column in columns
    )
    return ", \n".join(described)


def _pairs(values: dict[str, str]) -> str:
    return ", \n".join(f"  {quoted_text(k)}={quoted_text(v)}" for k, v in values.items()) + ")"
