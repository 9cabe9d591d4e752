"""Making plans, keeping them, and saying which of a plan's steps are still to be done."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from iot_pipeline.backfill.plan import Plan, PlanError, Step, Why, Zone
from iot_pipeline.contract import tables
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.warehouse.load import Loader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "backfills/"
# Listings of S3 that are made side by side.
_READERS = 16


@dataclass(frozen=True)
class Planner:
    """Makes and keeps the plans of one deployment."""

    lake: Lake
    objects: Objects
    s3: "S3Client"
    loading: Callable[[], AbstractContextManager[Loader]]

    def make(self, first: Hour, last: Hour, zones: Iterable[Zone] = Zone, *, force: bool = False) -> Plan:
        """Look at the hours from one to another, both included, and keep the plan.

        They are arrival hours of the judged zone and event hours of the others; and so are the event hours that the
        arrival hours to be judged touch, wherever those lie. `force` builds what is current as well. Raises PlanError
        if there is no hour; the errors of Athena's and Redshift's clients, and botocore's.
        """
        hours, wanted = hours_between(first, last), set(zones)
        if not hours:
            raise PlanError(f"the last hour, {last}, is before the first, {first}")
        steps = self._judged(hours, force=force) if Zone.JUDGED in wanted else []
        if Zone.CURATED in wanted:
            steps += self._curated(hours, {step.hour: step.size for step in steps}, force=force)
        if Zone.WAREHOUSE in wanted:
            steps += self._loaded(hours, [step.hour for step in steps if step.zone is Zone.CURATED])
        now = datetime.now(UTC)
        plan = Plan(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", first, last, now, steps)
        self.s3.put_object(Bucket=self.lake.bucket, Key=_key(plan.id), Body=plan.encode().encode())
        return plan

    def read(self, plan_id: str) -> Plan:
        """A plan that was made. Raises PlanError if there is none of that id."""
        try:
            answer = self.s3.get_object(Bucket=self.lake.bucket, Key=_key(plan_id))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
            raise PlanError(f"there is no plan {plan_id!r}; `plan` makes one and prints its id") from error
        return Plan.decode(answer["Body"].read().decode())

    def left(self, plan: Plan, steps: Sequence[Step]) -> list[Hour]:
        """The hours of steps of one zone that are still to be built: whatever has been done since is left out."""
        if not steps:
            return []
        zone, zones, hours = steps[0].zone, tables(self.lake.contract), [step.hour for step in steps]
        if zone is Zone.WAREHOUSE:
            with self.loading() as loader:
                return loader.unloaded(hours)
        if zone is Zone.JUDGED:
            built = self.lake.catalog.partitions(zones.ledger.name, hours)
            left = [hour for hour in hours if not _is_newer(built.get(hour), plan)]
            expired = self.lake.expired.arrivals(left)
            return [hour for hour in left if hour not in expired]
        built = self.lake.catalog.partitions(zones.curated_telemetry.name, hours)
        stale = set(self.lake.stale(hours))
        forced = {step.hour for step in steps if step.why is Why.FORCED and not _is_newer(built.get(step.hour), plan)}
        return sorted(stale | forced)

    def needed(self, arrival_hours: Iterable[Hour], since: datetime) -> dict[Hour, str]:
        """Those of these arrival hours that a plan made after `since` (aware) is still to judge, and that plan's id."""
        wanted, found = set(arrival_hours), dict[Hour, str]()
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.lake.bucket, Prefix=PREFIX)
        recent = [it["Key"] for page in pages for it in page.get("Contents", []) if it["LastModified"] > since]
        for key in recent:
            plan = self.read(key.removeprefix(PREFIX).removesuffix(".json"))
            steps = [step for step in plan.of(Zone.JUDGED) if step.hour in wanted]
            found |= dict.fromkeys(self.left(plan, steps), plan.id)
        return found

    def _judged(self, hours: Sequence[Hour], *, force: bool) -> list[Step]:
        zones, lake = tables(self.lake.contract), self.lake
        raw = f"s3://{lake.bucket}/{zones.raw_lines.prefix}"
        sizes = self._sizes({hour: f"{raw}{hour.path}" for hour in hours})
        there = lake.catalog.partitions(zones.ledger.name, hours)
        missing = {hour for hour in hours if hour not in there and sizes[hour]}
        changed = set(lake.stale_arrivals([hour for hour in hours if hour in there]))
        # An hour without raw objects cannot be judged again: it is expired, and what was judged of it stands.
        forced = there.keys() - lake.expired.arrivals(there) if force else set()
        return [
            Step(Zone.JUDGED, hour, why, sizes[hour])
            for why, found in ((Why.MISSING, missing), (Why.CONTRACT, changed), (Why.FORCED, forced - changed))
            for hour in sorted(found)
        ]

    def _curated(self, hours: Sequence[Hour], judged: Mapping[Hour, int], *, force: bool) -> list[Step]:
        """The event hours of these hours, and those that the judged ones touch now. What a missing arrival hour will
        touch is known when it is judged: until then its own hour stands for it, and its raw bytes for its judged ones.

        `judged` are the arrival hours to be judged, with their raw bytes.
        """
        zones, lake = tables(self.lake.contract), self.lake
        follow = {*lake.touched(judged), *judged}
        looked_at = sorted({*hours, *follow})
        plan = lake.plan(looked_at)
        there = lake.catalog.partitions(zones.curated_telemetry.name, looked_at)
        stale = set(lake.stale(plan))
        whys = {hour: Why.STALE if hour in there else Why.MISSING for hour in stale}
        whys |= dict.fromkeys(follow - stale, Why.FOLLOWS)
        if force:
            whys |= {hour: Why.FORCED for hour in hours if hour in there and hour not in stale}
            expired = lake.expired.event_hours([hour for hour in whys if whys[hour] is Why.FORCED], plan, there)
            whys = {hour: why for hour, why in whys.items() if hour not in expired}
        arrivals = {arrival for hour in whys for arrival in plan.marks.get(hour, {})}
        sources = lake.catalog.partitions(zones.judged_telemetry.name, arrivals)
        sizes = self._sizes({hour: partition.location for hour, partition in sources.items()})
        # An arrival hour's judged rows are read once for all the event hours of a statement: each bears its share.
        shares = dict.fromkeys(sizes, 0)
        for hour in whys:
            for arrival in plan.marks.get(hour, {}):
                shares[arrival] = shares.get(arrival, 0) + 1
        return [
            Step(
                Zone.CURATED,
                hour,
                why,
                sum(sizes.get(arrival, 0) // shares[arrival] for arrival in plan.marks.get(hour, {}))
                or judged.get(hour, 0),
            )
            for hour, why in sorted(whys.items())
        ]

    def _loaded(self, hours: Sequence[Hour], curated: Sequence[Hour]) -> list[Step]:
        with self.loading() as loader:
            unloaded = set(loader.unloaded(hours))
        table = tables(self.lake.contract).curated_telemetry.name
        wanted = sorted({*unloaded, *curated})
        there = self.lake.catalog.partitions(table, wanted)
        sizes = self._sizes({hour: partition.location for hour, partition in there.items()})
        return [
            Step(Zone.WAREHOUSE, hour, Why.STALE if hour in unloaded else Why.FOLLOWS, sizes.get(hour, 0))
            for hour in wanted
        ]

    def _sizes(self, locations: dict[Hour, str]) -> dict[Hour, int]:
        with ThreadPoolExecutor(_READERS) as pool:
            found = pool.map(lambda location: sum(each.size for each in self.objects.at(location)), locations.values())
            return dict(zip(locations, found, strict=True))


def _is_newer(partition: Partition | None, plan: Plan) -> bool:
    """Whether a partition was built after a plan was made."""
    return partition is not None and partition.notes is not None and partition.notes.built_at > plan.made_at


def _key(plan_id: str) -> str:
    return f"{PREFIX}{plan_id}.json"
