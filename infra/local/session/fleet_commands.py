"""The simulated fleet and the registry, used as a person would: by their own command lines."""

import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.session.platform import Platform
from simulator.enrolment import CATALOG_FILE, LIST_FILE
from simulator.fleet import Fleet, load_fleet

# Every fault is on. Late readings are made rarer than the simulator's default mix would have them: each of thousands
# would re-open an hour of its own somewhere in the last 25 days.
FAULTS = ("--faults", "all", "--fault", "late=0.0001")


def onboard(folder: Path, devices: int, tenants: int, sites: int) -> None:
    """Make a fleet and let it in through the device registry: thing, certificate, policy and registry row of each.

    A fleet that is there already is kept. Raises LocalError.
    """
    devices_file = folder / LIST_FILE
    if not devices_file.exists():
        sizes = ["--devices", str(devices), "--tenants", str(tenants), "--sites", str(sites)]
        _run("simulator", "enrol", str(folder), *sizes)
    _run("iot_pipeline.registry", "apply", str(folder / CATALOG_FILE))
    _run("iot_pipeline.registry", "onboard-all", str(devices_file), "--out", str(folder / "devices"))


def tenants(folder: Path) -> list[str]:
    """The tenants of the fleet in a folder; none if there is no fleet."""
    if not (folder / LIST_FILE).exists():
        return []
    return sorted({device.tenant for device in load_fleet(folder).devices})


@dataclass(frozen=True)
class Move:
    """A device that changed its site: until `at` (UTC) it stood at `old_site`, from then on at `new_site`."""

    device_id: str
    old_site: str
    new_site: str
    at: datetime


def move_first(folder: Path, at: datetime) -> Move:
    """Record in the registry that the fleet's first device stands at another site of its tenant since `at`.

    The device publishes under that site from now on. Raises LocalError, also for a fleet whose tenant has only one.
    """
    fleet = load_fleet(folder)
    devices = fleet.devices
    first = devices[0]
    others = sorted({d.site for d in devices if d.tenant == first.tenant} - {first.site})
    if not others:
        raise LocalError(f"{first.tenant} has one site only; make a fleet with more")
    _run("iot_pipeline.registry", "move", first.device_id, "--site", others[0], "--at", at.isoformat())
    # Its certificate publishes under the new site only, so the device is told, as whoever moved it would.
    Fleet(fleet.seed, (replace(first, site=others[0]), *devices[1:])).save(folder)
    return Move(first.device_id, first.site, others[0], at)


def publish(platform: Platform, folder: Path, *options: str) -> None:
    """Publish with the simulator's `run` options, to the end. Raises LocalError if anything is unacknowledged."""
    _run("simulator", *run_arguments(platform, folder, *options))


def replay(platform: Platform, folder: Path, file: Path, *, lateness_days: float) -> None:
    """Replay a CSV file of `timestamp` and `value`, UTC and degrees Fahrenheit, as the fleet's first device, up to now.

    Raises LocalError.
    """
    emulator = platform.emulator
    broker = ["--endpoint", emulator.mqtt_endpoint, "--ca", str(emulator.ca_pem)]
    form = ["--map", "temperature=value", "--unit", "temperature=F", "--time-zone", "UTC", "--rebase"]
    _run("simulator", "replay", str(file), str(folder), *broker, *form, "--lateness-bound", f"{lateness_days:g}d")


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
    return ["run", str(folder), "--endpoint", emulator.mqtt_endpoint, "--ca", str(emulator.ca_pem), *options]


def _run(module: str, *arguments: str) -> None:
    code = subprocess.run([sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False).returncode
    if code != 0:
        raise LocalError(f"`python -m {module} {' '.join(arguments)}` ended with exit code {code}")
