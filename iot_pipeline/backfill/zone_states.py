"""How hours stand, zone by zone: built, missing, behind, or with nothing to build from."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from redshift_connector.core import Connection

from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.load import Loader
from iot_pipeline.warehouse.transaction import read

ZONES = ("judged", "curated", "warehouse", "facts")
# The states of an hour in a zone.
BUILT, EMPTY, MISSING, BEHIND = "built", "-", "missing", "behind"
# Retention has removed it.
EXPIRED = "expired"
Row = dict[str, str]


def zone_states(
    lake: Lake, objects: Objects, loading: Callable[[], AbstractContextManager[Loader]], hours: Sequence[Hour]
) -> dict[Hour, Row]:
    """How each hour stands in each zone: as an arrival hour in the judged one, as an event hour in the others.

    An arrival hour is missing if it has raw objects and no ledger; an event hour is behind if what is there is not
    what the zone before it holds. What retention has removed is expired. Raises the errors of Athena's and Redshift's
    clients, and botocore's.
    """
    zones = tables(lake.contract)
    raw = f"s3://{lake.bucket}/{zones.raw_lines.prefix}"
    ledgers = lake.catalog.partitions(zones.ledger.name, hours)
    curated = lake.catalog.partitions(zones.curated_telemetry.name, hours)
    stale = set(lake.stale(hours))
    with loading() as loader:
        unloaded = set(loader.unloaded(hours))
        loads = {Hour.from_sql(row[0]) for row in read(loader.connection, statements.loads_of_hours(hours))}
        unmodelled = _without_facts(loader.connection, hours, loads)
    removed = {
        name: _removed(lake, name, set(hours) - there.keys())
        for name, there in ((zones.ledger.name, ledgers), (zones.curated_telemetry.name, curated))
    }
    return {
        hour: {
            "judged": EXPIRED
            if hour in removed[zones.ledger.name]
            else _state(hour in ledgers, hour not in ledgers and objects.any_at(f"{raw}{hour.path}")),
            "curated": EXPIRED
            if hour in removed[zones.curated_telemetry.name]
            else _state(hour in curated, hour in stale),
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


def _removed(lake: Lake, table: str, absent: set[Hour]) -> set[Hour]:
    return lake.removals.removed(table, absent) if lake.removals and absent else set()


def _state(is_there: bool, is_wanted: bool) -> str:  # two facts, of which the names say all
    if is_wanted:
        return BEHIND if is_there else MISSING
    return BUILT if is_there else EMPTY
