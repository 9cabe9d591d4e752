"""Starting the local AWS as a process of its own, and stopping it."""

import json
import os
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from infra.local.emulator.credentials import Credentials, credentials_of
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.freed_memory import GIVING_BACK
from infra.local.servers.local_server import LocalError, LocalServer, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.servers.private_files import private_folder


@dataclass
class Emulator(LocalServer):
    """A running local AWS. Told to stop, it delivers what Firehose holds and saves its state."""

    port: int
    mqtt_port: int
    state_dir: Path
    region: str
    credentials: Credentials

    @property
    def endpoint_url(self) -> str:
        """For `AWS_ENDPOINT_URL`."""
        return f"http://{HOST}:{self.port}"

    @property
    def mqtt_endpoint(self) -> str:
        """Where devices find the broker, as `host:port`."""
        return f"localhost:{self.mqtt_port}"

    @property
    def ca_pem(self) -> Path:
        """The CA certificate for MQTT clients."""
        return self.state_dir / "ca.pem"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which an AWS SDK reaches it, as the account's root."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": self.region,
            **self.credentials.environment,
        }

    @property
    def client_options(self) -> dict[str, str]:
        """The same as keywords of `boto3.client`."""
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": self.region,
            "aws_access_key_id": self.credentials.access_key_id,
            "aws_secret_access_key": self.credentials.secret_access_key,
        }


def start_emulator(
    state_dir: Path,
    *,
    port: int | None = None,
    mqtt_port: int | None = None,
    region: str = "eu-west-1",
    firehose_interval_scale: float = 1.0,
    kinesis_poll_seconds: float = 1.0,
    async_retry_seconds: float = 60.0,
    mqtt_wait_scale: float = 1.0,
    log_level: str = "WARNING",
) -> Emulator:
    """Start the local AWS on the given (or free) ports and wait until its API, MQTT and extensions are ready.

    Its output goes to `<state_dir>/emulator.log`, the CA certificate for MQTT clients to `<state_dir>/ca.pem`. The
    root's credentials are made at the first start and kept in `<state_dir>/credentials.json`. Raises LocalError.
    """
    state_dir = private_folder(state_dir)
    port, mqtt_port = port or free_port(), mqtt_port or free_port()
    credentials = credentials_of(state_dir)
    command = [sys.executable, "-m", "infra.local.emulator", "--port", str(port), "--mqtt-port", str(mqtt_port)]
    command += ["--state-dir", str(state_dir), "--region", region, "--log-level", log_level]
    command += ["--firehose-interval-scale", str(firehose_interval_scale)]
    command += ["--kinesis-poll-seconds", str(kinesis_poll_seconds)]
    command += ["--async-retry-seconds", str(async_retry_seconds), "--mqtt-wait-scale", str(mqtt_wait_scale)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    log_file = state_dir / "emulator.log"
    process = launch(command, log_file, CHECKOUT, environment | GIVING_BACK | credentials.environment)
    name = f"the local AWS (port {port}, MQTT {mqtt_port})"
    emulator = Emulator(name, process, log_file, port, mqtt_port, state_dir, region, credentials)
    emulator.start(lambda: _is_ready(emulator))
    return emulator


def _is_ready(emulator: Emulator) -> bool:
    """Whether it serves all; its CA certificate is there then."""
    try:
        state = json.loads(_get(emulator, "/_ministack/ready"))
        emulator.ca_pem.write_bytes(_get(emulator, "/_ministack/iot/ca.pem"))
    except OSError:
        return False
    # Another process id: the port is taken, and our process is about to say so.
    ours = bool(state.get("pid") == emulator.pid)
    if ours and state["iot_mtls"] == "degraded":
        raise LocalError(emulator.report(f"could not listen for MQTT on port {emulator.mqtt_port}"))
    return ours and state["iot_mtls"] == "listening"


def _get(emulator: Emulator, path: str) -> bytes:
    with urllib.request.urlopen(f"{emulator.endpoint_url}{path}", timeout=5) as response:  # noqa: S310  our own loopback
        return bytes(response.read())
