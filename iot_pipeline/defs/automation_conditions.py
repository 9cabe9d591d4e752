"""The conditions on which assets are built by themselves; `ops/automation_sensor.py` evaluates them."""

from datetime import timedelta
from typing import Any

import dagster as dg

from iot_pipeline.defs.common import NOTHING_FOLLOWS_TAG
from iot_pipeline.settings import policy

_Condition = dg.AutomationCondition

# Raw objects of an hour that closed long ago can only come from a Firehose that retried; AWS gives up after a day
# (Firehose developer guide, "Data delivery retry"). The look-back leaves room for a week of trouble.
ARRIVAL_LOOKBACK = timedelta(days=7)
# Five minutes before the closing build.
RETRIES_AT, NOT_BUILT = "5 * * * *", "could_not_be_built"


def _changed_since_requested() -> dg.AutomationCondition[Any]:
    """Some input was updated since the last request; an update during a run is not lost, as it would be if the run's
    own completion reset the condition.
    """
    updated = (
        _Condition.newly_updated()
        & ~_Condition.executed_with_root_target()
        & ~_Condition.all_new_updates_have_run_tags(tag_values={NOTHING_FOLLOWS_TAG: "true"})
    )
    changed: dg.AutomationCondition[Any] = _Condition.any_deps_match(updated | _Condition.will_be_requested())
    return changed.since(_Condition.newly_requested())


def _failed_an_hour_ago() -> dg.AutomationCondition[Any]:
    """Once an hour, whatever could not be built, as during an outage: a request that came to nothing is a request, and
    in an hour that has closed no input changes any more.
    """
    return (_Condition.execution_failed() & _Condition.cron_tick_passed(RETRIES_AT)).with_label(NOT_BUILT)


def debounced() -> dg.AutomationCondition[Any]:
    """Every few minutes, all hours whose input changed: the open hour again and again, a closed one seldom.

    Those that could not be built are asked for again each hour.
    """
    tick = _Condition.cron_tick_passed(f"*/{policy().build_interval_minutes} * * * *")
    return (
        ((_changed_since_requested() & tick) | _failed_an_hour_ago())
        & _Condition.in_latest_time_window(ARRIVAL_LOOKBACK)
        & ~_Condition.in_progress()
    ).with_label("input_changed_debounced")


def following() -> dg.AutomationCondition[Any]:
    """As soon as the input is built, in the same run where possible; each hour again what could not be built."""
    return (
        (_changed_since_requested() | _failed_an_hour_ago())
        & _Condition.in_latest_time_window(ARRIVAL_LOOKBACK)
        & ~_Condition.in_progress()
        & ~_Condition.any_deps_missing()
    ).with_label("input_changed")


def first() -> dg.AutomationCondition[Any]:
    """It was never built, and its inputs are there. Not again after a failure: that waits for the clock.

    Dagster's own `on_missing` leaves out what was missing when a deployment began.
    """
    return (
        _Condition.missing()
        & ~_Condition.in_progress()
        & ~_Condition.execution_failed()
        & ~_Condition.any_deps_missing()
    ).with_label("never_built")
