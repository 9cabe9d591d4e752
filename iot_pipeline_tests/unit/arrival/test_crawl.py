"""The crawl starter against a Glue and a queue with a clock of their own: storms, running crawlers, failures, kills."""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iot_pipeline.arrival.crawl import MAX_CRAWLS, STUCK, WAKEUP, Starter, wakeup_of
from iot_pipeline.contract.layout import CURATED, QUERY_RESULTS, RAW

START = datetime(2026, 3, 1, tzinfo=UTC)
PAUSE = timedelta(minutes=15)
QUEUE, DEAD = "queue", "dead"


class Running(Exception):  # noqa: N818  named as botocore's
    """Glue's CrawlerRunningException."""


class ThrottledError(RuntimeError):
    """What botocore raises for a throttled call, when its own attempts are spent."""


class Exceptions:
    CrawlerRunningException = Running


@dataclass
class Glue:
    """One crawler, which runs one crawl at a time; `durations` and `outcomes` are those of its crawls in turn."""

    clock: "World"
    durations: list[timedelta]
    outcomes: list[str]
    exceptions = Exceptions
    crawls: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    throttled: bool = False

    def get_crawler(self, Name: str) -> Any:  # noqa: N803  botocore's name
        assert Name == "raw"
        if self.throttled:
            raise ThrottledError
        over = [crawl for crawl in self.crawls if crawl[1] <= self.clock.now]
        state = "READY" if len(over) == len(self.crawls) else "RUNNING"
        last = {"LastCrawl": {"StartTime": over[-1][0], "Status": over[-1][2]}} if over else {}
        return {"Crawler": {"State": state, **last}}

    def start_crawler(self, Name: str) -> None:  # noqa: N803  botocore's name
        if self.get_crawler(Name)["Crawler"]["State"] != "READY":
            raise Running
        number, now = len(self.crawls), self.clock.now
        duration = self.durations[number % len(self.durations)]
        self.crawls.append((now, now + duration, self.outcomes[number % len(self.outcomes)]))


@dataclass
class World:
    """Glue, the queues, and a time that passes where it is told to."""

    durations: list[timedelta] = field(default_factory=lambda: [timedelta(minutes=2)])
    outcomes: list[str] = field(default_factory=lambda: ["SUCCEEDED"])
    now: datetime = START
    waiting: list[tuple[datetime, str, datetime]] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    arrivals: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.glue = Glue(self, self.durations, self.outcomes)
        self.starter = Starter(self.glue, self, "raw", QUEUE, DEAD, PAUSE)  # type: ignore[arg-type]  # both are fakes

    def send_message(self, QueueUrl: str, MessageBody: str, DelaySeconds: int = 0) -> None:  # noqa: N803  botocore's names
        assert 0 <= DelaySeconds <= 900, "SQS refuses more"
        if QueueUrl == DEAD:
            self.dead.append(MessageBody)
        else:
            self.waiting.append((self.now + timedelta(seconds=DelaySeconds), MessageBody, self.now))

    def arrive(self, count: int = 1) -> None:
        self.arrivals += [self.now] * count
        self.waiting += [(self.now, event_of(RAW + "year=2026/a.gz"), self.now)] * count

    def invoke(self, killed: bool = False) -> None:
        """What is visible goes to the function; a function that fails or is killed has deleted nothing."""
        batch = [message for message in self.waiting if message[0] <= self.now]
        if not batch:
            return
        wakeups = [wakeup_of(record_of(body, sent), self.now) for _, body, sent in batch]
        try:
            self.starter.take(wakeups, self.now)
        except ThrottledError:
            return
        if not killed:
            for message in batch:
                self.waiting.remove(message)

    def run(self, minutes: int) -> None:
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            self.invoke()

    def settle(self, hours: int = 30) -> None:
        end = self.now + timedelta(hours=hours)
        while self.waiting and self.now < end:
            self.run(1)
        assert not self.waiting, "a wakeup goes round for ever"

    def uncrawled(self) -> list[datetime]:
        """Arrivals after whose time no crawl began that succeeded."""
        good = [began for began, _, status in self.glue.crawls if status == "SUCCEEDED"]
        return [at for at in self.arrivals if not any(began >= at for began in good)]


def event_of(key: str, kind: str = "Object Created") -> str:
    return json.dumps({"source": "aws.s3", "detail-type": kind, "detail": {"object": {"key": key}}})


def record_of(body: str, sent: datetime = START) -> dict[str, Any]:
    return {"messageId": "m", "body": body, "attributes": {"SentTimestamp": str(round(sent.timestamp() * 1000))}}


def test_a_storm_starts_one_crawl() -> None:
    world = World()
    for _ in range(10):
        world.arrive(100)
        world.invoke()
        world.now += timedelta(seconds=6)
    world.settle()
    # The first of the storm, and what came while that crawl ran.
    assert len(world.glue.crawls) == 2
    assert world.uncrawled() == []


def test_arrivals_of_one_batch_start_one_crawl() -> None:
    world = World()
    world.arrive(1_000)
    world.run(1)
    assert len(world.glue.crawls) == 1
    assert len(world.waiting) == 1, "a thousand messages have become one"
    world.settle()
    assert len(world.glue.crawls) == 1


def test_what_comes_while_the_crawler_runs_is_crawled_after_it() -> None:
    world = World(durations=[timedelta(hours=3), timedelta(minutes=2)])
    world.arrive()
    world.run(2)
    world.arrive()
    world.settle()
    assert len(world.glue.crawls) == 2
    assert world.glue.crawls[1][0] >= world.glue.crawls[0][1]
    assert world.uncrawled() == []


def test_another_ones_crawl_that_ran_at_the_arrival_does_not_count() -> None:
    """It had listed the zone already: the daily crawl must not swallow an arrival."""
    world = World(durations=[timedelta(minutes=30)])
    world.glue.start_crawler("raw")
    world.now += timedelta(minutes=5)
    world.arrive()
    world.settle()
    assert len(world.glue.crawls) == 2
    assert world.uncrawled() == []


def test_an_arrival_that_joins_a_failed_crawls_wakeup_is_not_settled_by_a_crawl_that_began_before_it() -> None:
    world = World(durations=[timedelta(minutes=20)], outcomes=["FAILED", "SUCCEEDED"])
    world.arrive()
    world.run(19)
    world.now += timedelta(minutes=2)
    world.glue.start_crawler("raw")
    world.now += timedelta(minutes=5)
    world.arrive()
    world.invoke()
    world.settle()
    assert world.uncrawled() == []


def test_the_last_object_is_crawled_though_nothing_comes_after_it() -> None:
    world = World()
    world.arrive()
    world.run(3)
    world.arrive()
    world.settle()
    starts = [began for began, _, _ in world.glue.crawls]
    assert len(starts) == 2
    assert starts[1] - starts[0] >= PAUSE
    assert world.uncrawled() == []


def test_a_crawl_that_fails_is_tried_again_and_then_given_up_by_name() -> None:
    world = World(outcomes=["FAILED"])
    world.arrive(7)
    world.settle()
    assert len(world.glue.crawls) == MAX_CRAWLS
    (letter,) = (json.loads(body) for body in world.dead)
    assert letter[WAKEUP]["objects"] == 7
    assert f"{MAX_CRAWLS} crawls ended FAILED" in letter["why"]


def test_a_dead_letter_that_is_moved_back_begins_anew() -> None:
    world = World(outcomes=["FAILED"] * MAX_CRAWLS + ["SUCCEEDED"])
    world.arrive(7)
    world.settle()
    world.now += timedelta(days=10)
    world.waiting.append((world.now, world.dead.pop(), START))
    world.settle()
    assert world.dead == []
    assert world.uncrawled() == []


def test_a_crawler_that_hangs_is_told_of() -> None:
    world = World(durations=[timedelta(days=30)])
    world.arrive()
    world.settle()
    (letter,) = world.dead
    assert str(STUCK) in json.loads(letter)["why"]


def test_throttling_and_kills_forget_nothing() -> None:
    world = World()
    world.glue.throttled = True
    world.arrive(3)
    world.run(5)
    assert len(world.waiting) == 3
    world.glue.throttled = False
    world.invoke(killed=True)
    world.settle()
    assert world.uncrawled() == []
    assert len(world.glue.crawls) == 2, "once too often, and never too seldom"


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_every_arrival_is_crawled_after_it_or_told_of(seed: int) -> None:
    chance = random.Random(seed)
    world = World(
        durations=[timedelta(minutes=chance.choice([1, 2, 10, 40])) for _ in range(5)],
        outcomes=[chance.choice(["SUCCEEDED", "SUCCEEDED", "FAILED", "CANCELLED"]) for _ in range(7)],
    )
    for _ in range(300):
        world.now += timedelta(minutes=chance.choice([0, 1, 1, 7]))
        world.glue.throttled = chance.random() < 0.1
        if chance.random() < 0.3:
            world.arrive(chance.randint(1, 20))
        if chance.random() < 0.02 and not world.glue.throttled:
            try:
                world.glue.start_crawler("raw")
            except Running:
                continue
        world.invoke(killed=chance.random() < 0.1)
    world.glue.throttled = False
    world.settle()
    told = sum(json.loads(body)[WAKEUP]["objects"] for body in world.dead)
    assert len(world.uncrawled()) <= told, "no arrival is neither crawled nor told of"
    ends = [began for began, _, _ in world.glue.crawls[1:]]
    assert all(began >= before[1] for began, before in zip(ends, world.glue.crawls, strict=False))
    # Glue is mended, and the dead letters are moved back.
    world.outcomes[:] = ["SUCCEEDED"]
    world.waiting += [(world.now, body, world.now) for body in world.dead]
    world.dead.clear()
    world.settle()
    assert (world.uncrawled(), world.dead) == ([], [])


def test_a_glue_that_is_well_leaves_no_dead_letter() -> None:
    """The dead letters of the test above are of crawls that failed, and of nothing else."""
    for seed in range(20):
        chance, world = random.Random(seed), World(durations=[timedelta(minutes=each) for each in (1, 40, 2, 10)])
        for _ in range(300):
            world.now += timedelta(minutes=chance.choice([0, 1, 1, 7]))
            world.glue.throttled = chance.random() < 0.1
            world.arrive(chance.randint(0, 3))
            world.invoke(killed=chance.random() < 0.1)
        world.glue.throttled = False
        world.settle()
        assert (world.uncrawled(), world.dead) == ([], [])


REFUSED = {
    "an object of another zone": event_of(f"{CURATED}v=1/a.parquet"),
    "a query's result": event_of(f"{QUERY_RESULTS}a.csv"),
    "a removal": event_of(f"{RAW}a.gz", "Object Deleted"),
    "no JSON": "hello",
    "no event": "{}",
    "a list": "[]",
    "a wakeup with unknown fields": json.dumps({WAKEUP: {"since": None, "objects": 1, "colour": "red"}}),
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_arrival_starts_nothing(body: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        wakeup_of(record_of(body), START)
