"""`python -m infra.local up` as a process of its own, on a state folder of its own: up, asked, and ended by Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.servers.patience import wait_while_it_moves
from infra.local.session.env_file import remove_env_file

_UP = "Ctrl-C stops it all"
_ENV_FILE = CHECKOUT / ".env"
_SAID_ENV_FILE = re.compile(r"the environment is in (\S+)")


@dataclass
class UpProcess:
    """A running `make up`; `output` is the file of what it says."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        """All that it has said so far."""
        return self.output.read_text(errors="replace")

    @property
    def family(self) -> list[psutil.Process]:
        """It, and all that it has started and that runs."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    @property
    def environment(self) -> dict[str, str]:
        """What it tells a person's own commands, by its `.env`."""
        found = _SAID_ENV_FILE.search(self.said)
        if found is None:
            raise LocalError(f"`make up` names no file of its environment:\n{self.said[-3000:]}")
        lines = Path(found[1]).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    def wait_until_up(self) -> None:
        """Wait for as long as it says something new. Raises LocalError, with what it said, if it ends."""

        def look() -> _Said:
            text = self.said
            if self.process.poll() is not None and _UP not in text:
                raise LocalError(f"it ended with exit code {self.process.returncode}, having said:\n{text[-3000:]}")
            return _Said(text)

        wait_while_it_moves("`make up`", look, lambda said: _UP in said.text)

    def press_ctrl_c(self) -> float:
        """What a terminal does: SIGINT to all of its process group. Seconds until it has ended."""
        began = time.monotonic()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait()
        return time.monotonic() - began


@contextmanager
def up_process(folder: Path, *, devices: int, environment: Mapping[str, str] | None = None) -> Iterator[UpProcess]:
    """`make up` with its state in a folder's `state`; ended at the end of the block, if it was not before.

    The checkout's `.env` is removed at the end, unless it was there.
    """
    had_env = _ENV_FILE.exists()
    output = folder / "output"
    command = [sys.executable, "-m", "infra.local", "up", "--state", f"{folder}/state", "--devices", str(devices)]
    with output.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    running = UpProcess(process, output)
    try:
        yield running
    finally:
        running.press_ctrl_c()
        if not had_env:
            remove_env_file(_ENV_FILE)


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
