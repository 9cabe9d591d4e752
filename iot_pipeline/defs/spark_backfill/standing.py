"""What stands of a backfill and Dagster has no event of: it is read from the lake, and not told by the job.

A run of the Glue job publishes as it goes. Whatever ends it, or the Dagster run that follows it, what it published
stands. Whoever follows the next run over the same hours reports what nobody could report before.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import dagster as dg

from iot_pipeline.contract import tables
from iot_pipeline.defs.common import EVENTS_PER_TICK
from iot_pipeline.defs.curated.assets import curated_checks, curated_materialization, curated_telemetry
from iot_pipeline.defs.judged.assets import judged_of, ledger, quarantined_of, quarantined_telemetry
from iot_pipeline.defs.scattered_hours import Built
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Row
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.plan import batches
from iot_pipeline.lake.quarantine import balances
from iot_pipeline.partitions import partition_key


def standing(instance: dg.DagsterInstance, lake: Lake, arrivals: Sequence[Hour], touched: Collection[Hour]) -> Built:
    """What is published of these arrival hours, and of the event hours that they touch, and was not reported since.

    Athena is asked for their counts and checks. The metadata is the number of hours of each zone.
    """
    zones = tables(lake.contract)
    judged = unreported(instance, ledger.key, lake.catalog.partitions(zones.ledger.name, arrivals))
    quarantine = lake.catalog.partitions(zones.quarantined_telemetry.name, arrivals)
    refused = unreported(instance, quarantined_telemetry.key, quarantine)
    curated = unreported(
        instance, curated_telemetry.key, lake.catalog.partitions(zones.curated_telemetry.name, touched)
    )
    of_judged = judged_of(judged, _rows(lake, judged, statements.ledger_of_arrival_hours), touched)
    of_refused = _quarantined(lake, refused, quarantine)
    return Built(
        [
            *of_judged.materializations(),
            *of_refused.materializations,
            *(curated_materialization(it) for batch in batches(curated) for it in lake.event_balances(batch)),
        ],
        [
            *(of_refused.checks if refused else ()),
            *(check for batch in batches(curated) for check in curated_checks(lake, batch, lake.written(batch))),
        ],
        {"judged hours": len(judged), "quarantined hours": len(refused), "event hours": len(curated)},
    )


def unreported(instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Mapping[Hour, Partition]) -> list[Hour]:
    """The hours of these partitions of an asset that were built since Dagster was last told of them, in order.

    A partition of which no build noted when it was built is none of a backfill's.
    """
    built = {hour: it.notes.built_at for hour, it in partitions.items() if it.notes}
    found: list[Hour] = []
    for batch in batches(built):
        # Of many events of these hours the latest are of the most recent builds.
        since = min(built[hour] for hour in batch) - timedelta(seconds=1)
        reported = _last_reported(instance, key, [partition_key(hour) for hour in batch], since.timestamp())
        # When a partition was built is noted in whole seconds, and before it is published; its event comes after.
        found += [hour for hour in batch if reported.get(partition_key(hour), 0.0) < built[hour].timestamp()]
    return found


def _last_reported(
    instance: dg.DagsterInstance, key: dg.AssetKey, keys: Sequence[str], since: float
) -> dict[str, float]:
    """When Dagster was last told of each of these partitions, in epoch seconds; none before `since`."""
    wanted = dg.AssetRecordsFilter(key, asset_partitions=keys, after_timestamp=since)
    found: dict[str, float] = {}
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(wanted, limit=EVENTS_PER_TICK, cursor=cursor, ascending=True)
        found |= {it.partition_key: it.timestamp for it in page.records if it.partition_key}
        if not page.has_more:
            return found
        cursor = page.cursor


def _quarantined(lake: Lake, hours: Sequence[Hour], quarantine: Mapping[Hour, Partition]) -> Built:
    """What was quarantined of these hours. What they received is what the build counted, from the raw lines."""
    received = {hour: noted.received or 0 for hour in hours if (noted := quarantine[hour].notes)}
    counted = [it for batch in batches(hours) for it in balances(lake.athena, batch, received)]
    return quarantined_of(hours, _rows(lake, hours, statements.quarantined_of_arrival_hours), counted)


def _rows(lake: Lake, hours: Sequence[Hour], statement: Callable[[Iterable[Hour]], str]) -> list[Row]:
    return [row for batch in batches(hours) for row in lake.athena.run(statement(batch)).rows]
