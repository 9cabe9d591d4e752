"""CREATE EXTERNAL TABLE, both ways (AWS Athena user guide, "CREATE TABLE", "SHOW CREATE TABLE")."""

import re
from typing import Any

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.reading import glue_tables
from infra.local.athena.reading.glue_tables import Table
from infra.local.athena.reading.scan import column_list
from infra.local.athena.writing.unload import closing

_I = re.IGNORECASE
_PAIR = re.compile(r"['\"]([^'\"]*)['\"]\s*=\s*'((?:[^'\\]++|\\.)*+)'?")
_CLAUSES = re.compile(
    r"\s*(?:comment\s+'(?P<comment>[^']*)'"
    r"|row\s+format\s+serde\s+'(?P<serde>[^']+)'"
    r"|row\s+format\s+(?P<delimited>delimited)"
    r"|fields\s+terminated\s+by\s+'(?P<fields>[^']*)'(?:\s+escaped\s+by\s+'(?P<escaped>[^']*)')?"
    r"|lines\s+terminated\s+by\s+'(?P<lines>[^']*)'"
    r"|stored\s+as\s+inputformat\s+'(?P<input>[^']+)'\s+outputformat\s+'(?P<output>[^']+)'"
    r"|stored\s+as\s+(?P<stored>\w+)"
    r"|location\s+'(?P<location>[^']+)'"
    r"|(?P<keys>partitioned\s+by)\s*(?=\()"
    r"|(?:with\s+)?(?P<properties>serdeproperties|tblproperties)\s*(?=\())",
    _I,
)


def parse_create_table(name: str, text: str) -> dict[str, Any]:
    """Glue's TableInput from the statement's text, from the bracket that opens the column list."""
    close = closing(text, 0)
    columns = column_list(text[1:close])
    found: dict[str, Any] = {"serdeproperties": {}, "tblproperties": {}, "keys": []}
    position, end_of_text = close + 1, len(text.rstrip())
    while position < end_of_text:
        match = _CLAUSES.match(text, position)
        if not match:
            raise QueryError(f"FAILED: ParseException: mismatched input near '{text[position:].strip()[:60]}'")
        position = match.end()
        if match["keys"] or match["properties"]:
            end = closing(text, position)
            body = text[position + 1 : end]
            position = end + 1
            if match["keys"]:
                found["keys"] = column_list(body)
            else:
                found[match["properties"].lower()] = {k: _unescape(v) for k, v in _PAIR.findall(body)}
        found |= {k: v for k, v in match.groupdict().items() if v is not None and k not in {"keys", "properties"}}
    return _table_input(name, columns, found)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if not re.fullmatch(r"\\(\d{3}|t)", text) else text


def _table_input(name: str, columns: list[dict[str, str]], found: dict[str, Any]) -> dict[str, Any]:
    if "location" not in found:
        raise QueryError("FAILED: SemanticException: a LOCATION is required in CREATE EXTERNAL TABLE")
    stored = found.get("stored", "").lower()
    if stored and stored not in {"parquet", "textfile"}:
        raise UnsupportedError(f"STORED AS {stored.upper()}")
    serde = found.get("serde") or (glue_tables.PARQUET_SERDE if stored == "parquet" else glue_tables.LAZY_SERDE)
    parameters = dict(found["serdeproperties"])
    if "fields" in found:
        parameters |= {"field.delim": _unescape(found["fields"]), "serialization.format": _unescape(found["fields"])}
    fmt = "parquet" if "parquet" in serde.lower() else "text"
    table = {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": found["keys"],
        "Parameters": {"EXTERNAL": "TRUE", **found["tblproperties"]},
        "StorageDescriptor": glue_tables.storage_descriptor(fmt, columns, found["location"], serde, parameters),
    }
    if "comment" in found:
        table["Description"] = found["comment"]
    return table


def show_create(table: Table) -> str:
    """The statement that makes the table."""
    if table.is_view:
        return f"CREATE VIEW {table.database}.{table.name} AS\n{table.view_sql()}"
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`("]
    lines.append(",\n".join(f"  `{n}` {t}" for n, t in table.columns) + ")")
    if table.keys:
        lines += ["PARTITIONED BY ( ", ",\n".join(f"  `{n}` {t}" for n, t in table.keys) + ")"]
    lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
    if table.serde_parameters:
        lines += ["WITH SERDEPROPERTIES ( ", _pairs(table.serde_parameters)]
    lines += ["STORED AS INPUTFORMAT ", f"  '{table.storage.get('InputFormat', '')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{table.storage.get('OutputFormat', '')}'"]
    lines += ["LOCATION", f"  '{table.location.rstrip('/')}'"]
    shown = {k: v for k, v in (table.glue.get("Parameters") or {}).items() if k != "EXTERNAL"}
    if shown:
        lines += ["TBLPROPERTIES (", _pairs(shown)]
    return "\n".join(lines)


def _pairs(values: dict[str, str]) -> str:
    return ", \n".join(f"  '{k}'='{v}'" for k, v in values.items()) + ")"
