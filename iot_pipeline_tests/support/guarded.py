"""Two databases for the guard's tests: `telemetry` with the rows of two tenants, `alone` with those of one of them."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from iot_pipeline.contract import CONTRACT, Table, tables
from iot_pipeline.contract.tables import registry_history
from iot_pipeline.lake.hours import Day
from iot_pipeline.lake.statements import device_view, telemetry_view
from iot_pipeline_tests.support.athena import BUCKET, LocalAthena

OWN, FOREIGN = "acme", "globex"
# Every text of a foreign row holds this, and every number of one is at least so large.
MARK, FAR = "FOREIGN", 900_000.0
MOVED = "moved-1"
BOTH, ALONE = "telemetry", "alone"
START = datetime(2026, 11, 20, 22, tzinfo=UTC)
TODAY = Day(datetime(2026, 11, 21, tzinfo=UTC))
HOURS = 4
_TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "map<string,string>": pa.map_(pa.string(), pa.string()),
}

Row = dict[str, Any]


def fill(athena: LocalAthena) -> None:
    """Make both databases."""
    for database, tenants in ((BOTH, (OWN, FOREIGN)), (ALONE, (OWN,))):
        athena.client("glue").create_database(DatabaseInput={"Name": database})
        zones = tables()
        for table in (zones.curated_telemetry, zones.daily_telemetry, zones.quarantined_telemetry, zones.alert_history):
            _write(athena, database, table, tenants)
        for table in (*registry_history(), zones.ledger):
            _write(athena, database, table, tenants)
        for view in (telemetry_view(CONTRACT, TODAY), device_view()):
            done = athena.run(view, database)
            assert done["Status"]["State"] == "SUCCEEDED", done["Status"]


def _write(athena: LocalAthena, database: str, table: Table, tenants: tuple[str, ...]) -> None:
    place = f"guarded/{database}/{table.name}/"
    storage: Row = {
        "Columns": [{"Name": column.name, "Type": column.type} for column in table.columns],
        "Location": f"s3://{BUCKET}/{place}",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
    glue = athena.client("glue")
    table_input: Row = {"Name": table.name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    table_input["PartitionKeys"] = [{"Name": key, "Type": "string"} for key in table.partition_keys]
    glue.create_table(DatabaseName=database, TableInput=table_input)
    hours = [START + timedelta(hours=n) for n in range(HOURS)] if table.partition_keys else [START]
    made: set[tuple[str, ...]] = set()
    for hour in hours:
        values = (f"{hour:%Y}", f"{hour:%m}", f"{hour:%d}", f"{hour:%H}")[: len(table.partition_keys)]
        if values in made:
            continue
        made.add(values)
        path = place + "".join(f"{k}={v}/" for k, v in zip(table.partition_keys, values, strict=True))
        held = [row for number, tenant in enumerate(tenants) for row in rows(table, tenant, hour, number)]
        athena.put(f"{path}rows.parquet", _parquet(table, held))
        if table.partition_keys:
            located = {**storage, "Location": f"s3://{BUCKET}/{path}"}
            partition = {"Values": list(values), "StorageDescriptor": located, "Parameters": {"rows": str(len(held))}}
            glue.create_partition(DatabaseName=database, TableName=table.name, PartitionInput=partition)


def rows(table: Table, tenant: str, hour: datetime, number: int) -> list[Row]:
    """The rows of a table that a tenant has in an hour."""
    count = {"registry_sites": 2, "registry_devices": 3 if tenant == OWN else 6}.get(table.name, 6)
    return [{c.name: _value(c.name, c.type, tenant, hour, n + 7 * number) for c in table.columns} for n in range(count)]


def _value(name: str, kind: str, tenant: str, hour: datetime, n: int) -> Any:
    """A value by a column's name and type; what is foreign can be told by it."""
    foreign = tenant == FOREIGN
    named = _named(tenant, hour, n)
    if name in named:
        return named[name]
    if kind == "string":
        return f"{MARK} {name} {n}" if foreign else f"{name} {n % 3}"
    if kind == "timestamp":
        return (hour + timedelta(minutes=n)).replace(tzinfo=None)
    if kind == "boolean":
        return n % 2 == 0
    if kind == "map<string,string>":
        return [("x", f'"{MARK}"')] if foreign else [("x", str(n)), ("mode", '"eco"')]
    number = FAR + n if foreign else float(n) + hour.hour / 4
    return number if kind == "double" else int(number)


def _named(tenant: str, hour: datetime, n: int) -> Row:
    """Columns that mean the same in every table."""
    return {
        "tenant": tenant,
        "tenant_id": tenant,
        # Both tenants have sites of the same names, as a join by them alone would mix up.
        "site": f"site-{n % 2}",
        "site_id": f"site-{n % 2}",
        # Ids of devices are unique, but `MOVED` sends for one tenant and is registered with the other.
        "device_id": MOVED if n % 7 == 5 else f"{tenant[0]}-{n % 7 % 3}",
        "hour": f"{hour:%H}",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        "valid_to": None,
        "country": "DE" if tenant == OWN else MARK,
        "timezone": "Europe/Berlin",
        "status": "active",
    }


def _parquet(table: Table, rows: list[Row]) -> bytes:
    schema = pa.schema([(column.name, _TYPES[column.type]) for column in table.columns])
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer, compression="zstd")
    return buffer.getvalue()


def foreign_in(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows in which something of the foreign tenant can be seen."""
    return [row for row in rows if FOREIGN in repr(row) or MARK in repr(row) or any(map(_is_far, row))]


def _is_far(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= FAR
