"""Workflows of Glue: what their runs have come to."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import boto3
import dagster as dg

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import GetWorkflowRunsRequestTypeDef, WorkflowRunTypeDef

# Runs a page (Glue API reference, GetWorkflowRuns: at most 1,000), the newest first. At one look in five minutes a
# workflow that runs once at a time needs one page, unless nobody has looked for long.
_RUNS = 25


class Workflows(dg.ConfigurableResource["Workflows"]):
    """The workflows of this deployment."""

    def runs(self, name: str) -> Iterator[Sequence["WorkflowRunTypeDef"]]:
        """The runs of a workflow by pages, the newest first; a page is asked for when it is wanted.

        Raises botocore's errors.
        """
        glue = boto3.client("glue")
        asked: GetWorkflowRunsRequestTypeDef = {"Name": name, "MaxResults": _RUNS}
        while True:
            page = glue.get_workflow_runs(**asked)
            yield page["Runs"]
            if not page.get("NextToken"):
                return
            asked["NextToken"] = page["NextToken"]
