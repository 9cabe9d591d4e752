"""What broke the contract, by arrival hour, and the books of the hour that it closes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from iot_pipeline.contract import Contract, Table, tables
from iot_pipeline.lake import statements
from iot_pipeline.lake.arrival_standing import Standing, standing_of
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.balances import ArrivalHourBalance
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import size_of, sizes_of_build, take_over, written_new
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.lake.objects import Objects, StoredObject
from iot_pipeline.lake.plan import batches
from iot_pipeline.lake.publishing import OvertakenError, Publisher
from iot_pipeline.lake.statements import Target

# How often hours are built again that were judged while their quarantine was built.
ATTEMPTS = 3


@dataclass(frozen=True)
class Addition:
    """What to add to the quarantine of an hour: what its judged rows do not share with those that it was built from.

    `so_far` are the objects of the quarantine, `uris` those of the judged rows to read, `received` its readings so far.
    """

    rows: Partition
    objects: Objects
    so_far: tuple[StoredObject, ...]
    uris: tuple[str, ...]
    received: int


@dataclass(frozen=True)
class Quarantine:
    """The quarantine of one lake. Without `objects` each hour is built whole."""

    catalog: Catalog
    athena: Athena
    contract: Contract
    publisher: Publisher
    objects: Objects | None

    def build(self, hours: Iterable[Hour]) -> list[ArrivalHourBalance]:
        """Build and publish these arrival hours; the balance of each that holds anything.

        An hour that is judged meanwhile is built again. Raises OvertakenError if that goes on and on.
        """
        wanted = sorted(set(hours))
        received: dict[Hour, int] = {}
        left = wanted
        for _ in range(ATTEMPTS):
            received |= self._build_once(left)
            left = [hour for hour in left if hour not in received]
            if not left:
                return balances(self.athena, wanted, received)
        raise OvertakenError(f"{left[0]} was judged {ATTEMPTS} times while its quarantine was built; run it again")

    def _build_once(self, hours: Sequence[Hour]) -> dict[Hour, int]:
        """How many readings each of these hours has received, of those that were not judged meanwhile."""
        standing = self._standing(hours)
        before = self.catalog.partitions(self._table.name, hours)
        received: dict[Hour, int] = {}
        added = set()
        for hour, published in before.items():
            rows = standing[hour].rows
            new = _addition(self.objects, rows, published) if rows and self.objects else None
            if new:
                added.add(hour)
                received |= self._add(new, standing[hour])
        for batch in batches(set(hours) - added):
            received |= self._build(batch, standing)
        return received

    def _build(self, batch: Sequence[Hour], standing: Mapping[Hour, Standing]) -> dict[Hour, int]:
        with self.publisher.building(self._table) as target:
            self.athena.run(statements.build_quarantine(batch, target))
        received = received_in(self.athena, batch)
        return self._publish(target, {hour: standing[hour] for hour in batch}, received)

    def _add(self, new: Addition, standing: Standing) -> dict[Hour, int]:
        """Build what is new."""
        hour, received = new.rows.hour, new.received
        with self.publisher.building(self._table) as target:
            if new.uris:
                self.athena.run(statements.build_quarantine([hour], target, new.uris))
                received += self._received_in(new)
            take_over(new.objects.s3, new.so_far, target, hour)
        return self._publish(target, {hour: standing}, {hour: received})

    def _received_in(self, new: Addition) -> int:
        """The readings of the raw objects that are new, counted from their lines.

        There are none where the hour was judged since, to another location: it is then built again.
        """
        fresh = [row[0] for row in self.athena.run(statements.judged_objects(new.rows.hour, new.uris)).rows]
        if not fresh:
            return 0
        lines = statements.received_in_arrival_hours([new.rows.hour], objects=fresh)
        return sum(int(row[5]) for row in self.athena.run(lines).rows)

    def _publish(
        self, target: Target, built_from: Mapping[Hour, Standing], received: Mapping[Hour, int]
    ) -> dict[Hour, int]:
        """Publish the hours that were not judged since; what each of them has received.

        What was judged meanwhile may be in a build or not.
        """
        stored = sizes_of_build(self.objects, target, built_from) if self.objects else {}
        with self.publisher.turn():
            now, still = datetime.now(UTC), self._standing(built_from)
            notes = {
                hour: BuildNotes(
                    now,
                    stored=stored.get(hour),
                    judged=it.rows.location if it.rows else None,
                    received=received.get(hour, 0),
                )
                for hour, it in built_from.items()
                if still[hour] == it
            }
            if notes:
                self.publisher.publish(self._table, target, notes)
        return {hour: received.get(hour, 0) for hour in notes}

    def _standing(self, hours: Iterable[Hour]) -> dict[Hour, Standing]:
        return standing_of(self.catalog, self.contract, hours)

    @property
    def _table(self) -> Table:
        return tables(self.contract).quarantined_telemetry


def _addition(objects: Objects, rows: Partition, quarantine: Partition) -> Addition | None:
    """What is new for the quarantine of an hour; None if it is to be built whole."""
    of_rows, noted = rows.notes, quarantine.notes
    if not of_rows or not noted or noted.received is None or of_rows.follows is None or of_rows.follows != noted.judged:
        return None
    so_far, judged = tuple(objects.at(quarantine.location)), tuple(objects.at(rows.location))
    if size_of(so_far) != noted.stored or size_of(judged) != of_rows.stored:
        return None
    return Addition(rows, objects, so_far, tuple(written_new(judged)), noted.received)


def follows(quarantine: Partition | None, ledger: Partition) -> bool:
    """Whether a quarantine was built from the rows of its ledger; of a former release, whether it is as new."""
    noted, of_ledger = quarantine.notes if quarantine else None, ledger.notes
    if not noted or not of_ledger:
        return False
    if noted.judged and of_ledger.judged:
        return noted.judged == of_ledger.judged
    return noted.built_at >= of_ledger.built_at


def received_in(athena: Athena, hours: Sequence[Hour]) -> dict[Hour, int]:
    """The readings of each arrival hour, counted from the raw lines; an object that cannot be read is one."""
    set_aside = [(Hour.from_values(row[:4]), row[4]) for row in athena.run(statements.unreadable_objects(hours)).rows]
    received: dict[Hour, int] = defaultdict(int)
    for hour, _ in set_aside:
        received[hour] += 1
    for row in athena.run(statements.received_in_arrival_hours(hours, [uri for _, uri in set_aside])).rows:
        received[Hour.from_values(row[:4])] += int(row[5])
    return dict(received)


def balances(athena: Athena, hours: Sequence[Hour], received: Mapping[Hour, int]) -> list[ArrivalHourBalance]:
    """The balance of each of these arrival hours that holds anything, with what was received as given."""
    valid: dict[Hour, int] = defaultdict(int)
    for row in athena.run(statements.ledger_of_arrival_hours(hours)).rows:
        if row[4] == "valid":
            valid[Hour.from_values(row[:4])] += int(row[6])
    quarantined: dict[Hour, int] = defaultdict(int)
    for row in athena.run(statements.quarantined_of_arrival_hours(hours)).rows:
        quarantined[Hour.from_values(row[:4])] += int(row[5])
    held = {hour for hour, count in received.items() if count}
    return [
        ArrivalHourBalance(hour, received.get(hour, 0), valid[hour], quarantined[hour])
        for hour in sorted({*held, *valid, *quarantined})
    ]
