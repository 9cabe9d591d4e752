"""`make up`: the Dagster UI and daemon, and a fleet that keeps publishing, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import dagster as dg
import psutil
from rich.console import Console

from infra.local.emulator.process import free_port
from infra.local.emulator.settings import HOST
from infra.local.session import fleet_commands
from infra.local.session.dead_runs import fail_dead_runs, fail_orphaned_runs
from infra.local.session.leftovers import PlatformError, note_processes
from infra.local.session.platform import CHECKOUT, Platform

UI_SECONDS = 90.0
STOP_SECONDS = 30.0
# A history for the first start, so that the UI has something to show.
HISTORY = ["--history", "3h", "--readings", "20000", "--pack", "100"]
# Twenty devices that each send a packed message every few seconds.
LIVE = ["--rate", "20", "--pack", "25", "--duration", "365d"]
# How often runs are looked for whose processes are dead.
LOOK_SECONDS = 10.0
# Building the open hour costs little here, and a person waits for it.
BUILD_INTERVAL_MINUTES = "2"


def stay_up(platform: Platform, devices: int, console: Console) -> None:
    """Run Dagster and the fleet until Ctrl-C or SIGTERM. Raises PlatformError if one of them ends by itself."""
    # A shell ignores SIGINT for what it starts in the background, and so would all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    children: list[subprocess.Popen[bytes]] = []
    try:
        if devices:
            children.append(_start_fleet(platform, devices, console))
        with dg.DagsterInstance.get() as instance:
            for run_id in fail_orphaned_runs(instance):
                console.print(f"run {run_id} was cut off with the last session: marked as failed")
        console.print("starting Dagster")
        dagster = _start_dagster(platform)
        children.append(dagster)
        url = _wait_for_ui(platform, dagster)
        note_processes(platform.state_dir, [process.pid for process in _family(children)])
        console.print(f"\n[bold green]Dagster's UI: {url}[/]   sensors and schedules are on")
        if devices:
            console.print(f"{devices} devices publish; hours are built every {BUILD_INTERVAL_MINUTES} minutes")
        console.print(f"AWS: {platform.emulator.endpoint_url}   MQTT: {HOST}:{platform.emulator.mqtt_port}")
        console.print(f"Your own scripts: the environment is in {CHECKOUT / '.env'}", soft_wrap=True)
        console.print(f"Logs: {platform.state_dir}   Ctrl-C stops it all\n", soft_wrap=True)
        while True:
            _watch(children, platform, LOOK_SECONDS)
            with dg.DagsterInstance.get() as instance:
                for run_id in fail_dead_runs(instance):
                    console.print(f"run {run_id} was killed: failed, its place in the pool is free again")
    except KeyboardInterrupt:
        console.print("\nstopping Dagster and the fleet")
    finally:
        _stop(children)


def _watch(children: Iterable[subprocess.Popen[bytes]], platform: Platform, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for child in children:
            if child.poll() is not None:
                raise PlatformError(f"{child.args!r} ended with {child.returncode}; see {platform.state_dir}/*.log")
        time.sleep(1)


def _start_fleet(platform: Platform, devices: int, console: Console) -> subprocess.Popen[bytes]:
    folder = platform.state_dir / "fleet"
    console.print(f"onboarding {devices} devices")
    fleet_commands.onboard(folder, devices, tenants=2, sites=2)
    published = platform.state_dir / "history-published"
    if not published.exists():
        console.print("publishing a history of 3 hours, every fault on")
        fleet_commands.publish(platform, folder, *HISTORY, "--faults", "all")
        published.touch()
    return fleet_commands.start_publishing(platform, folder, platform.state_dir / "fleet.log", *LIVE, "--faults", "all")


def _start_dagster(platform: Platform) -> subprocess.Popen[bytes]:
    dagster = Path(sys.executable).with_name("dagster")
    own = {"PYTHONWARNINGS": "ignore", "IOT_BUILD_INTERVAL_MINUTES": BUILD_INTERVAL_MINUTES}
    with _dagster_log(platform).open("ab") as out:
        return subprocess.Popen(
            [str(dagster), "dev", "-h", HOST, "-p", str(_ui_port(platform)), "-w", "workspace.yaml"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=own | os.environ,
            start_new_session=True,
        )


def _ui_port(platform: Platform) -> int:
    """The port of last time, if it is free still, so that an open browser finds the UI again."""
    noted = platform.state_dir / "ui-port"
    port = int(noted.read_text()) if noted.exists() else free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            port = free_port()
    noted.write_text(str(port))
    return port


def _wait_for_ui(platform: Platform, dagster: subprocess.Popen[bytes]) -> str:
    port = dagster.args[dagster.args.index("-p") + 1] if isinstance(dagster.args, list) else ""
    url = f"http://{HOST}:{port}"
    deadline = time.monotonic() + UI_SECONDS
    while time.monotonic() < deadline and dagster.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310  # our own loopback
                return url
        except OSError:
            time.sleep(0.5)
    log = _dagster_log(platform)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise PlatformError(f"Dagster's UI did not start; {log} ends with:\n{tail}")


def _dagster_log(platform: Platform) -> Path:
    return platform.state_dir / "dagster.log"


def _family(children: Iterable[subprocess.Popen[bytes]]) -> list[psutil.Process]:
    """These processes and all that they have started."""
    found = []
    for child in children:
        try:
            process = psutil.Process(child.pid)
            found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    """`dagster dev` and the simulator end in order on SIGINT; whatever is left then is ended for them."""
    family = _family(children)
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(family, timeout=STOP_SECONDS)
    for process in alive:
        process.terminate()
    _, alive = psutil.wait_procs(alive, timeout=5)
    for process in alive:
        process.kill()
    for child in children:
        child.wait()
