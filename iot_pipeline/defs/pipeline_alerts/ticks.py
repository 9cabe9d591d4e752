"""Ticks of sensors and schedules: whether the last one failed, and whether there was one."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import AlertKey, Severity
from iot_pipeline.defs.dagster_internals import (
    InstigatorState,
    InstigatorTick,
    InstigatorType,
    TickStatus,
)
from iot_pipeline.defs.pipeline_alerts import failed_runs
from iot_pipeline.defs.pipeline_alerts.failed_runs import Cause
from iot_pipeline.defs.pipeline_alerts.kinds import FAILED_TICK, NO_TICK
from iot_pipeline.defs.pipeline_alerts.seen import Seen, bad, by_age, clear

LATE_AFTER_INTERVALS, LATE_AFTER = 10, timedelta(minutes=5)
_ENDED = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]


@dataclass(frozen=True)
class LastTick:
    """A sensor or a schedule of the code, with the last of its ticks that has ended, if there is one."""

    state: InstigatorState
    tick: InstigatorTick | None

    @property
    def subject(self) -> str:
        """By which its alerts are kept."""
        return f"{self.state.instigator_type.value.lower()}/{self.state.instigator_name}"

    @property
    def cause(self) -> Cause | None:
        """Why it failed; None if it did not, or is off."""
        if not self.state.is_running or self.tick is None or self.tick.status is not TickStatus.FAILURE:
            return None
        return Cause.of_tick(self.tick)


def last_ticks(instance: dg.DagsterInstance, intervals: Mapping[str, int]) -> list[LastTick]:
    """How each sensor and schedule of the code stands, by its name in `intervals`; an instance in memory has none."""
    if instance.schedule_storage is None:
        return []
    found = []
    for state in instance.all_instigator_state():
        if state.instigator_name in intervals:
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=_ENDED)
            found.append(LastTick(state, ticks[0] if ticks else None))
    return found


def failing(last: Iterable[LastTick]) -> dict[str, list[AlertKey]]:
    """The alerts of ticks that failed, by the name of their cause."""
    found: dict[str, list[AlertKey]] = {}
    for each in last:
        if each.cause is not None:
            found.setdefault(each.cause.name, []).append(AlertKey(each.subject, FAILED_TICK.name))
    return found


def failing_of_assets(last: Iterable[LastTick], asked_for: Mapping[str, Collection[str]]) -> dict[str, list[AlertKey]]:
    """Of each asset that a failing sensor asks for, by its name, the alerts of the ticks.

    `asked_for`: by a sensor's name the assets that it alone asks for or reports.
    """
    found: dict[str, list[AlertKey]] = {}
    for each in last:
        if each.cause is not None:
            for name in asked_for.get(each.state.instigator_name, ()):
                found.setdefault(name, []).append(AlertKey(each.subject, FAILED_TICK.name))
    return found


def seen_now(
    instance: dg.DagsterInstance,
    last: Sequence[LastTick],
    intervals: Mapping[str, int],
    now_ms: int,
    looked_ms: int | None,
) -> Iterator[Seen]:
    """What is to be said of these sensors and schedules. `intervals`: of each sensor its interval in seconds.

    What fails for the same cause as runs, or as another, is one alert: the one that is open already speaks for it.
    `looked_ms` is when this was looked at before; None if never. If that is too long ago, the daemon was dead, and no
    sensor can have ticked: the watcher tells that, and at this look nothing is said of sensors that are late by it.
    """
    is_continuous = looked_ms is not None and now_ms - looked_ms < LATE_AFTER / timedelta(milliseconds=1)
    by_cause = failing(last)
    for each in last:
        name, is_sensor = each.state.instigator_name, each.state.instigator_type is InstigatorType.SENSOR
        if not each.state.is_running:
            yield clear(FAILED_TICK, each.subject, now_ms)
            yield clear(NO_TICK, each.subject, now_ms)
        elif each.tick is not None:
            cause = each.cause
            if cause is None:
                yield clear(FAILED_TICK, each.subject, round(each.tick.timestamp * 1000))
            else:
                others = [key for key in by_cause[cause.name] if key.subject != each.subject]
                seen = _failed(instance, each.subject, name, each.tick, now_ms)
                yield replace(seen, causes=[failed_runs.key_of(cause.name), *others])
            if is_sensor and is_continuous:
                yield _late(each.subject, name, each.tick, intervals[name], now_ms)


def _failed(instance: dg.DagsterInstance, subject: str, name: str, tick: InstigatorTick, now_ms: int) -> Seen:
    at_ms = round(tick.timestamp * 1000)
    well = instance.get_ticks(
        tick.instigator_origin_id,
        tick.tick_data.selector_id or "",
        limit=1,
        statuses=[TickStatus.SUCCESS, TickStatus.SKIPPED],
    )
    error = tick.error
    while error is not None and error.cause is not None:
        error = error.cause
    lines = (error.message if error is not None else "it has no error").strip().splitlines()
    since = (
        f"it last succeeded {(now_ms / 1000 - well[0].timestamp) / 60:.0f} min ago" if well else "it never succeeded"
    )
    since_ms = round(well[0].timestamp * 1000) if well else at_ms
    return bad(
        FAILED_TICK, subject, at_ms, by_age(since_ms, now_ms), About(f"{name}: {lines[0]}", "\n".join([since, *lines]))
    )


def _late(subject: str, name: str, tick: InstigatorTick, interval: int, now_ms: int) -> Seen:
    at_ms = round((tick.end_timestamp or tick.timestamp) * 1000)
    limit_ms = max(LATE_AFTER_INTERVALS * interval * 1000, round(LATE_AFTER.total_seconds() * 1000))
    if now_ms - at_ms < limit_ms:
        return clear(NO_TICK, subject, now_ms)
    about = About(name, f"its last tick ended {(now_ms - at_ms) / 60_000:.0f} min ago; its interval is {interval} s")
    return bad(NO_TICK, subject, now_ms, Severity.WARNING, about, since_ms=at_ms)
