"""When models and reports are built by themselves. None has partitions: the warehouse's data says what is stale."""

from typing import Any

import dagster as dg

from iot_pipeline.settings import policy

_Condition = dg.AutomationCondition


# The assets that fill the tables of each dbt source.
SOURCES = {"lake": dg.AssetKey("warehouse_readings"), "registry": dg.AssetKey("registry_snapshot")}


def debounced_models() -> dg.AutomationCondition[Any]:
    """Every few minutes, if hours were loaded or the registry was copied: all models in one run of dbt.

    All, because dbt decides what to rebuild: asked by their own inputs only, the facts would be built beside dimensions
    of another moment, or without any.
    """
    loaded, copied = (_Condition.asset_matches(key, _Condition.newly_updated()) for key in SOURCES.values())
    changed: dg.AutomationCondition[Any] = (loaded | copied).since(_Condition.newly_requested())
    tick = _Condition.cron_tick_passed(f"*/{policy().build_interval_minutes} * * * *")
    return (changed & tick & ~_Condition.in_progress()).with_label("input_changed_debounced")


def following_models() -> dg.AutomationCondition[Any]:
    """As soon as the views are built, in the same run."""
    changed: dg.AutomationCondition[Any] = _Condition.any_deps_updated()
    return (
        changed.since(_Condition.newly_requested()) & ~_Condition.in_progress() & ~_Condition.any_deps_missing()
    ).with_label("input_changed")
