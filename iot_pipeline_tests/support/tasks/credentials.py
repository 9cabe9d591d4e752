"""The credentials of tasks, from an endpoint as a container on ECS has it.

ECS guide, "Amazon ECS task IAM role": the agent serves each task its role's temporary credentials, and renews them;
AWS SDKs guide, "Container credential provider": where it is and by which token it knows the task, the environment says.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import boto3

from infra.local.emulator.process import Emulator
from infra.local.servers.acting import service_session
from iot_pipeline_tests.support.json_server import Asked, serving_json

# STS API reference, AssumeRole: the shortest session. SDKs renew credentials that last for less than 15 minutes more,
# so that processes of a test renew theirs.
_SECONDS = 900


@dataclass
class TaskCredentials:
    """The endpoint; `served` counts the answers by role."""

    emulator: Emulator
    url: str = ""
    served: dict[str, int] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def environment(self, role_arn: str, task: str) -> dict[str, str]:
        """What a task has in its environment that acts as a role."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = (role_arn, task)
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/v2/credentials/{task}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        }

    def answer(self, token: str) -> dict[str, str] | None:
        """The credentials of the task that has the token; None for a token that none has."""
        with self._lock:
            known = self._tokens.get(token)
            if known is None:
                return None
            role_arn, task = known
            self.served[role_arn] = self.served.get(role_arn, 0) + 1
            sts = boto3.client("sts", **self.emulator.client_options)  # type: ignore[call-overload]  # a dict
        account, region = role_arn.split(":")[4], sts.meta.region_name
        source = f"arn:aws:ecs:{region}:{account}:task/{task}"
        made = service_session(
            sts, role_arn, task, service="ecs-tasks.amazonaws.com", source_arn=source, seconds=_SECONDS
        )
        return {
            "RoleArn": role_arn,
            "AccessKeyId": made["AccessKeyId"],
            "SecretAccessKey": made["SecretAccessKey"],
            "Token": made["SessionToken"],
            "Expiration": made["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


@contextmanager
def task_credentials(emulator: Emulator) -> Iterator[TaskCredentials]:
    """Serve credentials until the end of the `with` block."""
    credentials = TaskCredentials(emulator)

    def answer(asked: Asked) -> tuple[int, dict[str, str]]:
        found = credentials.answer(asked.headers.get("Authorization", ""))
        return (200, found) if found else (401, {"code": "InvalidToken", "message": "no task has this token"})

    with serving_json(answer) as credentials.url:
        yield credentials
