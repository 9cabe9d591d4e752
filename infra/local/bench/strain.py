"""`make up` on a machine that has four other things to do: whether it comes up, and stops cleanly.

    python -m infra.local.bench.strain [--busy 4] [--devices 20]

Starts busy processes and then `python -m infra.local up` on a state folder of its own, waits until it says that all is
there, asks each of its pages once, presses Ctrl-C, and looks whether anything is left running. Exit code 1 unless all
of that went well. It writes the checkout's `.env` only if there is none, and takes it away.
"""

import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.local.bench.role_memory import command_of
from infra.local.bench.up_process import up_process
from infra.local.servers.local_server import answers

_ADDRESS = re.compile(r"(The console|Dagster's UI): (http://[0-9.:]+)")
_HEALTH = {"The console": "/healthz", "Dagster's UI": "/server_info"}

console = Console(highlight=False)


def _spin() -> None:
    while True:
        pass


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but take a core, for the time of a `with` block."""
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(count)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.join()


def main(
    busy: Annotated[int, typer.Option(min=0, help="Busy processes beside it.")] = 4,
    devices: Annotated[int, typer.Option(min=0, help="Devices of the fleet.")] = 20,
) -> None:
    """Start `up` beside busy processes; report when it was up, whether it answered, and how it stopped."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="strain-") as folder,
        _busy(busy),
        up_process(Path(folder), devices=devices) as up,
    ):
        up.wait_until_up()
        console.print(
            f"up after {time.monotonic() - began:.0f} s, beside {busy} busy processes on {os.cpu_count()} cores"
        )
        silent = [name for name, url in _ADDRESS.findall(up.said) if not answers(url + _HEALTH[name])]
        family = up.family
        seconds, code = up.press_ctrl_c(), up.process.returncode
        left = [f"{member.pid} {command[:150]}" for member in family if (command := command_of(member))]
        console.print(f"stopped after {seconds:.0f} s with exit code {code}")
        for name in silent:
            console.print(f"[red]{name} did not answer")
        for each in left:
            console.print(f"[red]left running: {each}")
        if code:
            console.print(up.said[-3000:], markup=False)
    raise typer.Exit(1 if silent or left or code else 0)


if __name__ == "__main__":
    typer.run(main)
