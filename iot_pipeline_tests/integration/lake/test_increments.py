"""An hour that is judged in increments ends as one that is judged whole, and costs what is new in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from iot_pipeline.contract import tables
from iot_pipeline.contract.layout import RAW
from iot_pipeline.lake import increments
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import TAKEN_OVER, base_of, find_increment
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.notes import BuildNotes
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.publishing import BUILD_TIME
from iot_pipeline_tests.support.hours import fill, wait_for_the_next_second
from iot_pipeline_tests.support.messages import RawZone, content, curated_content, line, message, reading

Z = tables()
MINUTE = timedelta(minutes=1)
JUDGED = (Z.judged_telemetry, Z.ledger, Z.quarantined_telemetry)


@dataclass
class Told:
    """The lake, and what it tells of its work."""

    lake: Lake
    lines: list[str] = field(default_factory=list)

    def build(self, hour: Hour) -> str:
        """Judge and quarantine an hour, which must balance; what was said of what is new in it."""
        self.lines.clear()
        lake = replace(self.lake, progress=self.lines.append)
        lake.judge([hour])
        (balance,) = lake.quarantine([hour])
        assert balance.balances, balance
        assert [balance] == lake.arrival_balances([hour]), "counted anew from all raw lines it is the same"
        return next((text.partition(": ")[2] for text in self.lines if text.startswith(str(hour))), "whole")

    def is_as_whole(self, hour: Hour) -> None:
        """Compare all that was built of an hour with the same, judged whole."""
        event_hours = self.lake.touched([hour])
        self.lake.curate(event_hours)
        found = [content(self.lake, table, [hour]) for table in JUDGED], curated_content(self.lake, event_hours)
        whole = replace(self.lake, s3=None)
        whole.judge([hour])
        assert self.lake.stale(event_hours) == [], "it is the same content"
        whole.quarantine([hour])
        whole.curate(event_hours)
        assert ([content(whole, table, [hour]) for table in JUDGED], curated_content(whole, event_hours)) == found


@pytest.fixture
def told(lake: Lake) -> Told:
    return Told(lake)


def add(raw: RawZone, hour: Hour, seq: int) -> str:
    """An object with a good reading, a faulty one and a broken line."""
    readings = message(reading(hour.start + seq * MINUTE, seq), {"ts": "no time", "seq": seq})
    at = hour.start + seq * MINUTE
    return raw.put(hour, [line(readings, at, trace=f"good-{seq}"), line(b'{"cut', at, trace=f"broken-{seq}")])


def names(lake: Lake, table: str, hour: Hour) -> list[str]:
    """The names of the objects of a partition."""
    assert lake.s3
    location = lake.catalog.partitions(table, [hour])[hour].location
    return [item.uri.rpartition("/")[2] for item in Objects(lake.s3).at(location)]


def taken_over(lake: Lake, table: str, hour: Hour) -> int:
    """How many objects of a partition were taken over."""
    return sum(name.startswith(TAKEN_OVER) for name in names(lake, table, hour))


def test_an_hour_in_increments_is_as_one_that_is_judged_whole(
    told: Told, raw: RawZone, arrival: Hour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its third increment finds more objects than are taken over, and writes them anew."""
    fill(raw, arrival)
    assert told.build(arrival) == "whole"
    key = add(raw, arrival, 0).split("/", 3)[3]
    told.lake.athena.results.clear()
    assert told.build(arrival) == "1 new raw objects, 0 outdated"
    _known, judging, *_ = told.lake.athena.results
    assert judging.scanned_bytes == raw.s3.head_object(Bucket=raw.bucket, Key=key)["ContentLength"]
    before = {name: len(names(told.lake, name, arrival)) for name in ("judged_telemetry", "quarantined_telemetry")}
    monkeypatch.setattr(increments, "MAX_OBJECTS", before["judged_telemetry"] + 1)
    for seq in (1, 2):
        add(raw, arrival, seq)
        assert told.build(arrival) == "1 new raw objects, 0 outdated"
        kept = {name: taken_over(told.lake, name, arrival) for name in before}
        assert kept == (before if seq == 1 else dict.fromkeys(before, 0))
    told.is_as_whole(arrival)


def test_what_was_overwritten_or_removed_is_judged_anew(told: Told, raw: RawZone, arrival: Hour) -> None:
    uris = [add(raw, arrival, seq) for seq in range(4)]
    told.build(arrival)
    wait_for_the_next_second()
    body = raw.s3.get_object(Bucket=raw.bucket, Key=uris[0].split("/", 3)[3])["Body"].read()
    raw.s3.put_object(Bucket=raw.bucket, Key=uris[1].split("/", 3)[3], Body=body)
    raw.delete(uris[2])
    assert told.build(arrival) == "1 new raw objects, 2 outdated"
    assert taken_over(told.lake, "judged_telemetry", arrival) == 0
    assert sorted(row[0] for row in told.lake.athena.run(SEQS.format(*arrival.values)).rows) == [0, 0, 3]
    told.is_as_whole(arrival)


SEQS = (
    "SELECT seq FROM judged_telemetry WHERE outcome = 'valid' AND year = '{}' AND month = '{}' AND day = '{}' "
    "AND hour = '{}'"
)


def test_an_object_without_a_line_adds_nothing(told: Told, raw: RawZone, arrival: Hour) -> None:
    add(raw, arrival, 0)
    add(raw, arrival, 1)
    told.build(arrival)
    raw.put(arrival, [])
    assert told.build(arrival) == "1 new raw objects, 0 outdated"


@dataclass
class Judged:
    """An hour whose judged rows and ledger are as a build left them, and what `find_increment` says of it."""

    lake: Lake
    raw: RawZone
    hour: Hour
    known: set[str]
    rows: Partition
    ledger: Partition

    def found(self) -> tuple[set[str], set[str]] | None:
        """The fresh and the outdated objects; None if the hour is to be judged whole."""
        assert self.lake.s3
        objects = Objects(self.lake.s3)
        raw = objects.at(f"s3://{self.lake.bucket}/{RAW}{self.hour.path}")
        base = base_of(objects, self.rows, self.ledger)
        new = None if base is None else find_increment(raw, base, self.rows, self.ledger, self.known)
        return (set(new.fresh), set(new.outdated)) if new else None


@pytest.fixture
def judged(lake: Lake, raw: RawZone, arrival: Hour) -> Judged:
    known = {add(raw, arrival, seq) for seq in range(4)}
    wait_for_the_next_second()
    began = datetime.now(UTC)
    rows, ledger = (f"s3://{lake.bucket}/{prefix}v={began:{BUILD_TIME}}_0a1b2c3d/{arrival.path}" for prefix in PREFIXES)
    raw.s3.put_object(Bucket=lake.bucket, Key=rows.split("/", 3)[3] + "rows", Body=b"as they were written")
    notes = BuildNotes(began)
    stored, counted = replace(notes, stored="1 20"), replace(notes, judged=rows, stored="0 0")
    wait_for_the_next_second()
    return Judged(lake, raw, arrival, known, Partition(arrival, rows, stored), Partition(arrival, ledger, counted))


NOW = datetime(2026, 11, 29, tzinfo=UTC)
PREFIXES = (Z.judged_telemetry.prefix, Z.ledger.prefix)


def test_an_increment_is_what_is_new_and_what_no_longer_holds(judged: Judged) -> None:
    new = add(judged.raw, judged.hour, 9)
    assert judged.found() == ({new}, set())
    overwritten, removed = sorted(judged.known)[:2]
    judged.raw.s3.put_object(Bucket=judged.raw.bucket, Key=overwritten.split("/", 3)[3], Body=b"otherwise")
    judged.raw.delete(removed)
    assert judged.found() == ({new, overwritten}, {overwritten, removed})
    # A crawler of another test would find it.
    judged.raw.delete(overwritten)


def test_an_hour_with_nothing_new_or_mostly_new_is_judged_whole(judged: Judged) -> None:
    assert judged.found() is None
    fresh = {add(judged.raw, judged.hour, 9 + seq) for seq in range(4)}
    assert judged.found() == (fresh, set())
    add(judged.raw, judged.hour, 20)
    assert judged.found() is None


def test_an_hour_that_lost_objects_and_got_none_is_judged_whole(judged: Judged) -> None:
    judged.raw.delete(min(judged.known))
    assert judged.found() is None


def test_an_object_from_before_that_holds_no_line_is_nothing_new(judged: Judged) -> None:
    empty = judged.known.pop()
    assert judged.found() is None
    new = add(judged.raw, judged.hour, 9)
    assert judged.found() == ({empty, new}, set())


def test_more_than_a_statement_can_name_is_judged_whole(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    new = add(judged.raw, judged.hour, 9)
    monkeypatch.setattr(increments, "MAX_BYTES_OF_NAMES", len(new) + 4)
    assert judged.found() == ({new}, set())
    monkeypatch.setattr(increments, "MAX_BYTES_OF_NAMES", len(new) + 3)
    assert judged.found() is None


def test_rows_that_are_not_those_of_the_ledger_or_not_as_written_are_not_taken_over(judged: Judged) -> None:
    add(judged.raw, judged.hour, 9)
    assert judged.found()
    for other in (
        replace(judged, ledger=replace(judged.ledger, notes=None)),
        replace(judged, ledger=replace(judged.ledger, notes=BuildNotes(NOW, judged="s3://elsewhere/", stored="0 0"))),
        replace(
            judged, ledger=replace(judged.ledger, notes=BuildNotes(NOW, judged=judged.rows.location, stored="1 9"))
        ),
        replace(judged, rows=replace(judged.rows, notes=BuildNotes(NOW, stored="2 20"))),
        replace(judged, rows=replace(judged.rows, notes=BuildNotes(NOW, stored="1 21"))),
        replace(judged, rows=replace(judged.rows, notes=None)),
    ):
        assert other.found() is None


def test_a_new_object_that_cannot_be_read_is_set_aside(told: Told, raw: RawZone, arrival: Hour) -> None:
    for seq in range(3):
        add(raw, arrival, seq)
    told.build(arrival)
    raw.s3.put_object(Bucket=raw.bucket, Key=f"raw/telemetry/{arrival.path}cut.gz", Body=b"\x1f\x8b\x08cut off")
    told.build(arrival)
    assert any("is judged whole, since what is new could not be" in text for text in told.lines)
    assert any("cut.gz" in text for text in told.lines if text.startswith("set aside"))
    add(raw, arrival, 3)
    assert told.build(arrival) == "1 new raw objects, 0 outdated", "what was set aside is known"
    # A crawler of another test would find it.
    raw.delete(f"s3://{raw.bucket}/raw/telemetry/{arrival.path}cut.gz")


class StopsBefore(Catalog):
    """A catalog of a process that dies before it publishes the ledger."""

    def publish(self, table: str, partitions: Sequence[Partition]) -> None:
        if table == "ledger":
            raise KeyboardInterrupt
        super().publish(table, partitions)


def test_a_crash_between_rows_and_ledger_takes_nothing_over(told: Told, raw: RawZone, arrival: Hour) -> None:
    for seq in range(3):
        add(raw, arrival, seq)
    told.build(arrival)
    add(raw, arrival, 3)
    catalog = told.lake.catalog
    with pytest.raises(KeyboardInterrupt):
        replace(told.lake, catalog=StopsBefore(catalog.glue, catalog.database)).judge([arrival])
    told.lake.quarantine([arrival])
    add(raw, arrival, 4)
    assert told.build(arrival) == "whole", "these rows are not those of the ledger"


def test_a_quarantine_that_missed_an_increment_is_built_whole(told: Told, raw: RawZone, arrival: Hour) -> None:
    for seq in range(4):
        add(raw, arrival, seq)
    told.build(arrival)
    add(raw, arrival, 4)
    told.lake.judge([arrival])
    add(raw, arrival, 5)
    assert told.build(arrival) == "1 new raw objects, 0 outdated"
    assert taken_over(told.lake, "quarantined_telemetry", arrival) == 0
    told.is_as_whole(arrival)
