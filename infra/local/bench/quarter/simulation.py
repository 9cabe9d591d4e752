"""The platform, hour by hour: what arrives, what is amiss, and what Dagster does about it."""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from infra.local.bench.quarter.daemon_steps import DaemonSteps
from infra.local.bench.quarter.needed_builds import NeededBuilds
from infra.local.bench.quarter.simulated_time import SimulatedTime
from infra.local.bench.quarter.small_fleet import HOT_TEMPERATURE, SmallFleet
from infra.local.bench.quarter.timetable import Timetable, Trouble
from infra.local.bench.raw_objects import put_object
from infra.local.servers.loopback import HOST, free_port
from iot_pipeline import settings
from iot_pipeline.alerting.table import PIPELINE
from iot_pipeline.alerting.trackers import WATCHER, Watching
from iot_pipeline.connections.edge import open_alerts, open_trackers
from iot_pipeline.contract import CONTRACT, Contract
from iot_pipeline.lake.catalog import Catalog, Partition
from iot_pipeline.settings import Policy, deployment
from iot_pipeline.watcher import look

MINUTE = timedelta(minutes=1)
# When the platform wakes after each full hour: the automation's turn, the schedules, the sensors after them, the looks
# at how it is. Raw counts as fresh for ten minutes, and the clock runs on while the platform works.
AUTOMATION, SCHEDULES, SENSORS, LOOKS = 8 * MINUTE, 12 * MINUTE, 13 * MINUTE, 15 * MINUTE
FOLLOWING = ("stale_event_hours", "unloaded_event_hours")
ALL_SENSORS = ("raw_objects", *FOLLOWING, "sweep_stale_arrivals", "site_arrival", "spending_watch")
TABLES = ("judged_telemetry", "curated_telemetry")

Item = dict[str, Any]


@dataclass
class Simulation:
    """One run.

    `published` counts the partitions that builds moved, by table; `episodes` are alerts by their id; `hours` are over.
    """

    clock: SimulatedTime
    timetable: Timetable
    fleet: SmallFleet
    needed: NeededBuilds = field(default_factory=NeededBuilds)
    published: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))
    episodes: dict[str, Item] = field(default_factory=dict)
    hours: int = 0
    daemon: DaemonSteps = field(init=False)
    _objects: int = 0
    _changed: ExitStack = field(init=False)

    @property
    def left(self) -> list[datetime]:
        """The hours that are to come."""
        return self.timetable.hours[self.hours :]

    @contextmanager
    def alive(self, daemon: DaemonSteps) -> Iterator[None]:
        """Dagster's daemon is this one, and what is published is counted; the old contract holds again afterwards.

        Before and after it a simulation can be pickled.
        """
        publish = Catalog.publish

        def counted(catalog: Catalog, table: str, partitions: list[Partition]) -> None:
            publish(catalog, table, partitions)
            if table in self.published:
                self.published[table] += len(partitions)

        self.daemon = daemon
        with patch.object(Catalog, "publish", counted), ExitStack() as self._changed:
            if self.hours and self.timetable.has_changed(self.timetable.hours[self.hours - 1]):
                self._change_contract()
            yield
        del self.daemon, self._changed

    def begin(self) -> None:
        """The daemon's first iteration, before anything arrives: what came before it automation takes for old."""
        steps = self.daemon
        steps.beat()
        steps.automation()
        steps.schedules()
        steps.sensors(*ALL_SENSORS, "pipeline_alerts")
        self._watch()

    def wake(self, hour: datetime) -> None:
        """All that happens in the hour that ends at `hour` (aware), and what the platform then does about it."""
        self.clock.move_to(hour + AUTOMATION)
        self._arrive(hour)
        if self.timetable.is_on(Trouble.CONTRACT_CHANGE, hour) and not self.timetable.has_changed(
            hour - timedelta(hours=1)
        ):
            self._change_contract()
            self.needed.change_contract()
        with ExitStack() as stack:
            for variable, value in _amiss(self.timetable, hour).items():
                stack.enter_context(_environment(variable, value))
            if not self.timetable.is_on(Trouble.DEAD_DAEMON, hour):
                self._live(hour)
            self._at(hour + LOOKS + MINUTE, self._watch)
        if not any(self.timetable.is_on(each, hour) for each in _NOTHING_IS_BUILT):
            self.needed.build()
        self._note_alerts()
        self.hours += 1

    def _change_contract(self) -> None:
        self._changed.enter_context(patch.object(Policy, "contract", property(wider_contract)))

    def _arrive(self, hour: datetime) -> None:
        messages = self.fleet.deliver(hour)
        self.needed.arrive(messages)
        for arrival, lines in self.fleet.lines(messages).items():
            self._objects += 1
            body = gzip.compress(b"".join(line + b"\n" for line in lines), 1)
            put_object(deployment().lake_bucket, arrival, f"{self._objects}", body)

    def _live(self, hour: datetime) -> None:
        """The daemon at work."""
        steps = self.daemon
        steps.beat()
        self._at(hour + AUTOMATION, lambda: steps.sensors("raw_objects"))
        steps.automation()
        steps.sensors(*FOLLOWING)
        self._at(hour + SCHEDULES, steps.freshness)
        steps.schedules()
        self._at(hour + SENSORS, lambda: steps.sensors(*ALL_SENSORS))
        self._at(hour + SENSORS + MINUTE, lambda: steps.sensors(*FOLLOWING))
        steps.automation()
        self._at(hour + LOOKS, self._look)

    def _look(self) -> None:
        """The sensor of the alerts looks, and the watcher has looked all the time since."""
        store = open_trackers()
        Watching(store, store.load(WATCHER), round(datetime.now(UTC).timestamp() * 1000)).save()
        self.daemon.sensors("pipeline_alerts")
        self.daemon.beat()

    def _watch(self) -> None:
        """The watcher looks."""
        look(self.daemon.instance, open_trackers(), datetime.now(UTC))

    def _at(self, moment: datetime, step: Callable[[], None]) -> None:
        """Do a step at a moment, or at once if the platform has worked for so long that the moment is over."""
        if moment > datetime.now(UTC):
            self.clock.move_to(moment)
        step()

    def _note_alerts(self) -> None:
        for item in open_alerts().everything():
            if item.get("tenant") == PIPELINE:
                self.episodes[item["id"]] = item
            if _INTERRUPTED in str(item.get("about")):
                # Dagster has taken Ctrl-C for the failure of the run that was under way.
                raise KeyboardInterrupt


_INTERRUPTED = "DagsterExecutionInterruptedError"
# While these are on, no build can succeed.
_NOTHING_IS_BUILT = (Trouble.ATHENA_OUT, Trouble.BAD_DEPLOY, Trouble.DEAD_DAEMON)


def _amiss(timetable: Timetable, hour: datetime) -> dict[str, str]:
    found = {}
    if timetable.is_on(Trouble.ATHENA_OUT, hour):
        found["AWS_ENDPOINT_URL_ATHENA"] = f"http://{HOST}:{free_port()}"
    if timetable.is_on(Trouble.BAD_DEPLOY, hour):
        found["IOT_GLUE_DATABASE"] = "telemetry_of_tomorrow"
    return found


@contextmanager
def _environment(variable: str, value: str) -> Iterator[None]:
    """Deployed with another value of a variable."""
    with patch.dict(os.environ, {variable: value}):
        settings.forget()
        yield
    settings.forget()


def wider_contract(policy: Policy) -> Contract:
    """The contract after its change: it takes the temperatures of the hot device."""
    metrics = tuple(
        replace(metric, maximum=HOT_TEMPERATURE + 30) if metric.name == "temperature" else metric
        for metric in CONTRACT.metrics
    )
    return Contract(
        metrics=metrics,
        lateness_bound=timedelta(days=policy.lateness_days),
        future_bound=timedelta(hours=policy.future_hours),
    )
