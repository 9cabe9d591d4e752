"""The DuckDB instance: settings, macros and the few functions that only Python can do exactly."""

import duckdb
from duckdb.func import FunctionNullHandling

from infra.local.athena.config import Config
from infra.local.athena.sql import json_cast
from infra.local.athena.sql.java_json import java_json, json_number
from infra.local.athena.sql.java_text import (
    cube_root,
    day_time_text,
    decimal_quotient,
    decimal_remainder,
    double_text,
    real_cast_text,
)
from infra.local.athena.sql.macros import MACROS, SETTINGS
from iot_pipeline.contract.json_text import NotJsonError, json_text
from iot_pipeline.contract.number_text import double_text as java_double
from iot_pipeline.contract.utf8_text import from_utf8


def connect(config: Config | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that speaks Trino's functions; bounded by the configuration's memory and threads."""
    con = duckdb.connect(":memory:")
    for setting in SETTINGS:
        con.execute(setting)
    if config:
        spill = config.state_dir / "spill"
        spill.mkdir(parents=True, exist_ok=True)
        con.execute(f"SET threads = {config.threads}")
        # Without them it keeps what a query took until the next one: 200 MB after an aggregation of two million rows.
        con.execute("SET allocator_background_threads = true")
        # All files are local, and of each that it has ever read it would keep a note.
        con.execute("SET enable_external_file_cache = false")
        con.execute("SET memory_limit = '" + config.memory_limit.replace("'", "") + "'")
        con.execute("SET temp_directory = '" + str(spill).replace("'", "''") + "'")
    _functions(con)
    for macro in MACROS:
        con.execute(f"CREATE OR REPLACE MACRO {macro}")
    return con


def _functions(con: duckdb.DuckDBPyConnection) -> None:
    con.create_function("double_text", double_text, ["DOUBLE"], "VARCHAR")
    con.create_function("real_cast_text", real_cast_text, ["DOUBLE"], "VARCHAR")
    con.create_function("cube_root", cube_root, ["DOUBLE"], "DOUBLE")
    con.create_function("interval_text", day_time_text, ["BIGINT"], "VARCHAR")
    con.create_function("decimal_div", decimal_quotient, ["VARCHAR", "VARCHAR", "INTEGER"], "VARCHAR")
    con.create_function("decimal_mod", decimal_remainder, ["VARCHAR", "VARCHAR"], "VARCHAR")
    con.create_function("utf8_lossy", _utf8_lossy, ["BLOB"], "VARCHAR")
    may_be_null = FunctionNullHandling.SPECIAL
    con.create_function("strict_json", strict_json, ["VARCHAR"], "VARCHAR", null_handling=may_be_null)
    con.create_function("json_fit", json_cast.convert, ["VARCHAR"] * 2, "VARCHAR", null_handling=may_be_null)
    con.create_function("openx_slow", openx_json, ["VARCHAR"], "VARCHAR", null_handling=may_be_null)
    con.create_function("java_json", java_json, ["VARCHAR"], "VARCHAR", null_handling=may_be_null)
    con.create_function("json_number", json_number, ["VARCHAR", "VARCHAR"], "VARCHAR", null_handling=may_be_null)
    con.create_function("java_double", java_double, ["DOUBLE"], "VARCHAR")


def _utf8_lossy(value: bytes) -> str:
    return from_utf8(bytes(value))


def strict_json(text: str | None) -> str | None:
    """The text if it is JSON by RFC 8259 (no NaN, no trailing comma); otherwise text that no JSON parser accepts."""
    if text is None:
        return None
    try:
        json_cast.read_json(text)
    except NotJsonError:
        return "\ufffd" + text
    return text


def openx_json(text: str) -> str | None:
    """The line with top-level keys in lower case; None when it is no JSON object (openx: every column NULL)."""
    try:
        value = json_cast.read_json(text)
    except NotJsonError:
        return None
    return json_text({k.lower(): v for k, v in value.items()}) if isinstance(value, dict) else None
