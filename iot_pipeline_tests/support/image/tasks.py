"""The tasks of Dagster's image on this machine: what each has in its environment, and runs as tasks of their own."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from infra.local.servers.local_server import launch
from infra.local.session.platform import Platform
from infra.stacks.services.places import REGISTRY_READER, REGISTRY_WRITER, WAREHOUSE_PIPELINE
from infra.stacks.services.processes import DAEMON, RUN, WEBSERVER, Process
from iot_pipeline_tests.support.image.root import Image
from iot_pipeline_tests.support.tasks.control_plane import ControlPlane, serving
from iot_pipeline_tests.support.tasks.credentials import TaskCredentials, task_credentials
from iot_pipeline_tests.support.tasks.roles import Orchestration, deploy_orchestration

# The person's own credentials and passwords, the simulator's settings, and what this machine's Dagster has.
_NO_TASKS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "DAGSTER_HOME",
    "IOT_REGISTRY_PASSWORD",
    "IOT_REGISTRY_USER",
    "IOT_WAREHOUSE_PASSWORD",
    "IOT_WAREHOUSE_USER",
    "SIMULATOR_CA",
    "SIMULATOR_ENDPOINT",
}


@dataclass
class Tasks:
    """The environments of the tasks, by process, and the cluster that starts runs."""

    platform: Platform
    orchestration: Orchestration
    credentials: TaskCredentials
    runs: ControlPlane
    common: dict[str, str]
    launching: dict[str, str]

    def environment(self, process: Process) -> dict[str, str]:
        """What a process has in its environment; those that start or end runs have what the launcher reads."""
        role_arn = self.orchestration.role_arn(f"{process.name.capitalize()}Role")
        own = self.launching if process in (WEBSERVER, DAEMON) else {}
        return {**self.common, **own, **self.credentials.environment(role_arn, process.name)}

    def denials(self) -> list[str]:
        """What the emulator has denied so far."""
        text = self.platform.emulator.log_file.read_text()
        return [line.partition("AccessDenied: ")[2] for line in text.splitlines() if "AccessDenied: " in line]


@contextmanager
def tasks_of(platform: Platform, image: Image, storage: Mapping[str, str], home: Path) -> Iterator[Tasks]:
    """The tasks of an image's processes, whose database is that of `storage`; logs of runs are in `home`."""
    with ExitStack() as stack, (home / "orchestration.log").open("w") as log:
        orchestration = deploy_orchestration(platform, Console(file=log))
        credentials = stack.enter_context(task_credentials(platform.emulator))
        config = orchestration.config
        common = {
            **{name: value for name, value in platform.environment.items() if name not in _NO_TASKS},
            **storage,
            **config.dagster_variables,
            # Fargate sets both (ECS guide, "Task metadata available for Fargate tasks").
            "AWS_REGION": config.region,
            "AWS_DEFAULT_REGION": config.region,
            "IOT_REGISTRY_SECRET_ARN": config.database_secret(REGISTRY_READER),
            "IOT_WAREHOUSE_SECRET_ARN": config.database_secret(WAREHOUSE_PIPELINE),
            "DAGSTER_LOGS_BUCKET": config.compute_log_bucket,
        }

        def start(
            task_id: str, command: list[str], added: Mapping[str, str], role_arn: str
        ) -> "subprocess.Popen[bytes]":
            environment = {**common, **added, **credentials.environment(role_arn, task_id)}
            return launch(image.process(command, environment), home / f"run-{task_id}.log", home, dict(os.environ))

        cluster = ControlPlane(
            platform.emulator.endpoint_url,
            orchestration.arn(f"cluster/{config.dagster_name}"),
            _definition(orchestration),
            start,
        )
        stack.enter_context(serving(cluster))
        launching = {
            "AWS_ENDPOINT_URL_ECS": cluster.url,
            "DAGSTER_RUN_CLUSTER": config.dagster_name,
            "DAGSTER_RUN_TASK_DEFINITION": cluster.definition["taskDefinitionArn"],
            "DAGSTER_RUN_SUBNETS": "subnet-local",
            "DAGSTER_RUN_SECURITY_GROUP": "sg-local",
            "DAGSTER_RUN_CAPACITY": "FARGATE",
            "DAGSTER_REMOVAL_ROLE": orchestration.role_arn("RemovalRole"),
            "DAGSTER_REMOVAL_REGISTRY_SECRET": config.database_secret(REGISTRY_WRITER),
            "DAGSTER_REPLAY_ROLE": orchestration.role_arn("ReplayRole"),
        }
        yield Tasks(platform, orchestration, credentials, cluster, common, launching)


def _definition(orchestration: Orchestration) -> dict[str, object]:
    """The task definition of runs, as the API shows it."""
    family = orchestration.family(RUN.name)
    return {
        "taskDefinitionArn": orchestration.arn(f"task-definition/{family}:1"),
        "family": family,
        "revision": 1,
        "containerDefinitions": [{"name": RUN.name, "environment": []}],
        "taskRoleArn": orchestration.role_arn("RunRole"),
        "executionRoleArn": orchestration.role_arn("RunExecutionRole"),
    }
