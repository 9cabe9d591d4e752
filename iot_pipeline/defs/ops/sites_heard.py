"""When each site was last heard of, carried on from one evaluation of `every_site_sends` to the next.

Athena lists each partition that a statement reads, and S3 bills each listing as a PUT (Amazon S3 pricing page), so that
the ledger of a week, read each minute, would be 242,000 listings a day. So an evaluation keeps what it knows, and the
next one reads the ledgers that were built since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from iot_pipeline.defs.common import EVENTS_PER_TICK
from iot_pipeline.defs.judged.assets import ledger
from iot_pipeline.lake.hours import HOUR, Hour, hours_between
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.site_states import SITE_MEMORY_DAYS, Name, last_arrivals
from iot_pipeline.partitions import hour_of

CARRIED = "carried on to the next evaluation"
"""The name of the check's metadata that holds it."""
_MEMBERS = {"sites", "until", "up_to", "whole_at"}
_WHOLE_EACH = timedelta(days=1)
# Among so many builds is one of the open hour, or will be in minutes.
_NEWEST = 100


@dataclass(frozen=True)
class SitesHeard:
    """When each name was last heard of in so many days, by the ledgers that Dagster stored as built up to `up_to`.

    What came after `until` is in none of them: while nothing can be judged nobody is known to be silent. The ledgers of
    all these days were last read at `whole_at`. All moments are aware.
    """

    at: Mapping[Name, datetime]
    until: datetime
    up_to: int
    whole_at: datetime

    @property
    def metadata(self) -> dg.JsonMetadataValue:
        """All of it, for `carried_in`."""
        return dg.MetadataValue.json(
            {
                "sites": [[tenant, site, at.isoformat()] for (tenant, site), at in self.at.items()],
                "until": self.until.isoformat(),
                "up_to": self.up_to,
                "whole_at": self.whole_at.isoformat(),
            }
        )


def carried_in(evaluation: dg.AssetCheckEvaluation | None) -> SitesHeard | None:
    """What an evaluation of the check has kept; None if there is none, or one of a release that kept something else."""
    held = evaluation.metadata.get(CARRIED) if evaluation else None
    value = held.value if isinstance(held, dg.JsonMetadataValue) else None
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        return None
    at = {(tenant, site): datetime.fromisoformat(text) for tenant, site, text in value["sites"]}
    until, whole_at = datetime.fromisoformat(value["until"]), datetime.fromisoformat(value["whole_at"])
    return SitesHeard(at, until, int(value["up_to"]), whole_at)


def sites_heard(instance: dg.DagsterInstance, lake: Lake, carried: SitesHeard | None, now: datetime) -> SitesHeard:
    """What was carried on, with the ledgers built since.

    All days are read if nothing was carried on, after a large backfill, and once a day: who rebuilds or erases without
    Dagster tells nobody.
    """
    remembered = _remembered(now)
    if carried is None or now - carried.whole_at >= _WHOLE_EACH:
        return _whole(instance, lake, carried, now)
    since = dg.AssetRecordsFilter(asset_key=ledger.key, after_storage_id=carried.up_to)
    news = instance.fetch_materializations(since, limit=EVENTS_PER_TICK, ascending=True).records
    if len(news) == EVENTS_PER_TICK:
        return _whole(instance, lake, carried, now)
    built = {hour_of(record.partition_key) for record in news if record.partition_key}
    found = _last_arrivals(lake, sorted(built.intersection(remembered)))
    known = {name: at for name, at in carried.at.items() if at >= remembered[0].start}
    at = known | {name: max(at, known.get(name, at)) for name, at in found.items()}
    up_to = news[-1].storage_id if news else carried.up_to
    return SitesHeard(at, max([carried.until, *map(_until, news)]), up_to, carried.whole_at)


def _whole(instance: dg.DagsterInstance, lake: Lake, carried: SitesHeard | None, now: datetime) -> SitesHeard:
    newest = instance.fetch_materializations(ledger.key, limit=_NEWEST).records
    up_to = newest[0].storage_id if newest else 0
    until = [*map(_until, newest), *([carried.until] if carried else [])]
    return SitesHeard(_last_arrivals(lake, _remembered(now)), max(until, default=now), up_to, now)


def _remembered(now: datetime) -> list[Hour]:
    last = Hour.of(now)
    return hours_between(last + -24 * SITE_MEMORY_DAYS, last)


def _until(record: dg.EventLogRecord) -> datetime:
    """Up to when the ledger that was built then can know of arrivals: the end of its hour, or its build."""
    built = datetime.fromtimestamp(record.timestamp, UTC)
    return min(built, hour_of(record.partition_key).start + HOUR) if record.partition_key else built


def _last_arrivals(lake: Lake, hours: list[Hour]) -> dict[Name, datetime]:
    return {name: arrival.last_received for name, arrival in last_arrivals(lake.athena, hours).items()}
