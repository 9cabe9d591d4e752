"""A lake and a warehouse of the release of 2026-11-21 go on under this one, and nothing is built again.

The steps are those of docs/operations.md, "Upgrading from the release of 2026-11-21".
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import psycopg
import pytest

from infra.local.postgres.program import programs_for
from infra.local.session.database_users import make_warehouse_users
from infra.local.session.platform import Platform
from iot_pipeline.contract.layout import CURATED, FORMER_LEDGER, JUDGED, LEDGER, QUARANTINE
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.lake.cleanup import clean_up
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.migrate import take_over_ledger
from iot_pipeline.resources import RESOURCES, LakeResource, WarehouseResource
from iot_pipeline.warehouse.users import PIPELINE
from iot_pipeline_tests.support.messages import RawZone, Sender, line, message, reading

FORMER = Path(__file__).parents[2] / "fixtures" / "lake_of_2026_11_21.tar.gz"
DUMPED = ("lake", "registry", "marts")
FACTS = "SELECT event_hour, readings, built_at FROM marts.fact_hours ORDER BY event_hour"


@dataclass(frozen=True)
class Upgraded:
    """The former lake under the present code, and what its facts were before."""

    lake: Lake
    arrivals: list[Hour]
    event_hours: list[Hour]
    facts: list[tuple[Any, ...]]
    platform: Platform

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.platform.postgres.dsn("telemetry")) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def upgraded(empty_platform: Platform, tmp_path: Path) -> Upgraded:
    """The former state in a local AWS of its own, after the steps of the upgrade."""
    shutil.unpack_archive(FORMER, tmp_path)
    former = json.loads((tmp_path / "partitions.json").read_text())
    lake = LakeResource().open()
    assert lake.bucket == former["bucket"]
    for path in sorted((tmp_path / "objects").rglob("*")):
        if path.is_file():
            key = str(path.relative_to(tmp_path / "objects"))
            boto3.client("s3").put_object(Bucket=lake.bucket, Key=key, Body=path.read_bytes())
    for table, partitions in former["tables"].items():
        _register(lake, table, partitions)
    _restore(empty_platform, tmp_path / "warehouse.sql")
    with psycopg.connect(empty_platform.postgres.dsn("telemetry")) as connection:
        facts = connection.execute(FACTS).fetchall()
    assert empty_platform.redshift is not None
    make_warehouse_users(empty_platform.redshift)
    arrivals = take_over_ledger(lake.catalog, lake.contract)
    event_hours = sorted(Hour.from_values(p["Values"]) for p in former["tables"]["curated_telemetry"])
    return Upgraded(lake, list(arrivals), event_hours, facts, empty_platform)


def _register(lake: Lake, table: str, partitions: list[dict[str, Any]]) -> None:
    storage: Any = lake.catalog.glue.get_table(DatabaseName=lake.catalog.database, Name=table)["Table"]
    for partition in partitions:
        described: Any = {**storage["StorageDescriptor"], **{k: partition[k] for k in ("Location", "Columns")}}
        lake.catalog.glue.create_partition(
            DatabaseName=lake.catalog.database,
            TableName=table,
            PartitionInput={
                "Values": partition["Values"],
                "StorageDescriptor": described,
                "Parameters": partition["Parameters"],
            },
        )


def _restore(platform: Platform, dump: Path) -> None:
    """Put the dump in the place of the empty schemas; as then, all of it is the pipeline's own."""
    dsn = platform.postgres.dsn("telemetry")
    with psycopg.connect(dsn) as connection:
        for schema in DUMPED:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")
    psql = str(programs_for(dump.parent).folder / "psql")
    command = [psql, "--quiet", "-v", "ON_ERROR_STOP=1", "-f", str(dump), dsn]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = ANY(%s)"
    with psycopg.connect(dsn) as connection:
        for schema in DUMPED:
            connection.execute(f"ALTER SCHEMA {schema} OWNER TO {PIPELINE}")
        for (name,) in connection.execute(tables, (list(DUMPED),)).fetchall():
            connection.execute(f"ALTER TABLE {name} OWNER TO {PIPELINE}")


def test_a_lake_of_the_release_before_goes_on_without_a_rebuild(upgraded: Upgraded) -> None:
    lake, hours = upgraded.lake, upgraded.event_hours
    assert len(upgraded.arrivals) == 3
    assert take_over_ledger(lake.catalog, lake.contract) == [], "a second call does nothing"
    assert lake.stale_arrivals(upgraded.arrivals) == []
    assert lake.stale(hours) == []
    assert all(balance.balances for balance in lake.arrival_balances(upgraded.arrivals))
    assert all(balance.balances and balance.built.rows for balance in lake.event_balances(hours))
    with WarehouseResource().loader() as loader:
        assert loader.unloaded() == []
        assert all(balance.is_current and balance.balances for balance in loader.balances(hours))
    assert upgraded.facts
    assert dg.materialize([warehouse_models], resources=RESOURCES).success
    assert upgraded.rows("SELECT * FROM marts.stale_hours") == []
    assert upgraded.rows(FACTS) == upgraded.facts

    late = hours[0]
    first, now = upgraded.arrivals[0], upgraded.arrivals[-1] + 1
    there = _objects(lake)
    clean_up(boto3.client("s3"), lake.catalog, lake.bucket, lake.contract, timedelta(0))
    assert _objects(lake) == there, "all that is there is in use"
    sent = message(reading(late.start + timedelta(minutes=1), 777))
    RawZone(lake.bucket).put(now, [line(sent, now.start, Sender("meter-1"))])
    lake.judge([now])
    assert lake.stale(hours) == [late], "late data re-opens its hour and no other"
    lake.curate([late])
    with WarehouseResource().loader() as loader:
        assert loader.unloaded() == [late]

    lake.judge([first])
    clean_up(boto3.client("s3"), lake.catalog, lake.bucket, lake.contract, timedelta(0))
    gone = there - _objects(lake)
    assert any(key.startswith(FORMER_LEDGER) for key in gone), "replaced versions go from the former place as well"
    assert lake.stale_arrivals(upgraded.arrivals) == []


def test_a_clean_up_before_the_migration_removes_nothing_that_is_to_be_taken_over(upgraded: Upgraded) -> None:
    lake = upgraded.lake
    glue = lake.catalog.glue
    for hour in upgraded.arrivals:
        glue.delete_partition(DatabaseName=lake.catalog.database, TableName="ledger", PartitionValues=list(hour.values))
    there = _objects(lake)
    clean_up(boto3.client("s3"), lake.catalog, lake.bucket, lake.contract, timedelta(0))
    assert _objects(lake) == there
    assert list(take_over_ledger(lake.catalog, lake.contract)) == upgraded.arrivals


def _objects(lake: Lake) -> set[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.bucket)
    prefixes = (JUDGED, LEDGER, QUARANTINE, CURATED, FORMER_LEDGER)
    return {item["Key"] for page in pages for item in page.get("Contents", []) if item["Key"].startswith(prefixes)}
