"""Whatever a module of the definitions makes is part of what Dagster loads."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import dagster as dg

from iot_pipeline import defs as package
from iot_pipeline.definitions import defs

# Loaded where IOT_STREAMING is true, or IOT_GLUE_WORKFLOW is set, alone: test_streaming.py, test_glue_workflow.py.
OPTIONAL = ("iot_pipeline.defs.streaming", "iot_pipeline.defs.glue_workflow")


def _made() -> Iterator[tuple[str, Any]]:
    """Each object that stands in a module of the definitions, alone or in a list, with its module's name."""
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if info.name.startswith(OPTIONAL):
            continue
        for value in vars(import_module(info.name)).values():
            for item in value if isinstance(value, list) else [value]:
                yield info.name, item


def _missing(kind: Any, there: set[str]) -> set[tuple[str, str]]:
    found = {(module, item.name) for module, item in _made() if isinstance(item, kind)}
    assert found
    return {(module, name) for module, name in found if name not in there}


def test_every_asset_is_loaded() -> None:
    there = {spec.key for spec in defs.resolve_all_asset_specs()}
    made = [(module, item) for module, item in _made()]
    found = {(module, key) for module, item in made if isinstance(item, dg.AssetsDefinition) for key in item.keys}
    found |= {(module, item.key) for module, item in made if isinstance(item, dg.AssetSpec)}
    assert {key for _, key in found} == there
    executable = {key for _, item in made if isinstance(item, dg.AssetsDefinition) for key in item.keys}
    assert executable == defs.resolve_asset_graph().executable_asset_keys


def test_every_check_is_loaded() -> None:
    made = {key for _, item in _made() if isinstance(item, dg.AssetChecksDefinition) for key in item.check_keys}
    assert made
    assert made <= set(defs.resolve_asset_graph().asset_check_keys)


def test_every_job_sensor_and_schedule_is_loaded() -> None:
    repository = defs.get_repository_def()
    jobs = (dg.JobDefinition, type(dg.define_asset_job("any")))
    assert _missing(jobs, set(repository.job_names)) == set()
    assert _missing(dg.SensorDefinition, {sensor.name for sensor in repository.sensor_defs}) == set()
    assert _missing(dg.ScheduleDefinition, {schedule.name for schedule in repository.schedule_defs}) == set()
