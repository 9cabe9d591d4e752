"""What Dagster's definitions run by themselves, row by row, and the watcher beside them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from iot_pipeline import watcher
from iot_pipeline.defs.automation_conditions import NOT_BUILT, RETRIES_AT
from iot_pipeline.defs.pipeline_alerts import kinds
from iot_pipeline.defs.pipeline_alerts.ticks import LATE_AFTER, LATE_AFTER_INTERVALS
from iot_pipeline.unattended.calls import CONDITIONS, SCHEDULES, SENSORS
from iot_pipeline.unattended.clock import every, times_a_day
from iot_pipeline.unattended.row import Row
from iot_pipeline.unattended.severities import woken_by

_DAY_SECONDS = 86_400
_FAILED_RUN = "`failed_run`, warning, critical after an hour"


def dagster_rows(defs: dg.Definitions) -> Iterator[Row]:
    """Schedules, sensors, automation conditions, checks, the watcher.

    Raises KeyError for what has no entry in `calls` or `severities`, ValueError for a cron schedule that it cannot
    count.
    """
    repository = defs.get_repository_def()
    for schedule in sorted(repository.schedule_defs, key=lambda each: each.name):
        yield _schedule(schedule, defs.resolve_job_def(schedule.job_name).description or "")
    for sensor in sorted(repository.sensor_defs, key=lambda each: each.name):
        yield _sensor(sensor)
    yield from _conditions(defs)
    yield from _checks(defs)
    yield _watcher()


def _schedule(schedule: dg.ScheduleDefinition, job: str) -> Row:
    cron = str(schedule.cron_schedule)
    ticks = f"its tick: `{kinds.FAILED_TICK.name}`, {kinds.FAILED_TICK.severity}; its run: {_FAILED_RUN}"
    return Row(
        f"schedule `{schedule.name}`",
        f"`{cron}`",
        f"Runs the job `{schedule.job_name}`: {schedule.description or job}",
        SCHEDULES[schedule.name].cost(times_a_day(cron)),
        ticks,
    )


def _sensor(sensor: dg.SensorDefinition) -> Row:
    seconds, calls = sensor.minimum_interval_seconds or 30, SENSORS[sensor.name]
    late = max(LATE_AFTER_INTERVALS * seconds, round(LATE_AFTER.total_seconds()))
    woken = f"`{kinds.FAILED_TICK.name}`, {kinds.FAILED_TICK.severity}; `{kinds.NO_TICK.name}`, warning, after "
    woken += _duration(timedelta(seconds=late))
    if sensor.name == "pipeline_alerts":
        woken += f"; `{kinds.BLIND_SENSOR.name}`, critical, by the watcher"
    return Row(
        f"sensor `{sensor.name}`",
        every(seconds),
        sensor.description or "",
        calls.cost(_DAY_SECONDS // seconds),
        woken,
    )


def _conditions(defs: dg.Definitions) -> Iterator[Row]:
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        if node.automation_condition is not None:
            name = key.to_user_string()
            when, times = _when(node.automation_condition)
            does = f"Builds the asset: {_first_sentence(node.description or '')}"
            yield Row(f"asset `{name}`", when, does, CONDITIONS[name].cost(times), _of_asset(node.freshness_policy))


def _of_asset(freshness: Any) -> str:
    """Whom an asset wakes whose build fails or does not come."""
    if freshness is None:
        return _FAILED_RUN
    warn, fail = freshness.warn_window.to_timedelta(), freshness.fail_window.to_timedelta()
    stale = f"`{kinds.STALE_ASSET.name}`, warning when it is {_duration(warn)} old, critical at {_duration(fail)}"
    return f"{_FAILED_RUN}; {stale}"


def _when(condition: Any) -> tuple[str, int | None]:
    """When a condition asks for a build, in words, and how often that may be a day, where the clock decides."""
    crons = list(dict.fromkeys(_crons(condition)))
    times = times_a_day(crons[0]) if len(crons) == 1 else None
    ticks = ", ".join(f"`{cron}`" for cron in crons)
    labels = set(_labels(condition))
    again = f"; `{RETRIES_AT}`, if that failed" if NOT_BUILT in labels else ""
    if "input_changed_debounced" in labels:
        return f"{ticks}, if its input has changed{again}", times
    if "input_changed" in labels:
        return f"as soon as its input is built{again}", None
    return f"{ticks}, and at once if there is none" if "never_built" in labels else ticks, times


def _crons(condition: Any) -> Iterator[str]:
    """The ticks of a clock that it waits for, but for those of what could not be built."""
    if condition.get_label() == NOT_BUILT:
        return
    cron = getattr(condition, "cron_schedule", None)
    if cron is not None:
        yield str(cron)
    for child in condition.children:
        yield from _crons(child)


def _labels(condition: Any) -> Iterator[str]:
    if condition.get_label():
        yield condition.get_label()
    for child in condition.children:
        yield from _labels(child)


def _checks(defs: dg.Definitions) -> Iterator[Row]:
    """The checks by how they come to be run; those of dbt's models, its tests, are one row."""
    graph = defs.resolve_asset_graph()
    started = _started_by(defs)
    tests = defaultdict[str, int](int)
    for key in sorted(graph.asset_check_keys, key=lambda each: (each.asset_key, each.name)):
        node, asset = graph.get(key), key.asset_key.to_user_string()
        woken = woken_by(key, blocking=node.blocking) + ("; it blocks what follows" if node.blocking else "")
        if _is_dbts(defs, key):
            tests[woken] += 1
            continue
        if node.automation_condition is not None:
            when, times = _when(node.automation_condition)
            cost = CONDITIONS[f"{asset}:{key.name}"].cost(times)
        else:
            when, cost = started.get(key.name, f"in each run that builds `{asset}`"), "In that of what runs it."
        yield Row(f"check `{key.name}`", when, f"Of `{asset}`: {_first_sentence(node.description or '')}", cost, woken)
    for woken, count in tests.items():
        yield Row(
            f"{count} of dbt's tests" if count > 1 else "a test of dbt's",
            "in each run of `build_models`",
            "A promise of a model each; the model's page has them.",
            "Redshift: a query each.",
            woken,
        )


def _started_by(defs: dg.Definitions) -> Mapping[str, str]:
    """By the name of a check: what runs or reports it beside the runs of its asset, in words."""
    found = defaultdict[str, list[str]](list)
    for kind, entries in (("sensor", SENSORS), ("schedule", SCHEDULES)):
        for name, calls in entries.items():
            for check in calls.records:
                found[check].append(f"{kind} `{name}`")
    for schedule in defs.get_repository_def().schedule_defs:
        assets = defs.resolve_job_def(schedule.job_name).asset_layer
        # A job that builds assets runs their checks with them.
        if assets is not None and not assets.executable_asset_keys:
            for key in assets.asset_graph.asset_check_keys:
                found[key.name].append(f"schedule `{schedule.name}`")
    return {name: f"by {', '.join(dict.fromkeys(whom))}" for name, whom in found.items()}


def _is_dbts(defs: dg.Definitions, key: dg.AssetCheckKey) -> bool:
    return any(
        isinstance(asset, dg.AssetsDefinition) and asset.op.name == "warehouse_models" and key in asset.check_keys
        for asset in defs.assets or []
    )


def _watcher() -> Row:
    dead, blind = (timedelta(milliseconds=each) for each in (watcher.DEAD_AFTER_MS, watcher.BLIND_AFTER_MS))
    return Row(
        "process `python -m iot_pipeline.watcher`",
        every(round(watcher.INTERVAL_SECONDS)),
        "Looks from outside whether Dagster's daemon lives and its sensor of alerts looks.",
        "No Athena. Dagster's own storage; DynamoDB: two reads, and one write.",
        f"`{kinds.DEAD_DAEMON.name}`, critical, after {_duration(dead)}; `{kinds.BLIND_SENSOR.name}`, critical, after "
        f"{_duration(blind)}. If it ends itself: `{kinds.DEAD_WATCHER.name}`, warning, by the sensor",
    )


def _first_sentence(text: str) -> str:
    first, dot, _ = " ".join(text.split()).partition(". ")
    return first + ("." if dot else "")


def _duration(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    return f"{minutes:g} min" if minutes < 60 else f"{minutes / 60:g} h"
