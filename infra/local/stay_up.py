"""`make up`: the Dagster UI and daemon, and a fleet that keeps publishing, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from rich.console import Console

from infra.local import fleet
from infra.local.emulator.process import free_port
from infra.local.emulator.settings import HOST
from infra.local.platform import CHECKOUT, Platform, PlatformError

UI_SECONDS = 90.0
STOP_SECONDS = 30.0
# Twenty devices that each send a packed message every half minute or so.
READINGS_PER_SECOND = 20
PACK = 25


def stay_up(platform: Platform, devices: int, console: Console) -> None:
    """Run Dagster and the fleet until Ctrl-C or SIGTERM. Raises PlatformError if one of them ends by itself."""
    children: list[subprocess.Popen[bytes]] = []
    try:
        if devices:
            folder = platform.state_dir / "fleet"
            fleet.provision(folder, devices, tenants=2, sites=2)
            options = ["--rate", str(READINGS_PER_SECOND), "--pack", str(PACK), "--duration", "365d", "--faults", "all"]
            children.append(fleet.start_publishing(platform, folder, platform.state_dir / "fleet.log", *options))
        dagster, url = _start_dagster(platform)
        children.append(dagster)
        console.print(f"\n[bold green]Dagster's UI: {url}[/]   sensors and schedules are on")
        console.print(f"AWS: {platform.emulator.endpoint_url}   MQTT: {HOST}:{platform.emulator.mqtt_port}")
        console.print(f"Another Dagster, or your own scripts: the environment is in {CHECKOUT / '.env'}")
        console.print(f"Logs: {platform.state_dir}   Ctrl-C stops it all\n", soft_wrap=True)
        while True:
            for child in children:
                if child.poll() is not None:
                    raise PlatformError(f"{child.args!r} ended with {child.returncode}; see the logs")
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("\nstopping")
    finally:
        for child in reversed(children):
            _interrupt(child)


def _start_dagster(platform: Platform) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    log = platform.state_dir / "dagster.log"
    command = [
        str(Path(sys.executable).with_name("dagster")),
        "dev",
        "-h",
        HOST,
        "-p",
        str(port),
        "-w",
        "workspace.yaml",
    ]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
            start_new_session=True,
        )
    url = f"http://{HOST}:{port}"
    deadline = time.monotonic() + UI_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310  # our own loopback
                return process, url
        except OSError:
            time.sleep(0.5)
    _interrupt(process)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise PlatformError(f"Dagster's UI did not start; {log} ends with:\n{tail}")


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """`dagster dev` and the simulator end in order on SIGINT; Dagster ignores SIGTERM when started by a script."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
