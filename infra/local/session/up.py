"""`make up`: the console, the Dagster UI and daemon, and a fleet that keeps publishing, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import dagster as dg
import psutil
from rich.console import Console

from infra.local.servers.local_server import LocalError, launch
from infra.local.servers.loopback import HOST, free_port
from infra.local.session import fleet_commands
from infra.local.session.console import PASSWORDS, make_users, start_console
from infra.local.session.dagster_services import BUILD_INTERVAL_MINUTES, start_dagster
from infra.local.session.dead_runs import fail_dead_runs, fail_orphaned_runs
from infra.local.session.leftovers import note_processes
from infra.local.session.platform import Platform
from infra.stacks.sizes import Size

# Runs may be in the middle of a statement.
STOP_SECONDS = 180.0
# A history for the first start, so that the UI has something to show.
HISTORY = ["--history", "3h", "--readings", "20000", "--pack", "100"]
# Twenty devices that each send a packed message every few seconds.
LIVE = ["--rate", "20", "--pack", "25", "--duration", "365d"]
# How often runs are looked for whose processes are dead.
LOOK_SECONDS = 10.0


def stay_up(platform: Platform, devices: int, env_file: Path, console: Console) -> None:
    """Run console, Dagster and fleet until Ctrl-C or SIGTERM; `env_file` is what a person's own commands are to read.

    Raises LocalError if one of them ends by itself.
    """
    # A shell ignores SIGINT for what it starts in the background, and so would all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    children: list[subprocess.Popen[bytes]] = []
    try:
        if devices:
            children.append(_start_fleet(platform, devices, console))
        with dg.DagsterInstance.get() as instance:
            for run_id in fail_orphaned_runs(instance):
                console.print(f"run {run_id} was cut off with the last session: marked as failed")
        url = f"http://{HOST}:{_port(platform, 'ui-port')}"
        # A prototype has no console, and no alerts for a watcher to raise.
        small = platform.size is Size.PROTOTYPE
        browsed = None if small else _open_console(platform, url, children, console)
        console.print("starting Dagster")
        children += [server.process for server in start_dagster(platform, url)]
        if not small:
            children.append(_launch_watcher(platform))
        note_processes(platform.state_dir, [process.pid for process in _family(children)])
        if browsed:
            shown = f"\n[bold green]The console: {browsed}[/]   {platform.state_dir / PASSWORDS}"
            console.print(shown, soft_wrap=True)
        console.print(f"[bold green]Dagster's UI: {url}[/]   sensors and schedules are on")
        if devices:
            console.print(f"{devices} devices publish; hours are built every {BUILD_INTERVAL_MINUTES} minutes")
        console.print(f"AWS: {platform.emulator.endpoint_url}   MQTT: {platform.emulator.mqtt_endpoint}")
        console.print(f"Your own scripts: the environment is in {env_file}", soft_wrap=True)
        if not small:
            asked = "python -m iot_pipeline.edge alerts"
            console.print(f"What is wrong now, with fleet and pipeline: {asked}", soft_wrap=True)
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


def _open_console(
    platform: Platform, dagster_url: str, children: list[subprocess.Popen[bytes]], console: Console
) -> str:
    """Start the console, add it to the children, make its users; its address."""
    browsed = start_console(platform, _port(platform, "console-port"), dagster_url)
    children.append(browsed.process)
    make_users(platform, fleet_commands.tenants(platform.state_dir / "fleet"))
    console.print(f"\n[bold green]The console: {browsed.url}[/]")
    console.print(f"Who may sign in, and how: {platform.state_dir / PASSWORDS}\n", soft_wrap=True)
    return browsed.url


def _watch(children: Iterable[subprocess.Popen[bytes]], platform: Platform, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for child in children:
            if child.poll() is not None:
                raise LocalError(f"{child.args!r} ended with {child.returncode}; see {platform.state_dir}/*.log")
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


def _launch_watcher(platform: Platform) -> subprocess.Popen[bytes]:
    """It tells people if Dagster's daemon dies."""
    command = [sys.executable, "-m", "iot_pipeline.watcher"]
    return launch(
        command, platform.state_dir / "watcher.log", platform.state_dir, {"PYTHONWARNINGS": "ignore"} | os.environ
    )


def _port(platform: Platform, name: str) -> int:
    """The port of last time, if it is free still, so that an open browser finds its page again."""
    noted = platform.state_dir / name
    port = int(noted.read_text()) if noted.exists() else free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            port = free_port()
    noted.write_text(str(port))
    return port


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
    """Dagster and the simulator end in order on SIGINT; whatever is left then is ended for them.

    Runs are waited for. The process that a code server keeps the definitions in does not end with it, and runs nothing.
    """
    family = _family(children)
    definitions = [process for process in family if _holds_definitions(process)]
    for child in children:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs([process for process in family if process not in definitions], timeout=STOP_SECONDS)
    for process in (*alive, *definitions):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs([*alive, *definitions], timeout=5)
    for process in alive:
        process.kill()
    for child in children:
        child.wait()


def _holds_definitions(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[1:5] == ["-m", "dagster", "api", "grpc"]
    except psutil.Error:
        return False
