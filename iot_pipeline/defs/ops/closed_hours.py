"""Which closed hours are missing or behind, zone by zone: freshness that looks at partitions and not at clocks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from redshift_connector.core import Connection

from iot_pipeline.contract import tables
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.evaluations import record
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import LakeResource, WarehouseResource
from iot_pipeline.settings import policy
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.transaction import read

LOOKED_AT = 24
# `close_hour` builds an hour ten minutes after it has closed; loads and models follow within minutes.
GRACE = timedelta(minutes=45)
ZONES = ("judged", "curated", "warehouse", "facts")
# The states of an hour in a zone.
BUILT, EMPTY, MISSING, BEHIND = "built", "-", "missing", "behind"
Row = dict[str, str]


def closed_hours(now: datetime) -> list[Hour]:
    """The hours that have to be there: the last LOOKED_AT that closed GRACE ago, of this deployment's time."""
    last = Hour.of(now - GRACE) + -1
    first = Hour.of(policy().partitions_start)
    return [hour for hour in (last + -n for n in range(LOOKED_AT)) if hour >= first]


def states(lake: LakeResource, warehouse: WarehouseResource, hours: Sequence[Hour]) -> dict[Hour, Row]:
    """How each hour stands in each zone: as an arrival hour in the judged one, as an event hour in the others.

    An arrival hour is missing if it has raw objects and no ledger; an event hour is behind if what is there is not
    what the zone before it holds. Raises the errors of Athena's and Redshift's clients, and botocore's.
    """
    opened = lake.open()
    zones = tables(opened.contract)
    ledgers = opened.catalog.partitions(zones.ledger.name, hours)
    curated = opened.catalog.partitions(zones.curated_telemetry.name, hours)
    stale = set(opened.stale(hours))
    with warehouse.loader() as loader:
        unloaded = set(loader.unloaded(hours))
        loads = {Hour.from_sql(row[0]) for row in read(loader.connection, statements.loads_of_hours(hours))}
        unmodelled = _without_facts(loader.connection, hours, loads)
    return {
        hour: {
            "judged": _state(hour in ledgers, hour not in ledgers and lake.has_raw(hour)),
            "curated": _state(hour in curated, hour in stale),
            "warehouse": _state(hour in loads, hour in unloaded),
            "facts": _state(hour in loads and hour not in unmodelled, hour in unmodelled),
        }
        for hour in hours
    }


def _without_facts(connection: Connection, hours: Sequence[Hour], loads: set[Hour]) -> set[Hour]:
    """The loaded hours whose facts are not of that load: all of them before dbt has built any facts."""
    if not read(connection, statements.facts_are_there())[0][0]:
        return loads
    return {Hour.from_sql(row[0]) for row in read(connection, statements.loads_without_facts(hours))}


def _state(is_there: bool, is_wanted: bool) -> str:  # two facts, of which the names say all
    if is_wanted:
        return BEHIND if is_there else MISSING
    return BUILT if is_there else EMPTY


def result_of(found: Mapping[Hour, Row]) -> dg.AssetCheckResult:
    """The check's result, with a table of the hours."""
    wrong = {zone: [hour for hour, row in found.items() if row[zone] in (MISSING, BEHIND)] for zone in ZONES}
    problems = [
        f"{zone}: {', '.join(f'{partition_key(hour)} {found[hour][zone]}' for hour in sorted(hours)[:3])}"
        + (f" and {len(hours) - 3} more" if len(hours) > 3 else "")
        for zone, hours in wrong.items()
        if hours
    ]
    rows = [(partition_key(hour), *(row[zone] for zone in ZONES)) for hour, row in sorted(found.items(), reverse=True)]
    return dg.AssetCheckResult(
        asset_key=curated_telemetry.key,
        check_name="closed_hours_are_built",
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={
            **{f"{zone}: missing or behind": len(hours) for zone, hours in wrong.items()},
            "hours": markdown_table(("hour (UTC)", *ZONES), rows),
        },
    )


@dg.asset_check(
    asset=curated_telemetry,
    description=f"Of the last {LOOKED_AT} hours that closed each is judged, curated, loaded and in the facts, as the "
    "zone before it has it.",
)
def closed_hours_are_built(lake: LakeResource, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Look now."""
    return result_of(states(lake, warehouse, closed_hours(datetime.now(UTC))))


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the check `closed_hours_are_built` every ten minutes, without the cost of a run.",
)
def closed_hours_watch(
    context: dg.SensorEvaluationContext, lake: LakeResource, warehouse: WarehouseResource
) -> dg.SkipReason:
    """Evaluate the check here and record it. Before the first curated hour there is nothing to be behind of."""
    if context.instance.get_latest_materialization_event(curated_telemetry.key) is None:
        return dg.SkipReason("nothing has been curated yet")
    result = result_of(states(lake, warehouse, closed_hours(datetime.now(UTC))))
    record(context.instance, result)
    return dg.SkipReason(result.description or "all closed hours are built")
