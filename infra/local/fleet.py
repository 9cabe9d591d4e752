"""The simulated fleet, run as a person would: by its own command line, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from infra.local.platform import CHECKOUT, Platform


class FleetError(RuntimeError):
    """The simulator ended with an error; what it printed stands above."""


def provision(folder: Path, devices: int, tenants: int, sites: int) -> None:
    """Onboard so many devices: thing, key, certificate, policy. Raises FleetError."""
    _simulator(["provision", str(folder), "--devices", str(devices), "--tenants", str(tenants), "--sites", str(sites)])


def publish(platform: Platform, folder: Path, *options: str) -> None:
    """Publish with the simulator's `run` options, to the end. Raises FleetError if anything is unacknowledged."""
    _simulator(run_arguments(platform, folder, *options))


def start_publishing(platform: Platform, folder: Path, log: Path, *options: str) -> subprocess.Popen[bytes]:
    """Publish in the background; the simulator's output goes to a file."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "simulator", *run_arguments(platform, folder, *options)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )


def run_arguments(platform: Platform, folder: Path, *options: str) -> list[str]:
    """The simulator's arguments for a run against this local AWS."""
    emulator = platform.emulator
    return ["run", str(folder), "--endpoint", f"localhost:{emulator.mqtt_port}", "--ca", str(emulator.ca_pem), *options]


def _simulator(arguments: list[str]) -> None:
    code = subprocess.run([sys.executable, "-m", "simulator", *arguments], cwd=CHECKOUT, check=False).returncode
    if code != 0:
        raise FleetError(f"`python -m simulator {' '.join(arguments)}` ended with exit code {code}")
