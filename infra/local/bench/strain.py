"""`make up` on a machine that has four other things to do: whether it comes up, and stops cleanly.

    python -m infra.local.bench.strain [--busy 4] [--devices 20]

Starts busy processes and then `python -m infra.local up` on a state folder of its own, waits until it says that all is
there, asks each of its pages once, presses Ctrl-C, and looks whether anything is left running. Exit code 1 unless all
of that went well. It writes the checkout's `.env` only if there is none, and takes it away.
"""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError, answers
from infra.local.servers.patience import wait_while_it_moves
from infra.local.session.env_file import remove_env_file

UP = "Ctrl-C stops it all"
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


def _wait_until_up(process: subprocess.Popen[bytes], output: Path) -> str:
    def look() -> str:
        text = output.read_text(errors="replace")
        if process.poll() is not None and UP not in text:
            raise LocalError(f"it ended with exit code {process.returncode}, having said:\n{text[-3000:]}")
        return text

    return wait_while_it_moves("`make up`", lambda: _Said(look()), lambda said: UP in said.text).text


class _Said:
    """What a process has said, which is told by its last line."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Said) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return (self.text.strip().splitlines() or ["nothing said yet"])[-1]


def main(
    busy: Annotated[int, typer.Option(min=0, help="Busy processes beside it.")] = 4,
    devices: Annotated[int, typer.Option(min=0, help="Devices of the fleet.")] = 20,
) -> None:
    """Start `up` beside busy processes; report when it was up, whether it answered, and how it stopped."""
    env_file = CHECKOUT / ".env"
    had_env = env_file.exists()
    with tempfile.TemporaryDirectory(prefix="strain-") as folder, _busy(busy):
        output = Path(folder) / "output"
        command = [sys.executable, "-m", "infra.local", "up", "--state", f"{folder}/state", "--devices", str(devices)]
        began = time.monotonic()
        with output.open("wb") as out:
            # A session of its own: this one's Ctrl-C ends it by the `finally`.
            process = subprocess.Popen(command, cwd=CHECKOUT, stdout=out, stderr=out, start_new_session=True)
        family: list[psutil.Process] = []
        try:
            said = _wait_until_up(process, output)
            console.print(
                f"up after {time.monotonic() - began:.0f} s, beside {busy} busy processes on {os.cpu_count()} cores"
            )
            silent = [name for name, url in _ADDRESS.findall(said) if not answers(url + _HEALTH[name])]
            family = psutil.Process(process.pid).children(recursive=True)
        finally:
            stopping = time.monotonic()
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait()
        left = [member for member in family if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
        console.print(f"stopped after {time.monotonic() - stopping:.0f} s with exit code {process.returncode}")
        for name in silent:
            console.print(f"[red]{name} did not answer")
        for member in left:
            console.print(f"[red]left running: {member.pid} {' '.join(member.cmdline())[:150]}")
        if process.returncode:
            console.print(output.read_text(errors="replace")[-3000:], markup=False)
        if not had_env:
            remove_env_file(env_file)
    raise typer.Exit(1 if silent or left or process.returncode else 0)


if __name__ == "__main__":
    typer.run(main)
