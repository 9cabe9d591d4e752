"""A backfill by one engine, from raw lines to curated rows, that does what is not done yet: the lake is its bookmark.

Each batch is published before the next begins. Whatever ends a backfill, the next one over the same hours finds in the
ledger which raw objects were judged, and in the partitions' notes which hours follow from it.
"""

from collections.abc import Iterable, Sequence

from iot_pipeline.contract import tables
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import batches
from iot_pipeline.lake.raw_integrity import judging_began


def backfill(lake: Lake, objects: Objects, arrivals: Iterable[Hour]) -> None:
    """Judge and quarantine what these arrival hours hold and is not judged; curate the event hours that follow.

    Raises as `Lake.judge`, `Lake.quarantine` and `Lake.curate`; what was published before stands.
    """
    wanted = sorted(set(arrivals))
    touched: set[Hour] = set()
    for batch in batches(wanted):
        pending = unjudged(lake, objects, batch)
        lake.progress(f"{batch[0]} to {batch[-1]}: {len(pending)} of {len(batch)} hours are to be judged")
        if pending:
            # Also those of which it had valid readings before, and has none any more.
            touched |= {*lake.touched(pending)}
            lake.judge(pending)
        if behind := lake.unquarantined(batch):
            lake.quarantine(behind)
        touched |= {*lake.touched(batch)}
    stale = lake.stale(touched) if touched else []
    lake.progress(f"{len(stale)} of {len(touched)} event hours are to be built")
    for batch in batches(stale):
        lake.curate(batch, whole=True)


def unjudged(lake: Lake, objects: Objects, hours: Sequence[Hour]) -> list[Hour]:
    """Those of these arrival hours that hold raw objects written since they were judged, or that other rules judged."""
    zones, rules = tables(lake.contract), all_rules(lake.contract)
    ledgers = lake.catalog.partitions(zones.ledger.name, hours)
    raw = f"s3://{lake.bucket}/{zones.raw_lines.prefix}"
    return [hour for hour in hours if _is_pending(objects, f"{raw}{hour.path}", ledgers.get(hour), rules)]


def _is_pending(objects: Objects, location: str, ledger: Partition | None, rules: str) -> bool:
    there = objects.at(location)
    began = judging_began(ledger) if ledger else None
    if ledger is None or ledger.notes is None or began is None or ledger.notes.rules != rules:
        return bool(there)
    # S3 keeps whole seconds: what was written in the second in which the judging began may not have been seen.
    return any(item.written_at >= began for item in there)
