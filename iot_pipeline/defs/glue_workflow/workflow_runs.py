"""Runs of Glue's own workflow of crawler, job and crawler, as Dagster shows them: it starts none and waits for none."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from iot_pipeline.defs.common import OWNERS
from iot_pipeline.resources import Workflows
from iot_pipeline.settings import policy

# Glue API reference, "WorkflowRun", Status; RUNNING and STOPPING are no end.
_ENDED = ("COMPLETED", "STOPPED", "ERROR")

built_by_glue = dg.AssetSpec(
    "built_by_glue",
    group_name="upkeep",
    owners=OWNERS,
    kinds={"glue", "spark"},
    description=(
        "What Glue's workflow has crawled and built, for who orchestrates there (docs/spark.md). Each run that ended "
        "well is a materialization, any other an observation; which hours were built stands in the catalog and in the "
        "log of the job."
    ),
)


@dg.sensor(
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows the runs of Glue's own workflow that have ended since it last looked, as events of an asset.",
)
def glue_workflow_runs(context: dg.SensorEvaluationContext, workflows: Workflows) -> dg.SkipReason | dg.SensorResult:
    """Report each run once, by the time of its end; at the first look the newest alone.

    Raises botocore's errors, ValueError without a workflow.
    """
    name = policy().glue_workflow
    if name is None:
        raise ValueError("IOT_GLUE_WORKFLOW is unset: expected the workflow's name; unset, this sensor is not loaded")
    seen = float(context.cursor or 0)
    new: list[Mapping[str, Any]] = []
    for page in workflows.runs(name):
        found = [run for run in ended(page) if run["CompletedOn"].timestamp() > seen]
        new = found + new
        if not found or context.cursor is None:
            break
    if not new:
        return dg.SkipReason(f"no run of {name} has ended since the last look")
    cursor = repr(new[-1]["CompletedOn"].timestamp())
    return dg.SensorResult(asset_events=[event(run) for run in new], cursor=cursor)


def ended(runs: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that have ended, the first to end first."""
    return sorted((run for run in runs if run["Status"] in _ENDED), key=lambda run: run["CompletedOn"])


def event(run: Mapping[str, Any]) -> dg.AssetMaterialization | dg.AssetObservation:
    """A run as an event: it ended well if all that it started did.

    Glue calls a run COMPLETED whose actions have failed (Glue API reference, "WorkflowRunStatistics").
    """
    statistics: Mapping[str, int] = run.get("Statistics", {})
    failed = sum(statistics.get(f"{kind}Actions", 0) for kind in ("Failed", "Timeout", "Stopped", "Errored"))
    kind = dg.AssetMaterialization if run["Status"] == "COMPLETED" and not failed else dg.AssetObservation
    metadata = {
        "workflow run": run["WorkflowRunId"],
        "status": run["Status"],
        "began": dg.MetadataValue.timestamp(run["StartedOn"]),
        "ended": dg.MetadataValue.timestamp(run["CompletedOn"]),
        "actions": statistics.get("TotalActions", 0),
        "actions that did not succeed": failed,
        "error": run.get("ErrorMessage", ""),
    }
    return kind(asset_key=built_by_glue.key, metadata=metadata)
