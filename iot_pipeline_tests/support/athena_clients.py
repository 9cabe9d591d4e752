"""A local AWS for clients of Athena that nobody here wrote, and where those clients are installed.

They are in an environment of their own, `.venv-clients` of the checkout or the folder that IOT_ATHENA_CLIENTS names;
the group `athena-clients` of pyproject.toml pins their versions (docs/local-aws.md, "Athena's clients").
"""

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.athena.process import LocalAthena, start_athena
from infra.local.emulator.process import Emulator, start_emulator
from infra.local.servers.checkout import CHECKOUT
from iot_pipeline_tests.support import client_worker

BUCKET = "clients"
INSTALLED = Path(os.environ.get("IOT_ATHENA_CLIENTS") or CHECKOUT / ".venv-clients")
SECONDS = 240
"""A client's command that takes as long as this fails."""


@dataclass
class ClientsAws:
    """The emulator and the local Athena, reached by environment variables alone, as on AWS."""

    emulator: Emulator
    athena: LocalAthena

    @property
    def environment(self) -> dict[str, str]:
        """What points an AWS SDK or command line here."""
        return {**self.emulator.environment, "AWS_ENDPOINT_URL_ATHENA": self.athena.endpoint_url}

    def client(self, service: str) -> Any:
        """boto3."""
        url = self.athena.endpoint_url if service == "athena" else self.emulator.endpoint_url
        options: dict[str, Any] = {**self.emulator.client_options, "endpoint_url": url}
        return boto3.client(service, **options)  # type: ignore[call-overload]  # the service name is a variable

    def put(self, key: str, data: bytes) -> None:
        """An object in the bucket."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=data)


@contextmanager
def started(state: Path) -> Iterator[ClientsAws]:
    """A local AWS with a bucket and the database `default`."""
    emulator = start_emulator(state / "aws")
    try:
        athena = start_athena(
            state / "athena", port=None, s3_data_dir=emulator.state_dir / "s3", environment=emulator.environment
        )
        try:
            aws = ClientsAws(emulator, athena)
            aws.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": emulator.region}
            )
            aws.client("glue").create_database(DatabaseInput={"Name": "default"})
            yield aws
        finally:
            athena.stop()
    finally:
        emulator.stop()


@cache
def pins() -> dict[str, str]:
    """Distribution -> version, of the group `athena-clients`."""
    groups = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    return dict(pin.split("==") for pin in groups["athena-clients"])


def installed(distribution: str) -> Path:
    """The folder of the clients' programs; the test is skipped where the pinned client is not installed."""
    programs = INSTALLED / "bin"
    found = "none"
    if (programs / "python").exists():
        code = f"from importlib.metadata import version; print(version({distribution!r}))"
        asked = subprocess.run([programs / "python", "-c", code], capture_output=True, text=True, check=False)
        found = asked.stdout.strip() or "none"
    if found != pins()[distribution]:
        pytest.skip(
            f"{distribution} {pins()[distribution]} is not installed in {INSTALLED.name}; found there: {found} "
            "(the group `athena-clients` of pyproject.toml; docs/local-aws.md says how to install it)"
        )
    return programs


class Worker:
    """Python in the clients' environment, which is sent expressions and statements."""

    def __init__(self, programs: Path, environment: dict[str, str]) -> None:
        # Without -P Python would find this folder's modules in the place of its own (`secrets`).
        self._process = subprocess.Popen(
            [programs / "python", "-P", client_worker.__file__],
            env={**_plain_environment(), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, code: str, **names: Any) -> Any:
        """The value of an expression (None of statements) over `names`; WorkerError for what it raises."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"code": code, "names": names}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the worker ended with {self._process.poll()}"
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        assert self._process.wait(60) == 0


class WorkerError(Exception):
    """What the client raised, as text: the exception's name and message."""


def run(command: list[str | Path], environment: dict[str, str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """A client's command line, with what it printed."""
    return subprocess.run(
        command,
        env={**_plain_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **options,
    )


def _plain_environment() -> dict[str, str]:
    """This process's, without what would have the client import this checkout or speak to another AWS."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
