"""The memory of a process that evaluates sensors and sweeps 2,000 times (`make bench-tick-memory`).

A local AWS of its own with a day of history (`infra/local/bench/history.py` says what of it is simulated), Dagster's
history on SQLite, and the ticks of `make bench-growth` in turns in one process, as a code server evaluates them. Before
each kind of tick there is something new for it. Printed is, after each 100 ticks, the memory of the process alone,
without the files that it shares with others, which the system may drop at any time.
"""

import argparse
import gc
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, islice

import dagster as dg
import psutil
from rich.console import Console

from infra.local.bench.bench_session import bench_session
from infra.local.bench.growth import DAY, Ticks
from infra.local.bench.history import SIMULATED, History
from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import WAREHOUSE_DATABASE, running
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource

TICKS, SHOWN_EVERY = 2000, 100
# Imports, connections and caches fill in the first quarter.
SETTLED = 0.25
GOAL = 1.05
# It removes what the others look at, and lists the whole lake.
LEFT_OUT = ("clean_up",)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print; it exits with 1 if memory grew by more than the goal after the first quarter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=TICKS, help="how many")
    options = parser.parse_args(arguments)
    if options.ticks < SHOWN_EVERY:
        parser.error(f"--ticks: at least {SHOWN_EVERY}, after which memory is looked at; got {options.ticks}")
    console = Console(width=160)
    with (
        bench_session("tick-memory") as folder,
        running(folder / "state", CHECKOUT / ".local", console) as local,
        dg.instance_for_test(temp_dir=str(folder)) as instance,
    ):
        lake = LakeResource().open()
        history = History(lake, instance, Hour.of(datetime.now(UTC)), local.postgres.dsn(WAREHOUSE_DATABASE))
        console.print(SIMULATED)
        history.fill(0, DAY)
        sizes = _sizes(Ticks(lake, history, instance, instance), options.ticks, console)
    settled = sizes[int(len(sizes) * SETTLED)]
    ratio = sizes[-1] / settled
    console.print(
        f"after {options.ticks:,} ticks {sizes[-1]:.0f} MiB, {ratio:.3f}x of the {settled:.0f} MiB after the first "
        f"{SETTLED:.0%} (goal {GOAL}x)"
    )
    raise SystemExit(int(ratio > GOAL))


def _sizes(ticks: Ticks, count: int, console: Console) -> list[float]:
    """Memory of the process alone, swapped or not, in MiB, after each 100 ticks."""
    process, found = psutil.Process(), []
    kinds = {name: kind for name, kind in ticks.kinds().items() if not name.startswith(LEFT_OUT)}
    console.print(f"in turns: {', '.join(kinds)}")
    for number, (prepare, tick) in enumerate(islice(cycle(kinds.values()), count), start=1):
        tick(prepare())
        if number % SHOWN_EVERY == 0:
            gc.collect()
            memory = process.memory_full_info()
            found.append((memory.uss + memory.swap) / 2**20)
            console.print(f"{number:,} ticks: {found[-1]:.0f} MiB")
    return found


if __name__ == "__main__":
    main()
