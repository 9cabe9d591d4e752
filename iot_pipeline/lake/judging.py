"""Judging what arrived, and its ledger: whole hours, or of an hour that is judged already what is new in it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyathena.error import OperationalError

from iot_pipeline.contract import Contract, Tables, tables
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.expired import ExpiredError
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import Increment, base_of, find_increment, sizes_of_build, take_over
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.lake.notes import BuildNotes, Marks
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import batches, read_marks
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.lake.removals import Removals
from iot_pipeline.lake.statements import Target
from iot_pipeline.lake.unreadable import unreadable

# How often hours are judged anew of which raw objects were erased meanwhile.
ATTEMPTS = 3


@dataclass(frozen=True)
class Judging:
    """Judges the arrival hours of one lake. Without `objects` each is judged whole, and an unreadable one fails."""

    bucket: str
    catalog: Catalog
    athena: Athena
    contract: Contract
    publisher: Publisher
    objects: Objects | None
    progress: Callable[[str], None]

    def judge(self, hours: Iterable[Hour], *, whole: bool = False) -> None:
        """As `Lake.judge`."""
        wanted = set(hours)
        done = self._judge_increments(self.objects, wanted) if self.objects and not whole else set()
        for batch in batches(wanted - done):
            set_aside: dict[str, str] = {}
            attempts = ATTEMPTS
            while True:
                try:
                    self._judge_batch(batch, set_aside)
                    break
                except ExpiredError:
                    attempts -= 1
                    if not attempts:
                        raise
                except OperationalError:
                    found = unreadable(self.objects.s3, self.bucket, batch) if self.objects else {}
                    if found.keys() <= set_aside.keys():
                        raise
                    for uri, why in found.items():
                        self.progress(f"set aside, since it cannot be read: {uri}: {why}")
                    set_aside = found

    def _judge_batch(self, batch: Sequence[Hour], set_aside: Mapping[str, str]) -> None:
        began = datetime.now(UTC)
        with (
            self.publisher.building(self._tables.judged_telemetry) as rows,
            self.publisher.building(self._tables.ledger) as counts,
        ):
            self.athena.run(statements.build_judged(self.contract, batch, rows, set_aside))
            self.athena.run(statements.build_ledger(self.contract, rows.table, counts))
            marks = read_marks(self.athena, statements.marks_of_build(counts.table))
        if gone := self._changed(batch, began):
            raise ExpiredError(f"raw objects of {min(gone)} were removed or erased meanwhile; judge the hours again")
        self._publish(rows, counts, batch, marks, {})

    def _changed(self, hours: Sequence[Hour], began: datetime) -> set[Hour]:
        """Hours of which raw objects were removed or erased since a build began.

        An entry in the book comes before the first object goes or changes: without one all were read as they are.
        """
        return Removals(self.objects.s3, self.bucket).entered_since(hours, began) if self.objects else set()

    def _judge_increments(self, objects: Objects, hours: Iterable[Hour]) -> set[Hour]:
        """Judge what is new in those of these hours that are judged already; the hours that this has done."""
        rules = all_rules(self.contract)
        judged = self.catalog.partitions(self._tables.judged_telemetry.name, hours)
        ledgers = self.catalog.partitions(self._tables.ledger.name, judged)
        same_rules = {hour: it for hour, it in ledgers.items() if it.notes and it.notes.rules == rules}
        bases = {hour: base_of(objects, judged[hour], it) for hour, it in same_rules.items()}
        known: dict[Hour, list[str]] = defaultdict(list)
        for batch in batches(hour for hour, base in bases.items() if base is not None):
            for row in self.athena.run(statements.objects_of_arrival_hours(batch)).rows:
                known[Hour.from_values(row[:4])].append(row[4])
        done = set()
        for hour, seen in sorted(known.items()):
            began = datetime.now(UTC)
            raw = objects.at(f"s3://{self.bucket}/{RAW}{hour.path}")
            new = find_increment(raw, bases[hour] or (), judged[hour], ledgers[hour], seen)
            if new and self._judge_increment(objects, new, began):
                done.add(hour)
        return done

    def _judge_increment(self, objects: Objects, new: Increment, began: datetime) -> bool:
        """Whether it could be judged: if one of the new objects cannot be read, the hour is judged whole."""
        self.progress(f"{new.hour}: {len(new.fresh)} new raw objects, {len(new.outdated)} outdated")
        with (
            self.publisher.building(self._tables.judged_telemetry, began) as rows,
            self.publisher.building(self._tables.ledger, began) as counts,
        ):
            try:
                self.athena.run(self._statement(new, rows))
            except OperationalError as error:
                self.progress(f"{new.hour} is judged whole, since what is new could not be: {error}")
                return False
            so_far = new.hour if new.appends else None
            self.athena.run(statements.build_ledger(self.contract, rows.table, counts, so_far))
            marks = read_marks(self.athena, statements.marks_of_build(counts.table))
            if new.appends:
                # After the ledger, which counts what lies at the build's location.
                take_over(objects.s3, new.objects, rows, new.hour)
        if self._changed([new.hour], began):
            return False
        self._publish(rows, counts, [new.hour], marks, {new.hour: new.base} if new.appends else {})
        return True

    def _statement(self, new: Increment, rows: Target) -> str:
        if new.appends:
            return statements.build_judged_increment(self.contract, new.hour, new.fresh, rows)
        return statements.rebuild_judged(self.contract, new.hour, new.fresh, new.outdated, rows)

    def _publish(
        self,
        rows: Target,
        counts: Target,
        hours: Sequence[Hour],
        marks: Mapping[Hour, Marks],
        follows: Mapping[Hour, str],
    ) -> None:
        """The ledger comes last: what is judged but not in it is not looked at by any build."""
        stored = sizes_of_build(self.objects, rows, hours) if self.objects else {}
        counted = sizes_of_build(self.objects, counts, hours) if self.objects else {}
        now, rules = datetime.now(UTC), all_rules(self.contract)
        of_rows = {hour: BuildNotes(now, stored=stored.get(hour), follows=follows.get(hour)) for hour in hours}
        of_ledger = {
            hour: BuildNotes(
                now,
                marks=marks.get(hour, {}),
                rules=rules,
                stored=counted.get(hour),
                judged=rows.location + hour.path,
            )
            for hour in hours
        }
        self.publisher.publish(self._tables.judged_telemetry, rows, of_rows)
        self.publisher.publish(self._tables.ledger, counts, of_ledger)

    @property
    def _tables(self) -> Tables:
        return tables(self.contract)
