"""Judging what arrived, and its ledger: whole hours, or of an hour that is judged already what is new in it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyathena.error import OperationalError

from iot_pipeline.contract import Contract, Tables, tables
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake import statements
from iot_pipeline.lake.arrival_standing import Standing, standing_of
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.expired import ExpiredError
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import Increment, base_of, find_increment, sizes_of_build, take_over
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.lake.notes import BuildNotes, Marks
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.plan import batches, read_marks
from iot_pipeline.lake.publishing import OvertakenError, Publisher
from iot_pipeline.lake.raw_integrity import judging_began
from iot_pipeline.lake.removals import Removals
from iot_pipeline.lake.statements import Target
from iot_pipeline.lake.unreadable import unreadable

# How often hours are judged anew of which raw objects were erased, or which others have judged, meanwhile.
ATTEMPTS = 3
# By how much the clocks of two machines may differ (and versions name whole seconds).
CLOCKS_DIFFER = timedelta(seconds=5)


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
        called, wanted = datetime.now(UTC), set(hours)
        for _ in range(ATTEMPTS):
            wanted = self._judge_once(wanted, whole=whole)
            if wanted and not whole:
                wanted -= self._done_by_others(wanted, called)
            if not wanted:
                return
            self.progress(f"{len(wanted)} hours were judged by another meanwhile; judging again")
        raise OvertakenError(f"{min(wanted)} was judged by others {ATTEMPTS} times meanwhile; judge it again")

    def _judge_once(self, hours: Collection[Hour], *, whole: bool) -> set[Hour]:
        """Judge and publish; the hours of which others have published something meanwhile, and this nothing."""
        done, overtaken = set[Hour](), set[Hour]()
        if self.objects and not whole:
            done, overtaken = self._judge_increments(self.objects, hours)
        for batch in batches(set(hours) - done):
            overtaken |= self._judge_whole(batch)
        return overtaken

    def _done_by_others(self, hours: Iterable[Hour], called: datetime) -> set[Hour]:
        """Hours that others began to judge, by the same rules, after this was called: what there was is judged."""
        rules, found = all_rules(self.contract), set()
        for hour, it in standing_of(self.catalog, self.contract, hours).items():
            if it.rows and it.ledger and it.ledger.notes and it.ledger.notes.rules == rules:
                began = judging_began(it.ledger)
                if began and began >= called + CLOCKS_DIFFER:
                    found.add(hour)
        return found

    def _judge_whole(self, batch: Sequence[Hour]) -> set[Hour]:
        """Judge hours whole, without objects that cannot be read; those that others have published meanwhile."""
        set_aside: dict[str, str] = {}
        attempts = ATTEMPTS
        while True:
            try:
                return self._judge_batch(batch, set_aside)
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

    def _judge_batch(self, batch: Sequence[Hour], set_aside: Mapping[str, str]) -> set[Hour]:
        before, began = standing_of(self.catalog, self.contract, batch), datetime.now(UTC)
        with (
            self.publisher.building(self._tables.judged_telemetry, began) as rows,
            self.publisher.building(self._tables.ledger, began) as counts,
        ):
            self.athena.run(statements.build_judged(self.contract, batch, rows, set_aside))
            self.athena.run(statements.build_ledger(self.contract, rows.table, counts))
            marks = read_marks(self.athena, statements.marks_of_build(counts.table))
        with self.publisher.turn():
            if gone := self._changed(batch, began):
                raise ExpiredError(
                    f"raw objects of {min(gone)} were removed or erased meanwhile; judge the hours again"
                )
            return self._publish(rows, counts, before, marks, {})

    def _changed(self, hours: Sequence[Hour], began: datetime) -> set[Hour]:
        """Hours of which raw objects were removed or erased since a build began.

        An entry in the book comes before the first object goes or changes: without one all were read as they are.
        """
        return Removals(self.objects.s3, self.bucket).entered_since(hours, began) if self.objects else set()

    def _judge_increments(self, objects: Objects, hours: Iterable[Hour]) -> tuple[set[Hour], set[Hour]]:
        """Judge what is new in those of these hours that are judged already.

        The hours that need not be judged whole, and those among them that others have published meanwhile.
        """
        rules, before = all_rules(self.contract), standing_of(self.catalog, self.contract, hours)
        judged = {hour: it.judged for hour, it in before.items() if it.judged}
        ledgers = {hour: it.ledger for hour, it in before.items() if it.judged and it.ledger}
        same_rules = {hour: it for hour, it in ledgers.items() if it.notes and it.notes.rules == rules}
        bases = {hour: base_of(objects, judged[hour], it) for hour, it in same_rules.items()}
        known: dict[Hour, list[str]] = defaultdict(list)
        for batch in batches(hour for hour, base in bases.items() if base is not None):
            for row in self.athena.run(statements.objects_of_arrival_hours(batch)).rows:
                known[Hour.from_values(row[:4])].append(row[4])
        done, overtaken = set(), set()
        for hour, seen in sorted(known.items()):
            began = datetime.now(UTC)
            raw = objects.at(f"s3://{self.bucket}/{RAW}{hour.path}")
            new = find_increment(raw, bases[hour] or (), judged[hour], ledgers[hour], seen)
            published = self._judge_increment(objects, new, before[hour], began) if new else None
            if published is not None:
                done.add(hour)
                overtaken |= published
        return done, overtaken

    def _judge_increment(self, objects: Objects, new: Increment, before: Standing, began: datetime) -> set[Hour] | None:
        """None if it could not be judged: if one of the new objects cannot be read, the hour is judged whole.

        Else the hour, if others have published it meanwhile.
        """
        self.progress(f"{new.hour}: {len(new.fresh)} new raw objects, {len(new.outdated)} outdated")
        with (
            self.publisher.building(self._tables.judged_telemetry, began) as rows,
            self.publisher.building(self._tables.ledger, began) as counts,
        ):
            try:
                self.athena.run(self._statement(new, rows))
            except OperationalError as error:
                self.progress(f"{new.hour} is judged whole, since what is new could not be: {error}")
                return None
            so_far = new.hour if new.appends else None
            self.athena.run(statements.build_ledger(self.contract, rows.table, counts, so_far))
            marks = read_marks(self.athena, statements.marks_of_build(counts.table))
            if new.appends:
                # After the ledger, which counts what lies at the build's location.
                take_over(objects.s3, new.objects, rows, new.hour)
        with self.publisher.turn():
            if self._changed([new.hour], began):
                return None
            follows = {new.hour: new.base} if new.appends else {}
            return self._publish(rows, counts, {new.hour: before}, marks, follows)

    def _statement(self, new: Increment, rows: Target) -> str:
        if new.appends:
            return statements.build_judged_increment(self.contract, new.hour, new.fresh, rows)
        return statements.rebuild_judged(self.contract, new.hour, new.fresh, new.outdated, rows)

    def _publish(
        self,
        rows: Target,
        counts: Target,
        before: Mapping[Hour, Standing],
        marks: Mapping[Hour, Marks],
        follows: Mapping[Hour, str],
    ) -> set[Hour]:
        """Publish the hours of which still stands what stood `before` they were read; the others.

        Of two who judge an hour at once the later has seen more, and must not be replaced by the earlier; nor may the
        rows of one stand beside the ledger of the other. The ledger comes last: what is judged but not in it is not
        looked at by any build.
        """
        now_stands = standing_of(self.catalog, self.contract, before)
        hours = [hour for hour, it in before.items() if now_stands[hour] == it]
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
        if hours:
            self.publisher.publish(self._tables.judged_telemetry, rows, of_rows)
            self.publisher.publish(self._tables.ledger, counts, of_ledger)
        return set(before) - set(hours)

    @property
    def _tables(self) -> Tables:
        return tables(self.contract)
