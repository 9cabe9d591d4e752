"""What is loaded into the warehouse, and in its facts, against what is curated."""

from datetime import datetime

from pydantic import BaseModel

from iot_pipeline.connections.lake import open_catalog
from iot_pipeline.connections.warehouse import open_warehouse
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.hours_seen import is_recent, last_hours
from iot_pipeline.console.health.shared import Look
from iot_pipeline.console.health.zones import HOURS, Partition
from iot_pipeline.contract import tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.settings import policy
from iot_pipeline.warehouse import statements
from iot_pipeline.warehouse.transaction import read


class LoadedRow(BaseModel):
    """An event hour: its load, and its facts. `rows` are those that were loaded."""

    hour: datetime
    recent: bool
    loaded: Partition
    facts: Partition
    rows: int | None


class Warehouse(BaseModel):
    """The newest first."""

    hours: list[LoadedRow]


def open_look() -> Look:
    """Asks Glue, and the warehouse on a connection for each look, which Redshift Serverless bills for a minute."""
    catalog = open_catalog()
    return lambda now: look(catalog, now)


def look(catalog: Catalog, now: datetime) -> Finding:
    """The last two days."""
    hours = last_hours(now, HOURS)
    with asking("Glue"):
        curated = catalog.partitions(tables(policy().contract).curated_telemetry.name, hours)
    with asking("the warehouse"), open_warehouse() as connection:
        made = read(connection, statements.loads_are_there())[0][0]
        rows_of_loads = read(connection, statements.loads_of_hours(hours)) if made else []
        loads = {Hour.from_sql(row[0]): row for row in rows_of_loads}
        unmodelled = set(loads)
        if loads and read(connection, statements.facts_are_there())[0][0]:
            unmodelled = {Hour.from_sql(row[0]) for row in read(connection, statements.loads_without_facts(hours))}
    rows = []
    for hour in reversed(hours):
        load, partition = loads.get(hour), curated.get(hour)
        rows.append(
            LoadedRow(
                hour=hour.start,
                recent=is_recent(hour, now),
                loaded=_loaded(partition.content if partition else None, load[1] if load else None),
                facts=_facts(is_loaded=load is not None, is_without=hour in unmodelled),
                rows=int(load[2]) if load else None,
            )
        )
    wrong = {Partition.MISSING, Partition.BEHIND}
    late = [row for row in rows if not row.recent and (row.loaded in wrong or row.facts in wrong)]
    data = Warehouse(hours=rows)
    if late:
        words = f"{several(len(late), 'hour')} not loaded or not in the facts, the last {Hour.of(late[0].hour)}"
        return Finding(State.WARNING, words, data)
    return Finding(State.OK, f"{several(len(loads), 'hour')} loaded, as curated", data)


def _loaded(curated: str | None, loaded: str | None) -> Partition:
    if curated == loaded:
        return Partition.EMPTY if curated is None else Partition.BUILT
    return Partition.MISSING if loaded is None else Partition.BEHIND


def _facts(*, is_loaded: bool, is_without: bool) -> Partition:
    if not is_loaded:
        return Partition.EMPTY
    return Partition.MISSING if is_without else Partition.BUILT
