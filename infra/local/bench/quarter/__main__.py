"""A simulated quarter of the platform's life, with everything in it that goes wrong (`make bench-quarter`).

A local AWS of its own, a small fleet, and Dagster's daemon in this process at a clock that is set from hour to hour
(`simulated_time.py` says what no clock of ours can set, `scheduled_parts.py` what is left out). In each fortnight come
the troubles of `timetable.py`. At the end every hour of the lake and of the warehouse is compared with what the devices
were told to send, and builds, runs, alerts and dollars are printed beside the least that would have done. Exit code 1
if a partition is wrong, if there were more than 1.2 times the builds, or if alerts are not one a cause and in time.

A quarter takes hours. SIGUSR1 to this process stops it after the hour that is under way, prints what has become of the
hours so far, and the next one goes on with what was kept; Ctrl-C ends it for good.
"""

import argparse
import os
import platform as machine
from collections.abc import Sequence
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import monotonic

from rich.console import Console
from rich.progress import track

from infra.local.bench.bench_session import bench_session
from infra.local.bench.quarter.daemon_steps import daemon_steps
from infra.local.bench.quarter.pausing import Paused, put_aside, stop_asked, take_up
from infra.local.bench.quarter.quarter_outcome import Outcome, outcome_of
from infra.local.bench.quarter.simulated_time import SimulatedTime
from infra.local.bench.quarter.simulation import Simulation
from infra.local.bench.quarter.small_fleet import SmallFleet
from infra.local.bench.quarter.timetable import timetable
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.session.fleet_commands import onboard
from infra.local.session.platform import running
from iot_pipeline.lake.hours import Day
from simulator.fleet import load_fleet

QUARTER, DEVICES, TENANTS, SITES, SEED = 91, 6, 2, 2, 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=QUARTER, help="how many; at least 1 (default: a quarter)")
    parser.add_argument("--seed", type=int, default=SEED, help="of what the devices measure")
    options = parser.parse_args(arguments)
    console = Console(width=170)
    with bench_session("quarter") as folder, stop_asked() as is_asked:
        paused = take_up(folder, options.days, options.seed)
        console.print(
            f"`kill -USR1 {os.getpid()}` stops it after the hour that is under way; the next one goes on there"
        )
        if paused:
            console.print(f"going on after {paused.simulation.hours} hours")
        began = monotonic()
        try:
            simulation, outcome = simulate(console, folder, paused, options, is_asked)
        except LocalError:
            if paused:  # nothing but starting and stopping servers raises it
                put_aside(folder, paused)
            raise
        seconds = monotonic() - began + (paused.seconds if paused else 0)
        if simulation.left:
            put_aside(folder, Paused(simulation, seconds))
            raise SystemExit(f"stopped after {simulation.hours} hours; the next one goes on with them")
    console.print(
        f"{options.days} of {QUARTER} days, seed {options.seed}, in {seconds / 60:.0f} minutes; {machine.machine()}, "
        f"{machine.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )
    raise SystemExit(int(outcome.is_wrong))


def simulate(
    console: Console, folder: Path, paused: Paused | None, options: argparse.Namespace, is_asked: Event
) -> tuple[Simulation, Outcome]:
    """The days before today, one after the other, until stopped; what became of them, which is printed too."""
    with running(folder / "state", CHECKOUT / ".local", console) as platform:
        simulation = paused.simulation if paused else _new(folder / "fleet", options.days, options.seed)
        with (
            (folder / "dagster.log").open("a") as log,
            redirect_stderr(log),
            simulation.clock.running(),
            daemon_steps(folder / "home", platform.postgres) as steps,
            simulation.alive(steps),
        ):
            if not paused:
                simulation.begin()
            for hour in track(simulation.left, "hours", console=console):
                simulation.wake(hour)
                if is_asked.is_set():
                    break
            outcome = outcome_of(simulation)
    outcome.print(console)
    return simulation, outcome


def _new(fleet: Path, days: int, seed: int) -> Simulation:
    start = Day.of(datetime.now(UTC)).start - timedelta(days=days + 1)
    table = timetable(start, days)
    onboard(fleet, DEVICES, TENANTS, SITES)
    return Simulation(SimulatedTime(start), table, SmallFleet(load_fleet(fleet).devices, table, seed))


if __name__ == "__main__":
    main()
