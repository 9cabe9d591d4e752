"""The broker that the simulated fleet publishes to."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.servers.loopback import free_port
from iot_pipeline_tests.support.broker import ACCOUNT, REGION, Broker, platform_of, wait_until_listening

ATTEMPTS = 3


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A plain ministack with policies enforced, device policy and thing type, and a rule from every message to SQS."""
    folder = tmp_path_factory.mktemp("ministack")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    url, mqtt, process = _listening(folder, environment)
    try:
        ca = folder / "ca.pem"
        ca.write_bytes(urllib.request.urlopen(f"{url}/_ministack/iot/ca.pem", timeout=5).read())
        environment |= {
            "AWS_ENDPOINT_URL": url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        yield Broker(mqtt, ca, environment, platform_of(environment), process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _listening(folder: Path, environment: dict[str, str]) -> tuple[str, int, "subprocess.Popen[bytes]"]:
    """Started, on free ports: on others if one of them was taken between looking and binding."""
    for attempt in range(ATTEMPTS):
        http, mqtt = free_port(), free_port()
        server_environment = environment | {
            "GATEWAY_PORT": str(http),
            "IOT_MTLS_PORT": str(mqtt),
            "BIND_HOST": "127.0.0.1",
            "AUTH": "true",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "STATE_DIR": str(folder / "state"),
            "S3_DATA_DIR": str(folder / "s3"),
        }
        log = folder / f"ministack-{attempt}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"], env=server_environment, stdout=output, stderr=output, cwd=folder
            )
        if wait_until_listening(f"http://127.0.0.1:{http}", process, log):
            return f"http://127.0.0.1:{http}", mqtt, process
        process.terminate()
        process.wait(30)
    raise AssertionError(f"ministack found no port in {ATTEMPTS} attempts; see {folder}")
