"""Starting the local AWS as a process of its own, and stopping it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from infra.local.emulator.settings import HOST

READY_SECONDS = 60.0
STOP_SECONDS = 60.0
CHECKOUT = Path(__file__).parents[3]
LOG_LINES_SHOWN = 15


class EmulatorStartError(RuntimeError):
    """The local AWS did not start; the text says why and what to do."""


@dataclass
class Emulator:
    """A running local AWS."""

    port: int
    mqtt_port: int
    state_dir: Path
    ca_pem: Path
    log_file: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint_url(self) -> str:
        """For `AWS_ENDPOINT_URL`."""
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """SIGTERM: Firehose delivers what it holds, the state is saved. After a minute SIGKILL, and TimeoutExpired."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def start_emulator(
    state_dir: Path,
    *,
    port: int | None = None,
    mqtt_port: int | None = None,
    region: str = "eu-west-1",
    firehose_interval_scale: float = 1.0,
    log_level: str = "WARNING",
) -> Emulator:
    """Start the local AWS on the given (or free) ports and wait until its API, MQTT and extensions are ready.

    Its output goes to `<state_dir>/emulator.log`, the CA certificate for MQTT clients to `<state_dir>/ca.pem`. Raises
    EmulatorStartError.
    """
    state_dir = state_dir.resolve()
    port, mqtt_port = port or free_port(), mqtt_port or free_port()
    state_dir.mkdir(parents=True, exist_ok=True)
    log_file = state_dir / "emulator.log"
    command = [sys.executable, "-m", "infra.local.emulator", "--port", str(port), "--mqtt-port", str(mqtt_port)]
    command += ["--state-dir", str(state_dir), "--region", region, "--log-level", log_level]
    command += ["--firehose-interval-scale", str(firehose_interval_scale)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    emulator = Emulator(port, mqtt_port, state_dir, state_dir / "ca.pem", log_file, process)
    try:
        _wait_until_ready(emulator)
    except BaseException:
        process.kill()
        process.wait()
        raise
    emulator.ca_pem.write_bytes(_get(emulator, "/_ministack/iot/ca.pem"))
    return emulator


def _wait_until_ready(emulator: Emulator) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if emulator.process.poll() is not None:
            raise EmulatorStartError(_report(emulator, f"stopped with exit code {emulator.process.returncode}"))
        try:
            state = json.loads(_get(emulator, "/_ministack/ready"))
        except OSError:
            time.sleep(0.02)
            continue
        ours = state.get("pid") == emulator.process.pid  # else the port is taken, and our process is about to say so
        if ours and state["iot_mtls"] == "listening":
            return
        if ours and state["iot_mtls"] == "degraded":
            raise EmulatorStartError(_report(emulator, f"could not listen for MQTT on port {emulator.mqtt_port}"))
        time.sleep(0.02)
    raise EmulatorStartError(_report(emulator, f"was not ready within {READY_SECONDS:.0f} s"))


def _report(emulator: Emulator, problem: str) -> str:
    tail = "\n".join(emulator.log_file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
    ports = f"port {emulator.port}, MQTT {emulator.mqtt_port}"
    return f"The local AWS ({ports}) {problem}. {emulator.log_file} ends with:\n{tail}"


def _get(emulator: Emulator, path: str) -> bytes:
    with urllib.request.urlopen(f"{emulator.endpoint_url}{path}", timeout=5) as response:  # noqa: S310  our own loopback
        return bytes(response.read())
