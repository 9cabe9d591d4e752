"""The registry's copy in the warehouse."""

from typing import Any

import dagster as dg

from iot_pipeline.defs.automation_conditions import first
from iot_pipeline.defs.common import LOAD_POOL, OWNERS
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.resources import RegistryResource, WarehouseResource
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.tables import registry_tables
from iot_pipeline.warehouse.transaction import read

# What the versions of these tables are versions of.
_KEYS = {"site_versions": ("tenant_id", "site_id"), "device_versions": ("device_id",)}

OVERLAP_CHECK = dg.AssetCheckSpec(
    "versions_do_not_overlap",
    asset="registry_snapshot",
    blocking=True,
    description="At any time one version at most of a device or a site holds; else readings would count twice.",
)


@dg.asset(
    group_name="registry",
    kinds={"postgres", "redshift"},
    owners=OWNERS,
    pool=LOAD_POOL,
    # The first one at once: without it all readings are of unknown sensors.
    automation_condition=first() | dg.AutomationCondition.on_cron("*/15 * * * *"),
    check_specs=[OVERLAP_CHECK],
    description=(
        "`registry.*` in Redshift: tenants, customers, sites, devices, models and calibrations with their history, as "
        "they were at one moment; reloaded whole from the registry every 15 minutes."
    ),
)
def registry_snapshot(
    context: dg.AssetExecutionContext, registry: RegistryResource, warehouse: WarehouseResource
) -> dg.MaterializeResult:
    """Load a snapshot."""
    with registry.connect() as source, warehouse.snapshot_loader(context.log.info) as loader:
        done = loader.load(source)
        overlaps: dict[str, list[tuple[Any, ...]]] = {
            table.name: read(loader.connection, statements.overlapping_versions(table, _KEYS[table.name]))
            for table in registry_tables()
            if table.name in _KEYS
        }
    found = [f"{name}: {rows[0]}" for name, rows in overlaps.items() if rows]
    return dg.MaterializeResult(
        metadata={
            "rows": sum(done.rows.values()),
            "versions recorded since the last snapshot": done.recorded,
            "tables": markdown_table(("table", "rows"), list(done.rows.items())),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=OVERLAP_CHECK.name,
                passed=not found,
                description="; ".join(found) or None,
                metadata={f"{name} (at most 100)": len(rows) for name, rows in overlaps.items()},
            )
        ],
    )


@dg.asset(
    group_name="registry",
    kinds={"postgres", "s3"},
    owners=OWNERS,
    automation_condition=first() | dg.AutomationCondition.on_cron("*/15 * * * *"),
    description=(
        "The rules of alerts as the edge's functions read them: what people set, and of the registry which devices are "
        "decommissioned, of which model, and how often they send. A new version only if something of it has changed."
    ),
)
def alert_rules(registry: RegistryResource) -> dg.MaterializeResult:
    """Publish the rules, if they differ from the current version."""
    rules = registry.publish_alert_rules()
    if rules is None:
        return dg.MaterializeResult(metadata={"published": False})
    return dg.MaterializeResult(
        metadata={
            "published": True,
            "version": rules.version,
            "rules set by people": len(rules.overrides),
            "decommissioned devices": len(rules.retired),
        }
    )


@dg.asset(
    group_name="registry",
    kinds={"postgres", "parquet"},
    owners=OWNERS,
    automation_condition=first() | dg.AutomationCondition.on_cron("*/15 * * * *"),
    description=(
        "`registry_sites` and `registry_devices` in the lake: sites and devices with their history, for the view "
        "`device_telemetry` and whoever has Athena alone. Replaced whole from the registry every 15 minutes."
    ),
)
def registry_history(registry: RegistryResource) -> dg.MaterializeResult:
    """Copy both tables."""
    rows = registry.publish_history()
    return dg.MaterializeResult(
        metadata={"rows": sum(rows.values()), "tables": markdown_table(("table", "rows"), list(rows.items()))}
    )
