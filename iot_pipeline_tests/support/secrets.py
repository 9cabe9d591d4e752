"""Secrets of the local Secrets Manager, in the form that RDS and Redshift give theirs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from iot_pipeline_tests.support.emulator import unique


@dataclass(frozen=True)
class Secret:
    """A secret that holds a user and a password."""

    client: Any
    arn: str
    user: str

    @classmethod
    def of(cls, client: Any, user: str, password: str) -> "Secret":
        """A new one."""
        made = client.create_secret(Name=unique(user), SecretString=_text(user, password))
        return cls(client, made["ARN"], user)

    def put(self, password: str) -> None:
        """What a rotation does last: the new password becomes the current one."""
        self.client.put_secret_value(SecretId=self.arn, SecretString=_text(self.user, password))

    def rotated_by(self, alter: Callable[[str], None], password: str) -> None:
        """Rotate: the database has the new password before the secret has it."""
        alter(password)
        self.put(password)


def _text(user: str, password: str) -> str:
    return json.dumps({"username": user, "password": password, "engine": "postgres"})
