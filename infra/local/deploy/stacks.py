"""CloudFormation by change sets: create, update or leave a stack alone."""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from mypy_boto3_cloudformation import CloudFormationClient
from mypy_boto3_s3 import S3Client

from infra.local.deploy.adopt import import_change_set, orphaned_buckets
from infra.local.deploy.prune import not_for_here, prune, unsupported
from infra.local.servers.local_server import LocalError
from infra.local.servers.patience import wait_while_it_moves

_UNSUPPORTED = re.compile(r"Unrecognized resource types: \[([^\[\]]*+)\]")
_POLL_SECONDS = 0.1
# A first deployment that failed leaves a stack that can only be deleted.
_UNUSABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED")


class DeployError(LocalError):
    """The local AWS could not be brought to what the templates say; the text says what failed and the way out."""


@dataclass(frozen=True)
class Deployed:
    """One stack as it stands: the template that was sent, and what had to be left out of it."""

    name: str
    change: str
    template: dict[str, Any]
    pruned: tuple[str, ...]


def templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """The assembly's templates by stack name, in the order in which they depend on each other."""
    artifacts: dict[str, Any] = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name: a for name, a in artifacts.items() if a["type"] == "aws:cloudformation:stack"}
    ordered: list[str] = []
    while len(ordered) < len(stacks):
        ready = [
            name
            for name, artifact in stacks.items()
            if name not in ordered and all(d in ordered for d in artifact.get("dependencies", []) if d in stacks)
        ]
        if not ready:
            raise DeployError(f"the stacks of {assembly} depend on each other in a circle")
        ordered += ready
    return {name: json.loads((assembly / stacks[name]["properties"]["templateFile"]).read_text()) for name in ordered}


def deploy_stack(client: CloudFormationClient, s3: S3Client, name: str, template: dict[str, Any]) -> Deployed:
    """Bring one stack to its template. Raises DeployError with the reasons CloudFormation gives."""
    status = _settled_status(client, name)
    if status in _UNUSABLE:
        client.delete_stack(StackName=name)
        status = _settled_status(client, name)
    if status is None and (orphaned := orphaned_buckets(s3, template)):
        _execute(client, name, import_change_set(client, name, template, orphaned), "adopted")
        status = _settled_status(client, name)
    gone = not_for_here(template)
    while True:
        wanted, pruned = prune(template, gone)
        # What other stacks have published may have changed though the template has not; a change set finds out.
        if status is not None and not wanted.get("Parameters") and _current_template(client, name) == wanted:
            return Deployed(name, "unchanged", wanted, pruned)
        try:
            change = _change(client, name, wanted, creating=status is None)
            return Deployed(name, change, wanted, pruned)
        except ClientError as error:
            refused = _UNSUPPORTED.search(str(error))
            if not refused:
                raise DeployError(f"stack {name}: {error}") from error
            gone |= unsupported(template, set(refused[1].split(", ")))
            # A refused creation may leave an empty stack in review.
            status = _settled_status(client, name) if status else None


def _change(client: CloudFormationClient, name: str, template: dict[str, Any], *, creating: bool) -> str:
    change_set = client.create_change_set(
        StackName=name,
        ChangeSetName=f"deploy-{time.time_ns()}",
        TemplateBody=json.dumps(template),
        ChangeSetType="CREATE" if creating else "UPDATE",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )["Id"]
    return _execute(client, name, change_set, "created" if creating else "updated")


def _execute(client: CloudFormationClient, name: str, change_set: str, verb: str) -> str:
    wait_while_it_moves(
        f"the change set of stack {name}",
        lambda: client.describe_change_set(ChangeSetName=change_set)["Status"],
        lambda status: not status.endswith(("PENDING", "IN_PROGRESS")),
        _POLL_SECONDS,
    )
    made = client.describe_change_set(ChangeSetName=change_set)
    if made["Status"] == "FAILED":
        reason = made.get("StatusReason", "")
        if "didn't contain changes" in reason:
            return "unchanged"
        raise DeployError(f"stack {name}: the change set failed: {reason}")
    client.execute_change_set(ChangeSetName=change_set)
    status = _settled_status(client, name)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        raise DeployError(f"stack {name} ended as {status}:\n{_failures(client, name)}")
    return f"{verb}, {len(made['Changes'])} changes"


def _settled_status(client: CloudFormationClient, name: str) -> str | None:
    """The stack's status once nothing is in progress; None if there is no such stack."""

    def look() -> tuple[str | None, int]:
        """The status, and how many resources have gone on."""
        try:
            status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None, 0
            raise
        if status == "DELETE_COMPLETE":
            return None, 0
        events = client.describe_stack_events(StackName=name)["StackEvents"] if _is_in_progress(status) else []
        return status, len(events)

    status, _events = wait_while_it_moves(
        f"stack {name}", look, lambda state: not _is_in_progress(state[0]), _POLL_SECONDS
    )
    return status


def _is_in_progress(status: str | None) -> bool:
    return status is not None and status.endswith("IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def _current_template(client: CloudFormationClient, name: str) -> object:
    # botocore parses a JSON template, though the stubs and the API reference say text.
    return client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]


def _failures(client: CloudFormationClient, name: str) -> str:
    """Each resource that failed and why; what fails validation is in the operation's events alone."""
    reasons = [
        (event.get("LogicalResourceId"), event.get("ResourceStatusReason"))
        for event in reversed(client.describe_stack_events(StackName=name)["StackEvents"])
        if "FAILED" in event.get("ResourceStatus", "")
    ] + [
        (event.get("LogicalResourceId"), event.get("ValidationStatusReason"))
        for event in client.describe_events(StackName=name)["OperationEvents"]
        if event.get("ValidationStatus") == "FAILED"
    ]
    return "\n".join(f"  {logical_id}: {reason}" for logical_id, reason in reasons)
