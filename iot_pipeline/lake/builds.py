"""Building partitions: write to a new version, audit it, then publish. A failed build leaves the last one in place."""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from iot_pipeline.contract import Contract, Table, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.statements import MAX_PARTITIONS, Target

# Throw-away tables over a build's location; the clean-up drops those that a crash left behind.
BUILD_TABLE_PREFIX = "build_"

# A ledger published while a curated build runs changes what the build must hold; it is then built anew.
ATTEMPTS = 3


class LedgerImbalanceError(RuntimeError):
    """A build does not hold what the ledger says it must. It was not published; the previous version stands."""


@dataclass(frozen=True)
class EventHourBalance:
    """One event hour of the ledger against what was built: readings in, readings out."""

    hour: Hour
    valid: int
    rows: int
    duplicates: int
    conflicts: int

    @property
    def balances(self) -> bool:
        """Whether every valid reading is exactly one of row, duplicate, conflict."""
        return self.valid == self.rows + self.duplicates + self.conflicts


@dataclass(frozen=True)
class EventHourPlan:
    """What the ledger says of some event hours: valid readings and contributing arrival hours of each."""

    valid: dict[Hour, int]
    arrivals: dict[Hour, frozenset[Hour]]
    inputs: dict[Hour, str]

    @property
    def all_arrivals(self) -> set[Hour]:
        """Every arrival hour that contributes to any of the event hours."""
        return {hour for hours in self.arrivals.values() for hour in hours}


@dataclass(frozen=True)
class Lake:
    """The lake of one deployment: its bucket, its catalog, its engine and its contract."""

    bucket: str
    catalog: Catalog
    athena: Athena
    contract: Contract
    progress: Callable[[str], None] = lambda _: None

    def judge(self, hours: Iterable[Hour]) -> None:
        """Judge all that arrived in these hours and build its ledger; publish both.

        The ledger comes last: what is judged but not in it is not looked at by any build.
        """
        judged, ledger = tables(self.contract).judged_telemetry, tables(self.contract).ledger
        for batch in _batches(hours):
            with self._building(judged) as rows, self._building(ledger) as counts:
                self.athena.run(statements.build_judged(self.contract, batch, rows))
                self.athena.run(statements.build_ledger(rows.table, counts))
            self._publish(judged, rows, batch, {})
            self._publish(ledger, counts, batch, {})

    def quarantine(self, hours: Iterable[Hour]) -> None:
        """Build and publish the quarantine of these arrival hours, which must have a ledger."""
        table = tables(self.contract).quarantined_telemetry
        for batch in _batches(hours):
            with self._building(table) as target:
                self.athena.run(statements.build_quarantine(batch, target))
            self._publish(table, target, batch, {})

    def curate(self, event_hours: Iterable[Hour]) -> list[EventHourBalance]:
        """Build, audit and publish these event hours from what the ledger says touches them.

        Returns the balance of each. Raises LedgerImbalanceError, with nothing published of the batch concerned, if a
        build does not hold what the ledger says.
        """
        balances: list[EventHourBalance] = []
        for batch in _batches(event_hours):
            balances += self._curate_batch(batch)
        return balances

    def plan(self, event_hours: Iterable[Hour]) -> EventHourPlan:
        """What the ledger says of these event hours."""
        wanted = sorted(set(event_hours))
        valid = dict.fromkeys(wanted, 0)
        arrivals: dict[Hour, set[Hour]] = defaultdict(set)
        marks: dict[Hour, list[str]] = defaultdict(list)
        for batch in _batches(wanted):
            rows = self.athena.run(statements.ledger_of_event_hours(self.contract, batch)).rows
            for event_hour, year, month, day, hour, readings, objects in rows:
                event, arrival = Hour.from_sql(event_hour), Hour.from_values((year, month, day, hour))
                valid[event] += int(readings)
                arrivals[event].add(arrival)
                marks[event].append(f"{arrival} {readings} {objects}")
        return EventHourPlan(
            valid=valid,
            arrivals={hour: frozenset(arrivals[hour]) for hour in wanted},
            inputs={hour: fingerprint(marks[hour]) for hour in wanted},
        )

    def stale(self, event_hours: Iterable[Hour]) -> list[Hour]:
        """Those of these event hours whose curated partition is missing or was not built from what the ledger holds."""
        plan = self.plan(event_hours)
        built = self.catalog.partitions(tables(self.contract).curated_telemetry.name, plan.valid)
        return [
            hour
            for hour, inputs in sorted(plan.inputs.items())
            if (plan.valid[hour] or hour in built)
            and (hour not in built or built[hour].parameters.get("inputs") != inputs)
        ]

    def touched(self, arrival_hours: Iterable[Hour]) -> list[Hour]:
        """The event hours that have valid readings in these arrival hours."""
        hours: set[Hour] = set()
        for batch in _batches(arrival_hours):
            rows = self.athena.run(statements.touched_event_hours(batch)).rows
            hours |= {Hour.from_sql(row[0]) for row in rows}
        return sorted(hours)

    def _curate_batch(self, batch: Sequence[Hour]) -> list[EventHourBalance]:
        table = tables(self.contract).curated_telemetry
        wrong: list[EventHourBalance] = []
        for attempt in range(1, ATTEMPTS + 1):
            plan = self.plan(batch)
            with self._building(table) as target:
                balances = self._build_and_audit(batch, plan, target)
            wrong = [balance for balance in balances if not balance.balances]
            if not wrong:
                self._publish(table, target, batch, _notes(plan, balances))
                return balances
            if self.plan(batch).inputs == plan.inputs:
                raise LedgerImbalanceError(_explain(wrong))
            self.progress(f"the ledger changed while building (attempt {attempt} of {ATTEMPTS}); building again")
        raise LedgerImbalanceError(f"the ledger kept changing; run the hours again later. {_explain(wrong)}")

    def _build_and_audit(self, batch: Sequence[Hour], plan: EventHourPlan, target: Target) -> list[EventHourBalance]:
        counts: dict[Hour, tuple[int, int, int]] = {}
        if plan.all_arrivals:
            self.athena.run(statements.build_curated(self.contract, batch, plan.all_arrivals, target))
            for row in self.athena.run(statements.count_built(target.table)).rows:
                counts[Hour.from_values(row[:4])] = (int(row[4]), int(row[5]), int(row[6]))
        return [EventHourBalance(hour, plan.valid[hour], *counts.get(hour, (0, 0, 0))) for hour in batch]

    @contextmanager
    def _building(self, table: Table) -> Iterator[Target]:
        """A throw-away table over a new version's location; the table goes, what was written stays."""
        build = f"{datetime.now(UTC):%Y%m%dT%H%M%S}_{uuid.uuid4().hex[:8]}"
        location = f"s3://{self.bucket}/{table.prefix}v={build}/"
        target = Target(f"{BUILD_TABLE_PREFIX}{table.name}_{build.lower()}", location)
        self.progress(f"building {table.name} into {location}")
        try:
            yield target
        finally:
            self.catalog.drop_table(target.table)

    def _publish(self, table: Table, target: Target, hours: Sequence[Hour], notes: dict[Hour, dict[str, str]]) -> None:
        built_at = datetime.now(UTC).isoformat(timespec="seconds")
        partitions = [
            Partition(hour, target.location + hour.path, {"built_at": built_at, **notes.get(hour, {})})
            for hour in hours
        ]
        self.catalog.publish(table.name, partitions)
        self.progress(f"published {len(partitions)} partitions of {table.name}")


def fingerprint(marks: Iterable[str]) -> str:
    """An order-independent mark of what the ledger holds for an event hour; equal marks give equal partitions."""
    return hashlib.sha256("\n".join(sorted(marks)).encode()).hexdigest()[:16]


def _notes(plan: EventHourPlan, balances: Iterable[EventHourBalance]) -> dict[Hour, dict[str, str]]:
    return {
        b.hour: {
            "inputs": plan.inputs[b.hour],
            "valid": str(b.valid),
            "rows": str(b.rows),
            "duplicates": str(b.duplicates),
            "conflicts": str(b.conflicts),
        }
        for b in balances
    }


def _explain(wrong: Iterable[EventHourBalance]) -> str:
    hours = "; ".join(
        f"{b.hour}: ledger {b.valid} valid, built {b.rows} rows + {b.duplicates} duplicates + {b.conflicts} conflicts"
        for b in wrong
    )
    return (
        f"the build does not hold what the ledger says: {hours}. Nothing was published; the last version stands. Build "
        "ledger of their arrival hours again, then these hours"
    )


def _batches(hours: Iterable[Hour]) -> Iterable[list[Hour]]:
    wanted = sorted(set(hours))
    return (wanted[i : i + MAX_PARTITIONS] for i in range(0, len(wanted), MAX_PARTITIONS))
