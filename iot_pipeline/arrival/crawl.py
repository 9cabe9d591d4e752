"""Starts the crawler of the raw zone when objects have arrived: seldom, one crawl at a time, and no arrival forgotten.

S3's events come by EventBridge into a queue, whose messages this function is handed in batches. A batch becomes one
`Wakeup`, whatever its size. A crawl sees what lay in S3 when Glue accepted its start, so that a wakeup is over only
when the crawl that was started for it has succeeded:

- the crawler rests and its last crawl is long enough ago: it is started, and the wakeup goes back into the queue to be
  looked at again when the crawl is over;
- the crawler runs, or has run moments ago: the wakeup goes back into the queue, to come again later;
- the crawl that was started for it has failed: it is started again, `MAX_CRAWLS` times in all. Then the wakeup goes to
  the dead-letter queue, of which people are told.

A message goes back before those it stands for are deleted: a function that is killed in between crawls once too often,
and never too seldom. Glue runs one crawl of a crawler at a time, however often it is asked (API reference,
StartCrawler, `CrawlerRunningException`).
"""

import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from typing import TYPE_CHECKING, Any

import boto3

from iot_pipeline.contract.layout import RAW

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_sqs import SQSClient

# SQS delays a message by 15 minutes at most (SQS guide, "Amazon SQS message timers").
MAX_DELAY = timedelta(minutes=15)
# How soon a crawl that goes on is looked at again.
LOOK_AGAIN = timedelta(minutes=1)
MAX_CRAWLS = 3
# Beyond the pause between crawls: a crawler that runs, or does not start, for so long is stuck.
STUCK = timedelta(hours=12)
WAKEUP = "crawl_wakeup"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wakeup:
    """Arrivals that are still to be crawled.

    `since` is when the first of them was told of (UTC), `objects` how many there are, `crawls` how many crawls were
    started for them. With `follows`, one of those goes on or is over, and is another one than that which began at
    `before`, as Glue says it (None: the crawler had none before).
    """

    since: datetime
    objects: int
    crawls: int = 0
    follows: bool = False
    before: str | None = None

    def merged(self, other: "Wakeup") -> "Wakeup":
        """Both as one, for which no crawl goes on."""
        return Wakeup(min(self.since, other.since), self.objects + other.objects, max(self.crawls, other.crawls))

    @property
    def text(self) -> str:
        """As a message."""
        return json.dumps({WAKEUP: {**asdict(self), "since": self.since.isoformat()}})


@dataclass(frozen=True)
class Starter:
    """Starts one crawler, and no two crawls within `pause` of each other's start.

    `queue_url` is where wakeups wait, `dead_letters_url` where those go that nothing can be done for.
    """

    glue: "GlueClient"
    sqs: "SQSClient"
    crawler: str
    queue_url: str
    dead_letters_url: str
    pause: timedelta

    def take(self, wakeups: Iterable[Wakeup], now: datetime) -> None:
        """Do what these wakeups ask for. Raises botocore's errors; the messages then stay in the queue."""
        found = self.glue.get_crawler(Name=self.crawler)["Crawler"]
        last = found.get("LastCrawl") or {}
        rests, began = found["State"] == "READY", last.get("StartTime")
        waiting: list[Wakeup] = []
        for wakeup in wakeups:
            if now - wakeup.since > STUCK + self.pause:
                self._give_up(wakeup, f"no crawl has ended in {STUCK}; the crawler is {found['State']}")
            elif not wakeup.follows:
                waiting.append(wakeup)
            elif not rests or _moment(began) == wakeup.before:
                self._again(wakeup, self._soon)
            elif last.get("Status") == "SUCCEEDED":
                log.info("%s has crawled %d arrivals", self.crawler, wakeup.objects)
            elif wakeup.crawls < MAX_CRAWLS:
                log.warning("a crawl of %s ended %s: %s", self.crawler, last.get("Status"), last.get("ErrorMessage"))
                waiting.append(wakeup)
            else:
                self._give_up(wakeup, f"{wakeup.crawls} crawls ended {last.get('Status')}: {last.get('ErrorMessage')}")
        if waiting:
            self._ask_for(reduce(Wakeup.merged, waiting), began, now, rests=rests)

    def _ask_for(self, wakeup: Wakeup, began: datetime | None, now: datetime, *, rests: bool) -> None:
        wakeup = replace(wakeup, follows=False, before=None)
        due = began.astimezone(UTC) + self.pause if began else now
        if not rests or now < due:
            log.info("%d arrivals wait until %s is free, and until %s", wakeup.objects, self.crawler, due)
            self._again(wakeup, max(self._soon, due - now))
            return
        try:
            self.glue.start_crawler(Name=self.crawler)
        except self.glue.exceptions.CrawlerRunningException:
            log.info("%d arrivals wait: %s has just been started", wakeup.objects, self.crawler)
            self._again(wakeup, self._soon)
            return
        log.info("started %s for %d arrivals", self.crawler, wakeup.objects)
        followed = replace(wakeup, crawls=wakeup.crawls + 1, follows=True, before=_moment(began))
        self._again(followed, self._soon)

    @property
    def _soon(self) -> timedelta:
        return min(LOOK_AGAIN, self.pause)

    def _again(self, wakeup: Wakeup, delay: timedelta) -> None:
        seconds = round(min(delay, MAX_DELAY).total_seconds())
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=wakeup.text, DelaySeconds=seconds)

    def _give_up(self, wakeup: Wakeup, why: str) -> None:
        """To the dead letters, as a message that begins anew when it is moved back into the queue."""
        text = "%d arrivals since %s are not crawled by %s: %s. Mend the cause, then redrive the dead-letter queue"
        log.error(text, wakeup.objects, wakeup.since.isoformat(), self.crawler, why)
        body = json.dumps({WAKEUP: {"since": None, "objects": wakeup.objects}, "why": why})
        self.sqs.send_message(QueueUrl=self.dead_letters_url, MessageBody=body)


def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take a batch of the queue's messages. One that is none of ours is answered as failed, and alone."""
    wakeups, failures = [], []
    now = datetime.now(UTC)
    for record in event["Records"]:
        try:
            wakeups.append(wakeup_of(record, now))
        except ValueError:
            log.exception("message %s of the queue is refused", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    if wakeups:
        _starter().take(wakeups, now)
    return {"batchItemFailures": failures}


def wakeup_of(record: dict[str, Any], now: datetime) -> Wakeup:
    """What a message of the queue asks for at this time (UTC). Raises ValueError that says what was expected.

    Amazon S3 user guide, "EventBridge event message structure". An event of another prefix is refused, though the rule
    lets none through: a crawl must never be asked for by what a crawl or a query has written.
    """
    try:
        body = json.loads(record["body"])
        if WAKEUP in body:
            fields = body[WAKEUP]
            since = datetime.fromisoformat(fields["since"]) if fields["since"] else now
            return Wakeup(**{**fields, "since": since})
        key = body["detail"]["object"]["key"]
        sent = datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"expected an event of S3 by EventBridge, or a wakeup: {error!r}") from error
    if body.get("detail-type") != "Object Created" or not key.startswith(RAW):
        raise ValueError(f"expected a new object under {RAW}: {body.get('detail-type')} of {key}")
    return Wakeup(sent, 1)


def _moment(began: datetime | None) -> str | None:
    return began.astimezone(UTC).isoformat() if began else None


@cache
def _starter() -> Starter:
    """By the environment of the function. Raises KeyError naming a variable that is not set."""
    return Starter(
        boto3.client("glue"),
        boto3.client("sqs"),
        os.environ["IOT_RAW_CRAWLER"],
        os.environ["IOT_CRAWL_QUEUE_URL"],
        os.environ["IOT_CRAWL_DEAD_LETTERS_URL"],
        timedelta(minutes=float(os.environ["IOT_CRAWL_PAUSE_MINUTES"])),
    )
