"""The warehouse: all its schemas dropped, and rebuilt from the lake and the registry."""

import dagster as dg
import psycopg

from infra.local.drill.outcome import REBUILT, Outcome, timed
from infra.local.drill.row_counts import TABLES_AND_VIEWS, differences, row_counts
from infra.local.redshift.process import Redshift
from infra.local.session.dagster_runs import (
    build_models,
    export_alerts,
    load_unloaded_hours,
    snapshot_registry,
)
from infra.local.session.database_users import make_warehouse_users
from infra.local.session.platform import WAREHOUSE_DATABASE, Platform
from iot_pipeline.warehouse.users import SCHEMAS


def drill(platform: Platform, redshift: Redshift) -> list[Outcome]:
    """Drop all, rebuild all; each table and view must have the rows that it had."""
    before = _counts(platform)
    # The database itself stays, since it holds the local Redshift's own catalog.
    with psycopg.connect(platform.postgres.dsn(WAREHOUSE_DATABASE)) as connection:
        for schema in SCHEMAS:
            connection.execute(psycopg.sql.SQL("DROP SCHEMA {} CASCADE").format(psycopg.sql.Identifier(schema)))
    with timed() as watch, dg.DagsterInstance.get() as instance:
        make_warehouse_users(redshift)
        snapshot_registry(instance)
        load_unloaded_hours(instance)
        export_alerts(instance, everything=True)
        build_models(instance, platform.state_dir / "dbt.log")
    after = _counts(platform)
    wrong, total = tuple(differences(before, after)), sum(before.values())
    return [Outcome("warehouse", "lake and registry", watch.seconds, total, sum(after.values()), 0.0, REBUILT, wrong)]


def _counts(platform: Platform) -> dict[str, int]:
    return row_counts(platform.postgres.dsn(WAREHOUSE_DATABASE), SCHEMAS, TABLES_AND_VIEWS)
