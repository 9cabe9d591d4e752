"""Whether an hour of a table may be removed, and why; or for what it is kept."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from iot_pipeline.contract import Table, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.hours import Day, Hour, partition_of
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import marks_of
from iot_pipeline.lake.quarantine import follows

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOT_JUDGED = "it was never judged"
Reasons = Iterator[tuple[Hour, str]]


@dataclass(frozen=True)
class Verdict:
    """Whether an hour may be removed, and why. `received`: of raw, how many readings its books balance with."""

    safe: bool
    why: str
    received: int = 0


@dataclass(frozen=True)
class Safety:
    """Judges hours of one lake. `held` and `needed` are as `Retention` has them."""

    lake: Lake
    s3: "S3Client"
    held: frozenset[str]
    needed: Callable[[Sequence[Hour]], Mapping[Hour, str]]

    def of(self, table: Table, hours: Sequence[Hour], now: datetime) -> dict[Hour, Verdict]:
        """A verdict on each of these hours, at most as many as one statement takes; `now` is aware."""
        zones = tables(self.lake.contract)
        reasons: dict[str, Callable[[Sequence[Hour]], Reasons]] = {
            zones.raw_telemetry.name: lambda some: self._raw(some, now),
            zones.judged_telemetry.name: self._judged,
            zones.quarantined_telemetry.name: self._quarantined,
            zones.ledger.name: self._ledger,
            zones.curated_telemetry.name: self._curated,
            zones.daily_telemetry.name: self._days,
            zones.alert_history.name: self._alerts,
        }
        why = {
            zones.raw_telemetry.name: "all its objects are judged, by the rules in force; its books balance: {}",
            zones.judged_telemetry.name: "every event hour that it touches holds its readings; its quarantine is built",
            zones.quarantined_telemetry.name: "its ledger counts what it holds",
            zones.ledger.name: "its raw objects and its judged rows are gone, by their retention",
            zones.curated_telemetry.name: "it holds what the ledger says, and no late reading can come any more",
            zones.daily_telemetry.name: "all its hours are gone, by their retention",
            zones.alert_history.name: "all its alerts are over",
        }[table.name]
        kept = {hour: Verdict(False, reason) for hour, reason in reasons[table.name](hours)}
        # Last, so that a hold is the reason that is told.
        kept |= {hour: Verdict(False, reason) for hour, reason in self._held(table, hours)}
        safe = [hour for hour in hours if hour not in kept]
        if table.name == zones.raw_telemetry.name:
            return kept | self._received(why, safe)
        return kept | {hour: Verdict(True, why) for hour in safe}

    def _held(self, table: Table, hours: Sequence[Hour]) -> Reasons:
        zones = tables(self.lake.contract)
        # A day stays as long as any of its hours, and those are held.
        if not self.held or table.name == zones.daily_telemetry.name:
            return
        asked = table if table.name in (zones.curated_telemetry.name, zones.alert_history.name) else zones.ledger
        rows = self.lake.athena.run(statements.tenants_of_hours(asked, hours, self.held)).rows
        for row in rows:
            hour, tenant = partition_of(row[:-1]), row[-1]
            yield hour, f"legal hold of {tenant}" if tenant else "legal holds, and it has lines that name no tenant"

    def _raw(self, hours: Sequence[Hour], now: datetime) -> Reasons:
        ledger = self._there(tables(self.lake.contract).ledger, hours)
        yield from ((hour, _NOT_JUDGED) for hour in hours if hour not in ledger)
        judged = [hour for hour in hours if hour in ledger]
        if not judged:
            return
        stale = self.lake.stale_arrivals(judged)
        yield from ((hour, "the contract in force would judge it otherwise") for hour in stale)
        for balance in self.lake.arrival_balances(judged):
            if not balance.balances:
                counts = f"{balance.received} received, {balance.valid} + {balance.quarantined}"
                yield balance.hour, f"its books do not balance: {counts}"
        for fault in Audit(self.lake, Objects(self.s3)).raw(judged, now):
            yield fault.hour, fault.what
        yield from ((hour, f"the backfill {plan} is still to judge it") for hour, plan in self.needed(judged).items())

    def _received(self, why: str, hours: Sequence[Hour]) -> dict[Hour, Verdict]:
        counts: dict[Hour, Counter[str]] = {hour: Counter() for hour in hours}
        for row in self.lake.athena.run(statements.ledger_of_arrival_hours(hours)).rows if hours else ():
            counts[Hour.from_values(row[:4])]["valid" if row[4] == "valid" else "quarantined"] += int(row[6])
        return {
            hour: Verdict(
                True,
                why.format(f"{n.total()} received = {n['valid']} valid + {n['quarantined']} quarantined"),
                n.total(),
            )
            for hour, n in counts.items()
        }

    def _judged(self, hours: Sequence[Hour]) -> Reasons:
        zones = tables(self.lake.contract)
        ledger = self.lake.catalog.partitions(zones.ledger.name, hours)
        yield from ((hour, "it has no ledger") for hour in hours if hour not in ledger)
        quarantine = self.lake.catalog.partitions(zones.quarantined_telemetry.name, ledger)
        removed = self._removed(zones.quarantined_telemetry, ledger.keys() - quarantine.keys())
        for hour, partition in ledger.items():
            if hour not in removed and not follows(quarantine.get(hour), partition):
                yield hour, "its quarantine is not built from it yet"
        touched = marks_of(self.lake.athena, ledger)
        stale = set(self.lake.stale({event for marks in touched.values() for event in marks}))
        for hour, marks in touched.items():
            if behind := sorted(stale & marks.keys()):
                yield hour, f"{len(behind)} event hours are to be built from it, first {behind[0]}"

    def _quarantined(self, hours: Sequence[Hour]) -> Reasons:
        ledger = self._there(tables(self.lake.contract).ledger, hours)
        absent = [hour for hour in hours if hour not in ledger]
        removed = self._removed(tables(self.lake.contract).ledger, absent)
        yield from ((hour, "it has no ledger") for hour in absent if hour not in removed)

    def _ledger(self, hours: Sequence[Hour]) -> Reasons:
        zones = tables(self.lake.contract)
        for hour in self._there(zones.judged_telemetry, hours):
            yield hour, "its judged rows are there still"
        raw = f"s3://{self.lake.bucket}/{zones.raw_lines.prefix}"
        for hour in hours:
            if Objects(self.s3).any_at(f"{raw}{hour.path}"):
                yield hour, "its raw objects are there still"

    def _curated(self, hours: Sequence[Hour]) -> Reasons:
        yield from ((hour, "it is behind the ledger, and to be built again") for hour in self.lake.stale(hours))

    def _days(self, days: Sequence[Hour]) -> Reasons:
        for day in days:
            if left := self._there(tables(self.lake.contract).curated_telemetry, Day(day.start).hours):
                yield day, f"{len(left)} of its hours are there still, first {min(left)}"

    def _alerts(self, days: Sequence[Hour]) -> Reasons:
        for row in self.lake.athena.run(statements.open_alerts_of_days(days)).rows:
            yield Day.from_values(row), "an alert that opened then is open still"

    def _there(self, table: Table, hours: Iterable[Hour]) -> set[Hour]:
        return set(self.lake.catalog.partitions(table.name, hours))

    def _removed(self, table: Table, hours: Collection[Hour]) -> set[Hour]:
        return self.lake.removals.removed(table.name, hours) if self.lake.removals and hours else set()
