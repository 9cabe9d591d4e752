"""ECS's API as far as Dagster's run launcher uses it: a task is a process of this machine.

Amazon ECS API reference: DescribeTaskDefinition, RunTask, DescribeTasks, StopTask. The caller's permissions are those
of the service authorization reference, "Amazon Elastic Container Service", and `iam:PassRole` for the roles that a task
gets (IAM user guide, "Grant a user permissions to pass a role to an AWS service"); the emulator evaluates them.
"""

import json
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from infra.local.servers.acting import Check, NotAllowedError, check_caller
from iot_pipeline_tests.support.json_server import Asked, serving_json

_STOP_SECONDS = 30
Start = Callable[[str, list[str], Mapping[str, str], str], "subprocess.Popen[bytes]"]
"""Starts a task's process: its id, its command, the environment that the request adds, its role's ARN."""


@dataclass
class Task:
    """A task: its ARN, the role it acts as, and its process."""

    arn: str
    role_arn: str
    process: "subprocess.Popen[bytes]"

    def describe(self, container: str, definition: str, cluster: str) -> dict[str, Any]:
        """The API's Task."""
        code = self.process.poll()
        shown: dict[str, Any] = {"name": container, "lastStatus": "RUNNING" if code is None else "STOPPED"}
        described = {
            "taskArn": self.arn,
            "clusterArn": cluster,
            "taskDefinitionArn": definition,
            "lastStatus": shown["lastStatus"],
            "containers": [shown if code is None else {**shown, "exitCode": code}],
        }
        ended = {"stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited"}
        return described if code is None else {**described, **ended}


@dataclass
class ControlPlane:
    """The API of one cluster, with one task definition as CloudFormation makes it: `definition` is the API's."""

    emulator_url: str
    cluster_arn: str
    definition: dict[str, Any]
    start: Start
    url: str = ""
    tasks: dict[str, Task] = field(default_factory=dict)

    def answer(self, operation: str, asked: dict[str, Any], admit: Callable[[list[Check]], None]) -> dict[str, Any]:
        """An operation's answer; `admit` raises NotAllowedError unless the caller may make calls."""
        if operation == "DescribeTaskDefinition":
            admit([("ecs:DescribeTaskDefinition", "*", {})])
            return {"taskDefinition": self.definition}
        if operation == "RunTask":
            return self._run(asked, admit)
        if operation == "DescribeTasks":
            admit([("ecs:DescribeTasks", arn, {"ecs:cluster": self.cluster_arn}) for arn in asked["tasks"]])
            found = [self._described(self.tasks[arn]) for arn in asked["tasks"] if arn in self.tasks]
            return {"tasks": found, "failures": []}
        if operation == "StopTask":
            admit([("ecs:StopTask", asked["task"], {"ecs:cluster": self.cluster_arn})])
            task = self.tasks[asked["task"]]
            task.process.send_signal(signal.SIGTERM)
            return {"task": self._described(task)}
        raise NotAllowedError("UnsupportedFeatureException", f"not here: {operation}")

    def _run(self, asked: dict[str, Any], admit: Callable[[list[Check]], None]) -> dict[str, Any]:
        definition, overrides = self.definition, asked.get("overrides") or {}
        assert asked["taskDefinition"] == definition["taskDefinitionArn"]
        name = self.cluster_arn.rpartition("/")[2]
        task_id = uuid.uuid4().hex
        arn = f"{self.cluster_arn.partition(':cluster/')[0]}:task/{name}/{task_id}"
        role_arn = overrides.get("taskRoleArn") or definition["taskRoleArn"]
        passed = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
        checks: list[Check] = [
            ("ecs:RunTask", definition["taskDefinitionArn"], {"ecs:cluster": self.cluster_arn}),
            ("iam:PassRole", role_arn, passed),
            ("iam:PassRole", definition["executionRoleArn"], passed),
        ]
        if asked.get("tags"):
            checks.append(("ecs:TagResource", arn, {"ecs:CreateAction": "RunTask"}))
        admit(checks)
        (container,) = overrides["containerOverrides"]
        added = {each["name"]: each["value"] for each in container.get("environment", [])}
        self.tasks[arn] = Task(arn, role_arn, self.start(task_id, container["command"], added, role_arn))
        return {"tasks": [self._described(self.tasks[arn])], "failures": []}

    def _described(self, task: Task) -> dict[str, Any]:
        (container,) = self.definition["containerDefinitions"]
        return task.describe(container["name"], self.definition["taskDefinitionArn"], self.cluster_arn)

    def stop(self) -> None:
        """End the tasks that run."""
        for task in self.tasks.values():
            if task.process.poll() is None:
                task.process.terminate()
                task.process.wait(_STOP_SECONDS)


@contextmanager
def serving(plane: ControlPlane) -> Iterator[ControlPlane]:
    """Serve the API until the end of the `with` block, and then end the tasks."""

    def answer(asked: Asked) -> tuple[int, dict[str, Any]]:
        def admit(checks: list[Check]) -> None:
            check_caller(plane.emulator_url, dict(asked.headers.items()), asked.body, checks)

        operation = asked.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            return 200, plane.answer(operation, json.loads(asked.body or b"{}"), admit)
        except NotAllowedError as error:
            return 400, {"__type": error.code, "message": error.message}

    with serving_json(answer, "application/x-amz-json-1.1") as plane.url:
        try:
            yield plane
        finally:
            plane.stop()
