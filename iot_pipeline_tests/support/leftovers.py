"""Processes that a test run started and that outlive it, found by a variable in their environment."""

import os
import time
import uuid
from collections.abc import Iterator
from multiprocessing import forkserver

import psutil
import pytest

MARK = "IOT_PIPELINE_TEST_RUN"
# Servers end within seconds of their SIGTERM; a busy machine may need longer.
WAIT_SECONDS = 60.0


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of pytest-xdist's workers."""
    return hasattr(config, "workerinput")


def mark_descendants() -> None:
    """Whatever is started from now on carries this run's mark, also when its parent is gone."""
    os.environ[MARK] = uuid.uuid4().hex


def stop_forkserver() -> None:
    """End multiprocessing's fork server, which otherwise lives as long as anybody holds its pipe."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no public way


def wait_for_descendants() -> list[str]:
    """Wait until all marked processes have ended; those that do not are killed, and described."""
    deadline = time.monotonic() + WAIT_SECONDS
    while found := list(_marked()):
        if time.monotonic() > deadline:
            described = [f"{process.pid}: {' '.join(process.cmdline())[:200]}" for process in found]
            for process in found:
                process.kill()
            return described
        time.sleep(0.2)
    return []


def _marked() -> Iterator[psutil.Process]:
    """Processes with this run's mark, but for this one and the helpers that Python and the CDK end with it."""
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.environ().get(MARK) != os.environ[MARK]:
                continue
            if not _ends_with_us(process):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue


def _ends_with_us(process: psutil.Process) -> bool:
    command = " ".join(process.cmdline())
    return "resource_tracker" in command or (process.parent() is not None and "jsii" in _family(process))


def _family(process: psutil.Process) -> str:
    """The commands of a process and of its parents below this one."""
    return " ".join(" ".join(member.cmdline()) for member in [process, *process.parents()] if member.pid != os.getpid())
