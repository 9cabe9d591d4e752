"""The registry as Arrow tables: what the warehouse's copy is loaded from."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from iot_pipeline.contract import Table
from iot_pipeline.contract.tables import registry_history

_TEXT, _NUMBER, _TIME = pa.string(), pa.float64(), pa.timestamp("us")
_METRICS = """(
    SELECT string_agg(metric, ',' ORDER BY position)
    FROM registry.model_metrics JOIN registry.metrics USING (metric) WHERE model_metrics.model_id = t.model_id
)"""

# Columns, types and order of the warehouse's registry.* tables.
SCHEMAS: dict[str, pa.Schema] = {
    "tenants": pa.schema([("tenant_id", _TEXT), ("name", _TEXT), ("plan", _TEXT), ("created_at", _TIME)]),
    "customers": pa.schema([("customer_id", _TEXT), ("tenant_id", _TEXT), ("name", _TEXT), ("created_at", _TIME)]),
    "site_versions": pa.schema(
        [(name, _TEXT) for name in ("tenant_id", "site_id", "customer_id", "name", "country", "timezone")]
        + [("lat", _NUMBER), ("lon", _NUMBER)]
        + [(name, _TIME) for name in ("valid_from", "valid_to", "recorded_at")]
    ),
    "device_models": pa.schema(
        [(name, _TEXT) for name in ("model_id", "manufacturer", "name", "metrics")] + [("expected_interval_s", _NUMBER)]
    ),
    "device_versions": pa.schema(
        [(n, _TEXT) for n in ("device_id", "tenant_id", "site_id", "model_id", "name", "status", "firmware")]
        + [("expected_interval_s", _NUMBER)]
        + [(name, _TIME) for name in ("valid_from", "valid_to", "recorded_at")]
    ),
    "calibrations": pa.schema(
        [
            *(("device_id", _TEXT), ("metric", _TEXT), ("offset_value", _NUMBER), ("gain", _NUMBER)),
            *(("calibrated_at", _TIME), ("calibrated_by", _TEXT)),
        ]
    ),
}


def snapshot(connection: Connection[Any]) -> dict[str, pa.Table]:
    """Every table of SCHEMAS by name, as it was at one moment; rows by key, times in UTC without zone.

    Reads in one REPEATABLE READ transaction (PostgreSQL manual, "Transaction Isolation"), so a change that runs
    meanwhile is in all tables or in none. Raises ValueError if the connection is within a transaction.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("a snapshot needs a transaction of its own: commit or roll back the connection's first")
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return {name: _table(connection, name, schema) for name, schema in SCHEMAS.items()}


def history(connection: Connection[Any]) -> dict[str, pa.Table]:
    """The lake's tables of sites and devices by name, as they were at one moment. Raises as `snapshot`."""
    found = snapshot(connection)
    tenants = _named(found["tenants"], "tenant_id", {"tenant_name": "name"})
    customers = _named(found["customers"], "customer_id", {"customer_name": "name"})
    models = _named(found["device_models"], "model_id", {"model_name": "name", "manufacturer": "manufacturer"})
    sites, devices = found["site_versions"].to_pylist(), found["device_versions"].to_pylist()
    rows = {
        "registry_sites": [
            {**row, "site_name": row["name"], **tenants[row["tenant_id"]], **customers.get(row["customer_id"], {})}
            for row in sites
        ],
        "registry_devices": [{**row, "device_name": row["name"], **models.get(row["model_id"], {})} for row in devices],
    }
    return {table.name: _of_lake(table, rows[table.name]) for table in registry_history()}


def to_parquet(rows: pa.Table) -> bytes:
    """One Parquet object."""
    body = io.BytesIO()
    pq.write_table(rows, body)
    return body.getvalue()


def _named(table: pa.Table, key: str, columns: dict[str, str]) -> dict[Any, dict[str, Any]]:
    """By key these columns, under new names."""
    return {row[key]: {new: row[name] for new, name in columns.items()} for row in table.to_pylist()}


def _of_lake(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    types = {"string": _TEXT, "timestamp": _TIME}
    schema = pa.schema([(column.name, types[column.type]) for column in table.columns])
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema)


def _table(connection: Connection[Any], name: str, schema: pa.Schema) -> pa.Table:
    selected = ", ".join(_column(name, field) for field in schema)
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(f"SELECT {selected} FROM registry.{name} AS t ORDER BY {_ORDER[name]}").fetchall()
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)


_ORDER = {
    "tenants": "tenant_id",
    "customers": "customer_id",
    "site_versions": "tenant_id, site_id, valid_from",
    "device_models": "model_id",
    "device_versions": "device_id, valid_from",
    "calibrations": "device_id, metric, calibrated_at",
}


def _column(table: str, field: pa.Field) -> str:
    if (table, field.name) == ("device_models", "metrics"):
        return _METRICS
    return f"{field.name} AT TIME ZONE 'UTC'" if field.type == _TIME else field.name
