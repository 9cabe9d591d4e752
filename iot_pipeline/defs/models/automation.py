"""When models and reports are built by themselves. None has partitions: the warehouse's data says what is stale."""

from typing import Any

import dagster as dg

from iot_pipeline.settings import policy

_Condition = dg.AutomationCondition


def _changed() -> dg.AutomationCondition[Any]:
    """Some input was updated, or is about to be, since the last request."""
    changed: dg.AutomationCondition[Any] = _Condition.any_deps_updated()
    return changed.since(_Condition.newly_requested())


def debounced_models() -> dg.AutomationCondition[Any]:
    """Every few minutes, if hours were loaded or the registry was copied: all models in one run of dbt."""
    tick = _Condition.cron_tick_passed(f"*/{policy().build_interval_minutes} * * * *")
    return (_changed() & tick & ~_Condition.in_progress()).with_label("input_changed_debounced")


def following_models() -> dg.AutomationCondition[Any]:
    """As soon as the views are built, in the same run."""
    return (_changed() & ~_Condition.in_progress() & ~_Condition.any_deps_missing()).with_label("input_changed")
