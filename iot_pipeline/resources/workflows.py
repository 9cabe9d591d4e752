"""Workflows of Glue: what their runs have come to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import boto3
import dagster as dg

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import WorkflowRunTypeDef

# A page of GetWorkflowRuns (Glue API reference: at most 1,000), the newest runs first. At one look in five minutes a
# workflow that runs once at a time has no more.
_RUNS = 25


class Workflows(dg.ConfigurableResource["Workflows"]):
    """The workflows of this deployment."""

    def newest_runs(self, name: str) -> Sequence["WorkflowRunTypeDef"]:
        """The newest runs of a workflow, at most 25. Raises botocore's errors."""
        return boto3.client("glue").get_workflow_runs(Name=name, MaxResults=_RUNS)["Runs"]
