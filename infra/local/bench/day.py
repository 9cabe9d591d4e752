"""A day of `make up`, compressed (`make bench-day`): whose memory grows, and what is left of it.

    python -m infra.local.bench.day [--messages 100000] [--queries 2000] [--loads 500] [--hours 24]

Starts `make up` with its fleet, on a folder of its own, and does a day's work hour by hour, as fast as the machine can:
100,000 messages over mTLS as the backlogs of the day's hours, 2,000 queries of Athena, 500 loads of the warehouse, all
at once, while Dagster builds and loads of itself. After each hour it samples the processes. Then it presses Ctrl-C, and
looks for processes, ports and files. Its temporary files and its home have folders of their own, so that what is left
in them is its own. Exit code 1 if the memory of one process, without what it shares, has grown by more than 10% after
the first quarter, or if anything is left.
"""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.table import Table

from infra.local.bench.bench_session import bench_session
from infra.local.bench.day_work import DayWork, enrolled, wait_for_curated_hours
from infra.local.bench.role_memory import Growth, Sample, command_of, growths, sample, written_elsewhere
from infra.local.bench.up_process import UpProcess, up_process
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.freed_memory import SECONDS as GIVES_BACK_SECONDS
from infra.local.session.leftovers import note_processes
from iot_pipeline.lake.hours import Hour

MOST_GROWTH = 1.10
WARM_UP = 0.25
DEVICES, OWN_DEVICES = 20, 40
# For what was begun within an hour to come to its end, and for servers to give back what they have freed.
_SETTLE_SECONDS = GIVES_BACK_SECONDS + 5
# The cache of dbt's parse (`iot_pipeline/warehouse/dbt_project.py`): of each user one, which the next run reads.
_CACHE = "iot-pipeline-dbt-*"
# What a folder of the state holds while something is at work, and at no other time.
_SCRATCH = ("athena/tmp", "athena/spill", "aws/tmp")

console = Console(highlight=False, width=150)


@dataclass
class Day:
    """What was seen of it."""

    samples: list[Sample]
    temporary: list[int]
    elsewhere: set[str]


def main(
    messages: Annotated[int, typer.Option(min=1, help="Messages of the devices.")] = 100_000,
    queries: Annotated[int, typer.Option(min=1, help="Athena's queries.")] = 2000,
    loads: Annotated[int, typer.Option(min=1, help="Loads of the warehouse.")] = 500,
    hours: Annotated[int, typer.Option(min=4, help="Of the day: so often memory is sampled.")] = 24,
) -> None:
    """Do a day's work; print each process's memory, what is left, and the verdict."""
    with bench_session("day") as folder:
        places = {"TMPDIR": folder / "tmp", "HOME": folder / "home"}
        for place in places.values():
            place.mkdir()
        with up_process(folder, devices=DEVICES, environment={k: str(v) for k, v in places.items()}) as up:
            note_processes(folder, [up.process.pid])
            up.wait_until_up()
            day = _live(up, folder, {"messages": messages, "queries": queries, "loads": loads}, hours)
            found = growths(day.samples, max(1, round(hours * WARM_UP)))
            _print(found, day)
            family, ports = up.family, _ports(up.family)
            seconds, code = up.press_ctrl_c(), up.process.returncode
            left = [*_left(family, ports, folder), *(f"written elsewhere: {path}" for path in sorted(day.elsewhere))]
            console.print(f"stopped after {seconds:.0f} s with exit code {code}")
            for each in left:
                console.print(f"[red]left: [/]{each}", soft_wrap=True)
            if code:
                console.print(up.said[-3000:], markup=False)
    if not left:
        console.print("nothing is left: no process, no port, no file outside of the state")
    grown = [growth.role for growth in found if growth.ratio > MOST_GROWTH]
    console.print(f"grown by more than {MOST_GROWTH - 1:.0%}: {', '.join(grown) or 'nothing'}")
    raise typer.Exit(int(bool(left or grown or code)))


def _live(up: UpProcess, folder: Path, asked: Mapping[str, int], hours: int) -> Day:
    os.environ.update(up.environment)
    work = DayWork(enrolled(folder / "fleet", OWN_DEVICES, after=DEVICES))
    wait_for_curated_hours()
    day, now, began = Day([], [], set()), Hour.of(datetime.now(UTC)), time.monotonic()
    allowed = (folder, CHECKOUT / ".local")
    for number in range(1, hours + 1):
        share = {kind: count * number // hours - work.done[kind] for kind, count in asked.items()}
        with ThreadPoolExecutor(len(share)) as pool:
            doing = [
                pool.submit(work.publish, now + (number - hours - 1), share["messages"]),
                pool.submit(work.query, share["queries"]),
                pool.submit(work.load, share["loads"]),
            ]
        for done in doing:
            done.result()
        time.sleep(_SETTLE_SECONDS)
        family = up.family
        day.samples.append(sample(family))
        day.elsewhere |= written_elsewhere(family, allowed)
        day.temporary.append(len(list((folder / "tmp").iterdir())))
        _tell(number, time.monotonic() - began, work, day)
    return day


def _tell(number: int, seconds: float, work: DayWork, day: Day) -> None:
    own = {role: sum(one.own for one in held) / 2**20 for role, held in day.samples[-1].items()}
    largest = sorted(own.items(), key=lambda item: -item[1])[:9]
    done = ", ".join(f"{count:,} {kind}" for kind, count in work.done.items())
    memory = ", ".join(f"{role} {mib:.0f}" for role, mib in largest)
    console.print(f"hour {number} after {seconds:.0f} s: {done}; MiB: {memory}; {day.temporary[-1]} temporary")


def _ports(family: Sequence[psutil.Process]) -> set[int]:
    pids = {process.pid for process in family}
    return {
        connection.laddr.port
        for connection in psutil.net_connections("tcp")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN and connection.laddr
    }


def _left(family: Sequence[psutil.Process], ports: set[int], folder: Path) -> list[str]:
    """What is there still, after Ctrl-C: processes, ports, files that were to be temporary."""
    alive = [f"{member.pid} {command[:120]}" for member in family if (command := command_of(member))]
    listening = {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr}
    places = [folder / "tmp", folder / "home", *(folder / "state" / scratch for scratch in _SCRATCH)]
    found = [path for place in places if place.exists() for path in sorted(place.iterdir())]
    files = [path.relative_to(folder) for path in found if not path.match(_CACHE)]
    unfinished = [path.relative_to(folder) for pattern in ("*.new", "*.tmp") for path in folder.rglob(pattern)]
    return [
        *(f"running: {each}" for each in alive),
        *(f"port {port} is listened to" for port in sorted(ports & listening)),
        *(f"file {path}" for path in [*files, *unfinished]),
    ]


def _print(found: Sequence[Growth], day: Day) -> None:
    table = Table("process", "how many", "MiB, warm", "MiB, end", "growth", "with what is shared", "open files")
    for growth in found:
        style = "red" if growth.ratio > MOST_GROWTH else None
        table.add_row(
            growth.role,
            " to ".join(map(str, growth.processes)),
            *(f"{mib:.1f}" for mib in growth.own),
            f"{growth.ratio - 1:+.1%}",
            " to ".join(f"{mib:.0f}" for mib in growth.resident),
            " to ".join(map(str, growth.files)),
            style=style,
        )
    console.print(table)
    console.print(
        f"temporary files and folders: {day.temporary[0]} after the first hour, {day.temporary[-1]} at the end"
    )


if __name__ == "__main__":
    typer.run(main)
