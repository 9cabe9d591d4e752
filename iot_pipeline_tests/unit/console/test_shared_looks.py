"""One look for all who watch: single flight, failures with what was known, time-outs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel

from iot_pipeline.console.dependencies import DownError
from iot_pipeline.console.health.findings import Finding, State
from iot_pipeline.console.health.shared import RETRY, Look, Shared, Tile

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVERY, WITHIN = timedelta(seconds=60), timedelta(seconds=10)


class Empty(BaseModel):
    """Nothing."""


class Bench:
    """A tile whose clock, threads and dependency the test holds."""

    def __init__(self) -> None:
        self.now = NOON
        self.waiting: list[Callable[[], None]] = []
        self.error: Exception | None = None
        self.opened = self.looked = 0
        tile = Tile("one", "One", ("Athena", "Glue"), EVERY, WITHIN, None, self._open)
        self.shared = Shared(tile, self.waiting.append, lambda: self.now)

    def _open(self) -> Look:
        self.opened += 1
        return self._look

    def _look(self, now: datetime) -> Finding:
        self.looked += 1
        if self.error is not None:
            raise self.error
        return Finding(State.OK, f"look {self.looked}", Empty())

    def work(self) -> None:
        """Let the looks that were begun come to their end."""
        while self.waiting:
            self.waiting.pop(0)()

    def known(self) -> str | None:
        known = self.shared.see().known
        return None if known is None else known.finding.sentence


def test_however_many_watch_there_is_one_look() -> None:
    bench = Bench()
    assert [bench.shared.see().known for _ in range(50)] == [None] * 50
    assert len(bench.waiting) == 1
    bench.work()
    assert [bench.known() for _ in range(50)] == ["look 1"] * 50
    assert not bench.waiting
    bench.now += EVERY
    assert [bench.known() for _ in range(50)] == ["look 1"] * 50
    bench.work()
    assert (bench.known(), bench.opened) == ("look 2", 1)


def test_a_failure_leaves_what_was_known_and_says_since_when() -> None:
    bench = Bench()
    bench.shared.see()
    bench.work()
    bench.error = DownError("Glue", "refused")
    bench.now += EVERY
    first = bench.now
    bench.shared.see()
    bench.work()
    for _ in range(3):
        bench.now += RETRY
        seen = bench.shared.see()
        assert seen.failure is not None
        assert (seen.failure.dependency, seen.failure.since, seen.failure.reason) == ("Glue", first, "refused")
        assert seen.known is not None
        assert (seen.known.finding.sentence, seen.known.at) == ("look 1", NOON)
        bench.work()
    # Each failure throws the clients away: one of them may be what is broken.
    assert bench.opened == 4
    bench.error = None
    bench.now += RETRY
    bench.shared.see()
    bench.work()
    seen = bench.shared.see()
    assert seen.failure is None
    assert bench.known() == "look 6"


def test_an_error_that_names_no_dependency_is_told_as_the_first_ones() -> None:
    bench = Bench()
    bench.error = KeyError("x")
    bench.shared.see()
    bench.work()
    failure = bench.shared.see().failure
    assert failure is not None
    assert (failure.dependency, failure.reason) == ("Athena", "KeyError: 'x'")


def test_what_does_not_come_back_is_a_failure_without_a_second_look_and_counts_when_it_does() -> None:
    bench = Bench()
    bench.shared.see()
    bench.now += WITHIN
    assert bench.shared.see().failure is None
    bench.now += timedelta(seconds=1)
    failure = bench.shared.see().failure
    assert failure is not None
    assert (failure.dependency, failure.since, failure.reason) == ("Athena or Glue", NOON, "no answer within 10 s")
    bench.now += timedelta(hours=1)
    bench.shared.see()
    assert len(bench.waiting) == 1
    bench.work()
    seen = bench.shared.see()
    assert seen.failure is None
    assert seen.known is not None
