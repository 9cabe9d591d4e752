"""One look at a time, shared by all who watch: however many there are, a dependency is asked at most every so often.

A look that fails leaves what was known before in place. One that does not come back in time is a failure too: no second
one is begun beside it, and if its answer comes after all, it counts.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from iot_pipeline.console.dependencies import DownError, reason_of
from iot_pipeline.console.health.findings import Finding

Look = Callable[[datetime], Finding]
Clock = Callable[[], datetime]
Submit = Callable[[Callable[[], None]], object]
# After a failure a look is tried again this soon, so that what comes back is soon seen to.
RETRY = timedelta(seconds=15)
# Clients of boto3's default session are not to be made by two threads at a time (boto3 guide, "Session").
_OPENING = threading.Lock()
log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Tile:
    """A part of the pipeline that is looked at.

    `needs` are the dependencies, the first of which is named where an error does not say which it was. `every`: how
    often it is looked at while somebody watches. `within`: a look that takes longer is a failure. `acts_at` is the path
    in Dagster's UI where one acts. `open` gives the look, with the clients that it uses; after a failure it is called
    again, so that no broken connection is kept.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    every: timedelta
    within: timedelta
    acts_at: str | None
    open: Callable[[], Look]


@dataclass(frozen=True)
class Known:
    """The last good finding, and when it was looked for (UTC)."""

    finding: Finding
    at: datetime


@dataclass(frozen=True)
class Failure:
    """A dependency that does not answer, since when (UTC), and what it said last."""

    dependency: str
    since: datetime
    reason: str


@dataclass(frozen=True)
class Seen:
    """What one is told of a tile, at once: what is known, and what keeps it from being known better."""

    known: Known | None
    failure: Failure | None
    is_looking: bool
    now: datetime


class Shared:
    """One tile. `submit` has a function run on a thread of its own."""

    def __init__(self, tile: Tile, submit: Submit, clock: Clock = utc_now) -> None:
        self.tile = tile
        self._submit, self._clock = submit, clock
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._known: Known | None = None
        self._failure: Failure | None = None
        self._ended: datetime | None = None
        self._looking_since: datetime | None = None

    def see(self) -> Seen:
        """What is known now. It never waits: if a look is due it is begun, and seen the next time."""
        with self._lock:
            now = self._clock()
            if self._looking_since is None and self._is_due(now):
                self._looking_since = now
                self._submit(self._run)
            return Seen(self._known, self._failure or self._too_late(now), self._looking_since is not None, now)

    def _is_due(self, now: datetime) -> bool:
        pause = self.tile.every if self._failure is None else min(self.tile.every, RETRY)
        return self._ended is None or now - self._ended >= pause

    def _too_late(self, now: datetime) -> Failure | None:
        since = self._looking_since
        if since is None or now - since <= self.tile.within:
            return None
        seconds = self.tile.within.total_seconds()
        return Failure(" or ".join(self.tile.needs), since, f"no answer within {seconds:g} s")

    def _run(self) -> None:
        began = self._clock()
        try:
            if self._look is None:
                with _OPENING:
                    self._look = self.tile.open()
            finding = self._look(began)
        except DownError as error:
            self._failed(error.dependency, error.reason)
        except Exception as error:
            log.exception("the tile %s", self.tile.name)
            self._failed(self.tile.needs[0], reason_of(error))
        else:
            with self._lock:
                self._known, self._failure = Known(finding, began), None
                self._ended, self._looking_since = self._clock(), None

    def _failed(self, dependency: str, reason: str) -> None:
        with self._lock:
            before, now = self._failure, self._clock()
            if before is None:
                log.warning("the tile %s: %s does not answer: %s", self.tile.name, dependency, reason)
            since = before.since if before and before.dependency == dependency else self._looking_since or now
            self._failure = Failure(dependency, since, reason)
            self._look = None
            self._ended, self._looking_since = now, None
