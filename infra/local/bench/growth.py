"""What a tick costs with a day of history and with a year of it (`make bench-growth`).

It starts a local AWS of its own in a temporary folder, fills it with a day, measures each kind of tick, fills it up to
a year, and measures the same ticks again. What is real and what is simulated stands in `infra/local/bench/history.py`,
and is printed. Judged are counts, which no other load of the machine touches: calls to AWS, what they list (partitions,
keys, messages), bytes that Athena scans, and Python's function calls. CPU seconds are shown beside them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import dagster as dg
from rich.console import Console
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.history import SIMULATED, History
from infra.local.bench.late_reading import print_late_reading
from infra.local.bench.tick_cost import Cost, measured
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import WAREHOUSE_DATABASE, running
from iot_pipeline.definitions import defs
from iot_pipeline.defs.curated import schedules as curated_schedules
from iot_pipeline.defs.curated.schedules import sweep_stale_hours
from iot_pipeline.defs.curated.sensors import stale_event_hours
from iot_pipeline.defs.judged import scattered as judged_scattered
from iot_pipeline.defs.judged.scattered import sweep_stale_arrivals
from iot_pipeline.defs.models.sensors import stale_models
from iot_pipeline.defs.ops.site_arrival import site_arrival
from iot_pipeline.defs.pipeline_alerts.sensors import pipeline_alerts
from iot_pipeline.defs.raw.sensors import raw_objects
from iot_pipeline.defs.warehouse import schedules as warehouse_schedules
from iot_pipeline.defs.warehouse.schedules import sweep_unloaded_hours
from iot_pipeline.defs.warehouse.sensors import unloaded_event_hours
from iot_pipeline.lake.cleanup import clean_up
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.judged_by import all_rules
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import EdgeResource, LakeResource, RawEvents, RegistryResource, WarehouseResource
from iot_pipeline.settings import policy

DAY, YEAR = 24, 24 * 365
GOAL = 1.1
# Shorter than a day, so that in a lake of one day there is as much to remove as in a lake of a year.
RETENTION = timedelta(hours=1)
# What is known to grow and why; everything else is held to the goal.
GROWS = {
    "clean_up, the first of a week": "goes through everything, to find what nobody knows of",
}


def main() -> None:
    """Run it all and print the figures."""
    console = Console(width=220)
    now = Hour.of(datetime.now(UTC))
    first = Hour.of(policy().partitions_start)
    if now + -(YEAR + DAY * 40) < first:
        raise SystemExit("set IOT_PARTITIONS_START to 400 days ago or before: a year of hours must be partitions")
    with (
        bench_session("growth") as folder,
        running(folder / "state", CHECKOUT / ".local", console) as local,
        dg.DagsterInstance.ephemeral() as instance,
        dg.instance_for_test() as on_disk,
    ):
        lake = LakeResource().open()
        history = History(lake, instance, now, local.postgres.dsn(WAREHOUSE_DATABASE))
        console.print(f"{SIMULATED}\nfilling a day")
        history.fill(0, DAY)
        ticks = Ticks(lake, history, instance, on_disk)
        day = ticks.all(DAY)
        console.print("a day is measured; filling the year")
        history.fill(DAY, YEAR)
        year = ticks.all(YEAR)
        _print(console, day, year)
        print_late_reading(console, lake, first + 24)


@dataclass
class Ticks:
    """Each kind of tick, over a lake and the Dagster instances that hold its history."""

    lake: Lake
    history: History
    instance: dg.DagsterInstance
    on_disk: dg.DagsterInstance
    automation_cursor: Any = None

    def all(self, hours: int) -> dict[str, Cost]:
        """Measure each kind of tick in a deployment that began so many hours ago.

        The first time, which imports and connects, is not counted.
        """
        began = policy().model_copy(update={"partitions_start": (self.history.now + (1 - hours)).start})
        # An evaluation that goes on from a day takes the year, filled in meanwhile, for hours that wait to be built.
        self.automation_cursor = None
        found = {}
        with ExitStack() as stack:
            for module in (curated_schedules, judged_scattered, warehouse_schedules):
                stack.enter_context(patch.object(module, "policy", lambda: began))
            for name, (prepare, tick) in self.kinds().items():
                for _ in range(2):
                    argument = prepare()
                    found[name] = measured(lambda tick=tick, argument=argument: tick(argument))  # type: ignore[misc]  # mypy cannot infer bound defaults
        return found

    def kinds(self) -> Mapping[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
        """By name: what makes something new for a kind of tick, and the tick, which takes what that returns."""
        now, late = self.history.now, self.history.now + -20
        return {
            "raw_objects, ten seconds of 100,000 objects an hour": (self.history.notify, self._raw),
            "stale_event_hours, the open hour": (lambda: self.history.judge_again(now, [now + -1, now]), self._stale),
            "stale_event_hours, a reading 20 hours late": (lambda: self.history.judge_again(now, [late]), self._stale),
            "sweep_stale_hours": (lambda: None, self._sweep_hours),
            "sweep_stale_arrivals": (lambda: now + 1, self._sweep_arrivals),
            "unloaded_event_hours": (lambda: self.history.curate_again(now + -1), self._unloaded),
            "sweep_unloaded_hours": (lambda: None, self._sweep_unloaded),
            "clean_up, daily": (self.history.replace_again, self._clean_up_of_day),
            "clean_up, the first of a week": (self.history.replace_again, self._clean_up),
            "stale_models": (lambda: None, self._models),
            "pipeline_alerts": (self.history.notice, self._health),
            "site_arrival": (lambda: self.history.judge_again(now, [now]), self._sites),
            "automation": (self.history.notice, self._automation),
        }

    def _sensor(self, cursor: str | None = None) -> dg.SensorEvaluationContext:
        return dg.build_sensor_context(instance=self.instance, cursor=cursor)

    @contextmanager
    def _schedule(self, **resources: Any) -> Iterator[dg.ScheduleEvaluationContext]:
        at = self.history.now.start + timedelta(minutes=40)
        with dg.build_schedule_context(self.on_disk, scheduled_execution_time=at, resources=resources) as context:
            yield context

    def _raw(self, _: None) -> None:
        raw_objects(self._sensor(), raw_events=RawEvents())

    def _stale(self, cursor: str) -> None:
        stale_event_hours(self._sensor(cursor), lake=LakeResource())

    def _sweep_hours(self, _: None) -> None:
        with self._schedule(lake=LakeResource()) as context:
            sweep_stale_hours(context)

    def _sweep_arrivals(self, before: Hour) -> None:
        cursor = json.dumps({"rules": all_rules(self.lake.contract), "before": partition_key(before)})
        sweep_stale_arrivals(self._sensor(cursor), lake=LakeResource())

    def _unloaded(self, cursor: str) -> None:
        unloaded_event_hours(self._sensor(cursor), warehouse=WarehouseResource())

    def _sweep_unloaded(self, _: None) -> None:
        with self._schedule(warehouse=WarehouseResource()) as context:
            sweep_unloaded_hours(context)

    def _clean_up_of_day(self, _: None) -> None:
        # Two hours less than a day: what was built before the first hour of a lake of one day is no difference.
        self._clean_up(None, self.history.now.start - timedelta(hours=DAY - 2))

    def _clean_up(self, _: None, since: datetime | None = None) -> None:
        lake = self.lake
        clean_up(boto3.client("s3"), lake.catalog, lake.bucket, lake.contract, RETENTION, since=since)

    def _models(self, _: None) -> None:
        stale_models(self._sensor())

    def _health(self, _: None) -> None:
        pipeline_alerts(self._sensor(), edge=EdgeResource())

    def _sites(self, _: str) -> None:
        site_arrival(self._sensor(), lake=LakeResource(), registry=RegistryResource())

    def _automation(self, _: None) -> None:
        """With the cursor of the evaluation before, as the daemon has it."""
        result = dg.evaluate_automation_conditions(
            defs, self.instance, evaluation_time=datetime.now(UTC), cursor=self.automation_cursor
        )
        self.automation_cursor = result.cursor


def _print(console: Console, day: Mapping[str, Cost], year: Mapping[str, Cost]) -> None:
    title = f"What a tick costs with {DAY} hours of history and with {YEAR:,}: day / year (ratio; goal <= {GOAL}x)"
    table = Table("tick", *Cost.NAMES, "CPU s", "worst ratio of a count", title=title)
    for name, before in day.items():
        after = year[name]
        pairs = list(zip(before.counts, after.counts, strict=True))
        worst = max(_ratio(*pair) for pair in pairs)
        verdict = f"{worst:.2f}x" + ("" if worst <= GOAL else f", {GROWS.get(name, 'OVER THE GOAL')}")
        cells = [f"{a:,} / {b:,} ({_ratio(a, b):.2f}x)" for a, b in pairs]
        table.add_row(name, *cells, f"{before.cpu:.3f} / {after.cpu:.3f}", verdict)
    console.print(table)


def _ratio(day: int, year: int) -> float:
    return year / day if day else (float("inf") if year else 1.0)


if __name__ == "__main__":
    main()
