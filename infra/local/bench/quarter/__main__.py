"""A simulated quarter of the platform's life, with everything in it that goes wrong (`make bench-quarter`).

A local AWS of its own, a small fleet, and Dagster's daemon in this process at a clock that is set from hour to hour
(`simulated_time.py` says what no clock of ours can set, `scheduled_parts.py` what is left out). In each fortnight come
the troubles of `timetable.py`. At the end every hour of the lake and of the warehouse is compared with what the devices
were told to send, and builds, runs, alerts and dollars are printed beside the least that would have done. Exit code 1
if a partition is wrong, if there were more than 1.2 times the builds, or if alerts are not one a cause and in time.
"""

import argparse
import platform as machine
from collections.abc import Sequence
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from time import monotonic

from rich.console import Console
from rich.progress import track

from infra.local.bench.bench_session import BENCHES, bench_session
from infra.local.bench.quarter.daemon_steps import daemon_steps
from infra.local.bench.quarter.quarter_outcome import Outcome, outcome_of
from infra.local.bench.quarter.simulated_time import SimulatedTime
from infra.local.bench.quarter.simulation import Simulation
from infra.local.bench.quarter.small_fleet import SmallFleet
from infra.local.bench.quarter.timetable import timetable
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.fleet_commands import onboard
from infra.local.session.leftovers import clear
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
    console, began = Console(width=170), monotonic()
    outcome = simulate(console, options.days, options.seed)
    minutes = (monotonic() - began) / 60
    console.print(
        f"{options.days} of {QUARTER} days, seed {options.seed}, in {minutes:.0f} minutes; {machine.machine()}, "
        f"{machine.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )
    raise SystemExit(int(outcome.is_wrong))


def simulate(console: Console, days: int, seed: int) -> Outcome:
    """The days before today, one after the other; what became of them, which is printed too."""
    start = Day.of(datetime.now(UTC)).start - timedelta(days=days + 1)
    table = timetable(start, days)
    # The local AWS of one that was killed, which is noted below the session's own folder.
    clear(BENCHES / "quarter" / "state")
    with bench_session("quarter") as folder, running(folder / "state", CHECKOUT / ".local", console) as platform:
        onboard(folder / "fleet", DEVICES, TENANTS, SITES)
        devices = load_fleet(folder / "fleet").devices
        clock = SimulatedTime(start)
        with (
            (folder / "dagster.log").open("w") as log,
            redirect_stderr(log),
            clock.running(),
            daemon_steps(folder / "home", platform.postgres) as steps,
        ):
            simulation = Simulation(clock, table, SmallFleet(devices, table, seed), steps)
            with simulation.counting():
                simulation.begin()
                for hour in track(table.hours, "hours", console=console):
                    simulation.wake(hour)
                outcome = outcome_of(simulation)
    outcome.print(console)
    return outcome


if __name__ == "__main__":
    main()
