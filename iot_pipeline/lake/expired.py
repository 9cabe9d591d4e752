"""Hours that retention has removed, or whose sources it has: they are expired, and neither missing nor stale."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from iot_pipeline.contract import Contract, tables
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.plan import EventHourPlan
from iot_pipeline.lake.removals import RAW_TABLE, Removals


class ExpiredError(RuntimeError):
    """What an hour would be built from was removed by retention meanwhile. Nothing was published."""


@dataclass(frozen=True)
class Expired:
    """Asks the book of one lake. Without a book nothing is expired."""

    catalog: Catalog
    contract: Contract
    removals: Removals | None

    def arrivals(self, hours: Iterable[Hour]) -> set[Hour]:
        """Arrival hours without raw objects: what was judged of them stands, and cannot be judged again."""
        return self.removals.removed(RAW_TABLE, hours) if self.removals else set()

    def judged(self, hours: Iterable[Hour]) -> set[Hour]:
        """Of these arrival hours, none of which may be expected to have judged rows, those whose rows were removed."""
        if not self.removals:
            return set()
        wanted, zones = set(hours), tables(self.contract)
        names = (zones.judged_telemetry.name, zones.ledger.name)
        there = [self.catalog.partitions(name, wanted).keys() for name in names]
        gone = wanted - (there[0] & there[1])
        return {hour for name in names for hour in self.removals.removed(name, gone)} if gone else set()

    def uncounted(self, hours: Iterable[Hour]) -> set[Hour]:
        """Arrival hours whose books can no longer be held against each other: rows or records of them were removed."""
        wanted = set(hours)
        quarantine = tables(self.contract).quarantined_telemetry.name
        return self.judged(wanted) | (self.removals.removed(quarantine, wanted) if self.removals else set())

    def event_hours(self, hours: Collection[Hour], plan: EventHourPlan, built: Mapping[Hour, Partition]) -> set[Hour]:
        """Those of these event hours that stay as they are: removed, or with a source removed.

        An event hour that was built from an arrival hour whose rows are gone could only be built with fewer rows.
        """
        if not self.removals or not hours:
            return set()
        sources = {hour: set(plan.marks[hour]) | set(_marks(built.get(hour))) for hour in hours}
        gone = self.judged({arrival for arrivals in sources.values() for arrival in arrivals})
        curated = tables(self.contract).curated_telemetry.name
        absent = [hour for hour in hours if hour not in built]
        return {hour for hour in hours if sources[hour] & gone} | self.removals.removed(curated, absent)


def _marks(partition: Partition | None) -> Collection[Hour]:
    return (partition.marks or {}).keys() if partition else ()
