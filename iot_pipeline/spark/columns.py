"""The lake's columns as Arrow and Spark type them. Times are UTC; in Parquet they have no zone, as Athena's."""

from collections.abc import Iterable

import pyarrow as pa

from iot_pipeline.contract import PARTITION_KEYS, Table

_MAP = "map<string,string>"
_ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    _MAP: pa.map_(pa.string(), pa.string()),
}
_STORED = {**_ARROW, "timestamp": pa.timestamp("us")}


def arrow_schema(table: Table, names: Iterable[str]) -> pa.Schema:
    """Some of a table's columns as they are handed to Spark."""
    wanted = set(names)
    return pa.schema([(it.name, _ARROW[it.type]) for it in table.columns if it.name in wanted])


def stored_schema(table: Table) -> pa.Schema:
    """A table's columns as they are stored, without its partition keys."""
    return pa.schema([(it.name, _STORED[it.type]) for it in table.columns])


def spark_schema(table: Table, names: Iterable[str], *further: str) -> str:
    """Some of a table's columns, its partition keys, and further texts, as Spark's DDL."""
    wanted = set(names)
    own = [f"`{it.name}` {it.type}" for it in table.columns if it.name in wanted]
    return ", ".join([*own, *(f"`{name}` string" for name in (*PARTITION_KEYS, *further))])
