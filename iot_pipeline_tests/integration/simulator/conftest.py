"""The broker that the simulated fleet publishes to."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from iot_pipeline_tests.support.broker import ACCOUNT, REGION, Broker, free_port, platform_of, wait_until_listening


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A plain ministack with policies enforced, device policy and thing type, and a rule from every message to SQS."""
    folder = tmp_path_factory.mktemp("ministack")
    http, mqtt = free_port(), free_port()
    url = f"http://127.0.0.1:{http}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
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
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=server_environment, stdout=log, stderr=log, cwd=folder
        )
    try:
        wait_until_listening(url, process, folder / "ministack.log")
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
