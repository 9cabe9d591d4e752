"""The registry's copy in the warehouse: all of one moment, or the copy before."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline.registry.devices import move_device
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline.resources import RegistryResource, WarehouseResource
from iot_pipeline.warehouse import registry_export, statements
from iot_pipeline.warehouse.snapshot import PREFIX, SnapshotLoader, SnapshotMismatchError
from iot_pipeline.warehouse.tables import registry_tables
from iot_pipeline.warehouse.transaction import read, run
from iot_pipeline_tests.support.emulator import unique
from iot_pipeline_tests.support.registry import catalog

INSTALLED = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def snapshots(warehouse: WarehouseResource) -> Iterator[SnapshotLoader]:
    with warehouse.snapshot_loader() as loader:
        yield loader


@pytest.fixture
def device(registry: psycopg.Connection[Any]) -> str:
    """A device at site a of a tenant of its own."""
    tenant = unique("tenant")
    apply(registry, catalog(tenant))
    device = unique("device")
    add_device(registry, Request(device, tenant, "a", f"{tenant}-model", installed_at=INSTALLED))
    registry.commit()
    return device


def versions_of(loader: SnapshotLoader, device: str) -> list[tuple[Any, ...]]:
    sql = f"SELECT site_id, valid_from, valid_to FROM registry.device_versions WHERE device_id = '{device}' ORDER BY 2"
    return read(loader.connection, sql)


def content(loader: SnapshotLoader) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the copy, by table."""
    return {
        table.name: sorted(
            read(loader.connection, f"SELECT {', '.join(table.column_names)} FROM {table.full_name}"), key=repr
        )
        for table in registry_tables()
    }


def test_a_snapshot_is_the_registry(snapshots: SnapshotLoader, registry: psycopg.Connection[Any], device: str) -> None:
    done = snapshots.load(registry)
    taken = registry_export.snapshot(registry)
    assert done.rows == {name: table.num_rows for name, table in taken.items()}
    assert done.rows["calibrations"] == 0, "an empty table is loaded too"
    for name, rows in content(snapshots).items():
        assert rows == sorted((tuple(row.values()) for row in taken[name].to_pylist()), key=repr), name
    assert versions_of(snapshots, device) == [("a", INSTALLED.replace(tzinfo=None), None)]


def test_a_move_at_noon_arrives_with_the_next_snapshot_and_the_last_ones_objects_go(
    snapshots: SnapshotLoader, registry: psycopg.Connection[Any], device: str
) -> None:
    snapshots.load(registry)
    assert snapshots.load(registry).recorded == 0
    move_device(registry, device, "b", NOON)
    registry.commit()
    assert snapshots.load(registry).recorded >= 1
    noon = NOON.replace(tzinfo=None)
    assert versions_of(snapshots, device) == [("a", INSTALLED.replace(tzinfo=None), noon), ("b", noon, None)]
    listed = boto3.client("s3").list_objects_v2(Bucket=snapshots.bucket, Prefix=f"{PREFIX}v=")["Contents"]
    assert len({item["Key"].split("/")[1] for item in listed}) == 1


class Lossy:
    """An S3 that keeps a row less of each table than it is given."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def put_object(self, *, Body: bytes, **options: Any) -> None:  # noqa: N803  # boto3's name
        body = io.BytesIO()
        rows: pa.Table = pq.read_table(io.BytesIO(Body))
        pq.write_table(rows.slice(1), body)
        self.s3.put_object(Body=body.getvalue(), **options)


def test_a_snapshot_that_did_not_arrive_whole_is_rolled_back(
    snapshots: SnapshotLoader, registry: psycopg.Connection[Any], device: str
) -> None:
    snapshots.load(registry)
    before = content(snapshots)
    move_device(registry, device, "b", NOON)
    registry.commit()
    lossy: Any = Lossy(snapshots.s3)
    with pytest.raises(SnapshotMismatchError, match=r"registry.tenants: the registry has \d+ rows, loaded \d+"):
        replace(snapshots, s3=lossy).load(registry)
    assert content(snapshots) == before
    snapshots.load(registry)
    assert len(versions_of(snapshots, device)) == 2


def test_snapshots_at_once_do_not_double_anything(
    snapshots: SnapshotLoader, warehouse: WarehouseResource, registry: psycopg.Connection[Any], device: str
) -> None:
    def load(_: int) -> None:
        with warehouse.snapshot_loader() as loader, RegistryResource().connect() as source:
            loader.load(source)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, range(4)))
    assert len(versions_of(snapshots, device)) == 1
    assert {name: len(rows) for name, rows in content(snapshots).items()} == {
        name: table.num_rows for name, table in registry_export.snapshot(registry).items()
    }


def test_versions_that_overlap_are_found(snapshots: SnapshotLoader) -> None:
    (table,) = [table for table in registry_tables() if table.name == "device_versions"]
    sql = statements.overlapping_versions(table, ("device_id",))
    assert read(snapshots.connection, sql) == []
    day = timedelta(days=1)
    rows: dict[str, list[tuple[datetime, datetime | None]]] = {
        "fine": [(INSTALLED, NOON), (NOON, None)],
        "gap": [(INSTALLED, NOON), (NOON + day, None)],
        "twice open": [(INSTALLED, None), (NOON, None)],
        "overlap": [(INSTALLED, NOON + day), (NOON, None)],
        "backwards": [(NOON, INSTALLED)],
    }
    for device, versions in rows.items():
        for start, end in versions:
            until = f"TIMESTAMP '{end:%Y-%m-%d %H:%M:%S}'" if end else "NULL"
            run(
                snapshots.connection,
                "INSERT INTO registry.device_versions (device_id, valid_from, valid_to) "
                f"VALUES ('{device}', TIMESTAMP '{start:%Y-%m-%d %H:%M:%S}', {until})",
            )
    assert {row[0] for row in run(snapshots.connection, sql)} == {"twice open", "overlap", "backwards"}
    snapshots.connection.rollback()
