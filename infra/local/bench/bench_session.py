"""A benchmark's folder, of which a killed benchmark leaves nothing running for ever."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.servers.checkout import CHECKOUT
from infra.local.session.leftovers import clear, lock

BENCHES = CHECKOUT / ".local" / "bench"


@contextmanager
def bench_session(name: str) -> Iterator[Path]:
    """The empty folder of a benchmark, removed at its end; SIGTERM ends the block as Ctrl-C does.

    What a benchmark starts in it and notes (`note_processes`), and the local AWS in its folder `state`, are stopped by
    the next of its name, and by `make down`, if this one is killed by SIGKILL. Raises LocalError while another of its
    name runs.
    """
    folder = BENCHES / name
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        clear(folder / "state")
    clear(folder)
    with lock(folder):
        former = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            yield folder
        finally:
            signal.signal(signal.SIGTERM, former)
            shutil.rmtree(folder, ignore_errors=True)


def bench_states() -> list[Path]:
    """Where benchmarks may have noted processes: the local AWS of each, and its own folder."""
    return [*BENCHES.glob("*/state"), *BENCHES.glob("*")]
