"""A server of the local AWS as a process of its own: started, waited for, stopped."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

# Limits for a machine that is very busy. They end no wait that a look at the process can end.
START_SECONDS = 600.0
STOP_SECONDS = 180.0
# How often a wait says that it goes on, and how often it looks.
TELL_SECONDS = 15.0
LOOK_SECONDS = 0.02
LOG_LINES_SHOWN = 15


class LocalError(RuntimeError):
    """Something of the local AWS cannot be done; the text says what, why and the way out."""


@dataclass
class LocalServer:
    """A server's process; `name` is what messages call it, `log_file` is where its output goes."""

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL

    name: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until the server is ready, and say every TELL_SECONDS that the wait goes on.

        Raises LocalError with the end of the log as soon as the process has ended, or after START_SECONDS.
        """
        began = told = time.monotonic()
        while not ready():
            if self.process.poll() is not None:
                raise LocalError(self.report(f"stopped with exit code {self.process.returncode}"))
            now = time.monotonic()
            if now - began > START_SECONDS:
                raise LocalError(self.report(f"was not ready within {START_SECONDS:.0f} s"))
            if now - told > TELL_SECONDS:
                told = now
                print(f"waiting for {self.name}: {now - began:.0f} s so far", file=sys.stderr, flush=True)
            time.sleep(LOOK_SECONDS)

    def start(self, ready: Callable[[], bool]) -> None:
        """The same, and whatever ends the wait early ends the process too."""
        try:
            self.wait_until(ready)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def stop(self) -> None:
        """Ask the server to end, and wait until it has; one that has ended already is fine.

        After STOP_SECONDS it is killed, and LocalError says so.
        """
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(self.kill_signal)
            self.process.wait()
            raise LocalError(self.report(f"did not stop within {STOP_SECONDS:.0f} s and was killed")) from None

    def report(self, problem: str) -> str:
        """A problem of this server, with the end of its log."""
        return f"{self.name} {problem}; {self.log_file} ends with:\n{log_tail(self.log_file)}"


def answers(url: str) -> bool:
    """Whether a server of ours answers at an address, with no error."""
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310  # our own loopback
            return True
    except OSError:
        return False


def launch(
    command: Sequence[str], log_file: Path, cwd: Path, environment: Mapping[str, str], **options: Any
) -> subprocess.Popen[bytes]:
    """Start a process that a Ctrl-C in this terminal does not reach, with its output added to a log file."""
    with log_file.open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **options,
        )


def log_tail(log_file: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
