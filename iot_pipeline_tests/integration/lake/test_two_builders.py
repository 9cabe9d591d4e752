"""Two builders of one hour at once: at the end all that arrived is in it, the books are exact, and one version stands.

The first is held at one point of its work after another, while the second, which has seen one object more, does all of
its own, or as much as it can before it has to wait for the first. They share the lake and no Dagster: a run of
Dagster's, the command and the Glue job all build by the same `Lake`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from iot_pipeline.contract import tables
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.integrity import Audit
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.support.messages import RawZone, curated, line, message, quarantined, reading

Z = tables()
MINUTE = timedelta(minutes=1)
# How long the first waits for the second, which itself may be waiting for what the first holds.
HELD_SECONDS = 3.0
# What a builder publishes, the lock for it included, and the first statement that it has run, which has read.
WRITES = ("glue.BatchCreatePartition", "glue.BatchUpdatePartition", "s3.PutObject")
STATEMENT = "statement"
# A judging, a quarantine and an event hour are published, each within a turn.
FEWEST_POINTS, MOST_POINTS = 8, 40


@dataclass
class Held:
    """A builder with clients of its own, that does something at the n-th point (from 0) of its work, once."""

    point: int
    then: Callable[[], None]
    passed: list[str] = field(default_factory=list)

    def lake(self) -> Lake:
        """The lake as it opens it."""
        opened = LakeResource().open()
        glue, s3 = boto3.client("glue"), boto3.client("s3")
        for client in (glue, s3):
            for name in WRITES:
                client.meta.events.register(f"before-call.{name}", lambda model, **_: self._pass(model.name))
        athena = replace(opened.athena, poll_seconds=0.02, on_start=lambda _: self._pass(STATEMENT), results=[])
        return replace(opened, catalog=replace(opened.catalog, glue=glue), athena=athena, s3=s3)

    def _pass(self, name: str) -> None:
        if name == STATEMENT and name in self.passed:
            return
        self.passed.append(name)
        if len(self.passed) - 1 == self.point:
            self.then()


def put(raw: RawZone, hour: Hour, seq: int) -> None:
    """An object with a good reading, one that comes twice, a faulty one and a broken line."""
    at = hour.start + seq * MINUTE
    readings = message(reading(at, seq), reading(at, seq), {"ts": "no time", "seq": seq})
    raw.put(hour, [line(readings, at, trace=f"good-{seq}"), line(b'{"cut', at, trace=f"broken-{seq}")])


def build(lake: Lake, hour: Hour) -> None:
    """What a run of the hour does."""
    lake.judge([hour])
    lake.quarantine(lake.unquarantined([hour]) or [hour])
    lake.curate(lake.touched([hour]))


def both(raw: RawZone, hour: Hour, point: int, lake: Lake) -> list[str]:
    """Build an hour by two builders; the points that the first has passed."""
    errors: list[BaseException] = []

    def second() -> None:
        try:
            build(lake, hour)
        except BaseException as error:  # noqa: BLE001  is raised where the test sees it
            errors.append(error)

    thread = threading.Thread(target=second)

    def meanwhile() -> None:
        put(raw, hour, 2)
        thread.start()
        thread.join(HELD_SECONDS)

    first = Held(point, meanwhile)
    build(first.lake(), hour)
    if thread.ident:
        thread.join()
    for error in errors:
        raise error
    return first.passed


def holds(lake: Lake, hour: Hour, seqs: list[int]) -> None:
    """All of these objects, each once, on exact books, and nothing for a later build to do."""
    assert [row["seq"] for row in curated(lake, [hour])] == seqs
    assert sorted(row["reason"] for row in quarantined(lake, [hour])) == sorted(
        ["invalid_ts", "malformed_json"] * len(seqs)
    )
    (arrived,), (event,) = lake.arrival_balances([hour]), lake.event_balances([hour])
    assert arrived.balances
    assert (arrived.received, arrived.valid) == (4 * len(seqs), 2 * len(seqs))
    assert event.balances
    assert (event.built.rows, event.built.duplicates) == (len(seqs), len(seqs))
    assert lake.stale([hour]) == []
    assert lake.unquarantined([hour]) == []
    audit = Audit(lake, Objects(boto3.client("s3")))
    assert audit.judged([hour]) == audit.curated([hour]) == audit.raw([hour], datetime.now(UTC)) == []


@pytest.mark.parametrize("stands", [False, True], ids=["a new hour", "an hour that stands"])
def test_wherever_a_second_builder_comes_between_all_that_arrived_is_built(
    lake: Lake, raw: RawZone, arrival: Hour, stands: bool
) -> None:
    """An hour that stands is added to, by both: its first objects are taken over. Each second point of a new hour is
    tried, and the others of one that stands.
    """
    for point in range(int(stands), MOST_POINTS, 2):
        hour = arrival + point
        if stands:
            for seq in (0, 3, 4):
                put(raw, hour, seq)
            build(lake, hour)
        put(raw, hour, 1)
        passed = both(raw, hour, point, lake)
        if point >= len(passed):
            assert point > FEWEST_POINTS
            return
        holds(lake, hour, [0, 1, 2, 3, 4] if stands else [1, 2])
    raise AssertionError("a builder does not end")
