"""What the platform's stacks are deployed to: a plain ministack for the tests of the deployment, whose subject is its
CloudFormation; the local AWS with our extensions for the tests of what was deployed.
"""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from infra.local.deploy.deployment import deploy_assembly
from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.emulator import LocalAws
from iot_pipeline_tests.support.templates import assembly

HOST = "127.0.0.1"
REGION = "eu-west-1"
ACCOUNT = "000000000000"
READY_SECONDS = 60.0


@dataclass
class Ministack:
    """A running ministack."""

    endpoint: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which an AWS SDK finds it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """A client of one of its services."""
        return boto3.client(  # type: ignore[call-overload]  # the service is the caller's
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def ministack(state: Path) -> Iterator[Ministack]:
    """Run a ministack with its files below `state`; whatever it is then, it is gone afterwards."""
    state.mkdir(parents=True, exist_ok=True)
    port, mqtt_port = _free_ports()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(state),
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_PORT": str(mqtt_port),
        "BIND_HOST": HOST,
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "STATE_DIR": str(state / "services"),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    with (state / "ministack.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], cwd=state, env=environment, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(f"http://{HOST}:{port}/_ministack/ready", process, state / "ministack.log")
        yield Ministack(f"http://{HOST}:{port}", process)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """One ministack for a module, in the environment of every test of it."""
    with ministack(tmp_path_factory.mktemp("ministack")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="module")
def deployed_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAws, dict[str, str]]]:
    """The local AWS with the platform's stacks, and the stacks' outputs."""
    folder = tmp_path_factory.mktemp("platform")
    # A 60 s buffer lasts 0.6 s.
    emulator = start_emulator(folder / "state", firehose_interval_scale=0.01)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in emulator.environment.items():
                patch.setenv(name, value)
            result = deploy_assembly(assembly(), Console(file=io.StringIO()))
        yield LocalAws(emulator, folder), result.outputs
    finally:
        emulator.stop()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for probe in (first, second):
            probe.bind((HOST, 0))
        return first.getsockname()[1], second.getsockname()[1]


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                if b'"iot_mtls": "listening"' in response.read():
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"ministack did not become ready:\n{log.read_text()[-2000:]}")
