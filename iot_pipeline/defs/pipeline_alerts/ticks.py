"""Ticks of sensors and schedules: whether the last one failed, and whether there was one."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import dagster as dg

from iot_pipeline.alerting.episodes import About
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.defs.dagster_internals import InstigatorTick, InstigatorType, TickStatus
from iot_pipeline.defs.pipeline_alerts.kinds import FAILED_TICK, NO_TICK
from iot_pipeline.defs.pipeline_alerts.seen import Seen, bad, by_age, clear

LATE_AFTER_INTERVALS, LATE_AFTER = 10, timedelta(minutes=5)
_ENDED = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]


def seen_now(
    instance: dg.DagsterInstance, intervals: Mapping[str, int], now_ms: int, looked_ms: int | None
) -> Iterator[Seen]:
    """How each sensor and schedule of the code stands. `intervals`: of each sensor its interval in seconds, of each
    schedule 0; of what the code does not have any more nothing is said.

    `looked_ms` is when this was looked at before; None if never. If that is too long ago, the daemon was dead, and no
    sensor can have ticked: the watcher tells that, and at this look nothing is said of sensors that are late by it.
    """
    is_continuous = looked_ms is not None and now_ms - looked_ms < LATE_AFTER / timedelta(milliseconds=1)
    if instance.schedule_storage is None:
        # An instance in memory keeps no ticks.
        return
    for state in instance.all_instigator_state():
        name = state.instigator_name
        if name not in intervals:
            continue
        subject = f"{state.instigator_type.value.lower()}/{name}"
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1, statuses=_ENDED)
        if not state.is_running:
            yield clear(FAILED_TICK, subject, now_ms)
            yield clear(NO_TICK, subject, now_ms)
        elif ticks:
            yield _failed(instance, subject, name, ticks[0], now_ms)
            if state.instigator_type is InstigatorType.SENSOR and is_continuous:
                yield _late(subject, name, ticks[0], intervals[name], now_ms)


def _failed(instance: dg.DagsterInstance, subject: str, name: str, tick: InstigatorTick, now_ms: int) -> Seen:
    at_ms = round(tick.timestamp * 1000)
    if tick.status is not TickStatus.FAILURE:
        return clear(FAILED_TICK, subject, at_ms)
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
