"""A simulation that is stopped between two hours, and goes on with them another time."""

import pickle
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from infra.local.bench.bench_session import BENCHES
from infra.local.bench.quarter.simulation import Simulation

KEPT = BENCHES / "quarter-paused"
_NOTE = "simulation.pickle"


@dataclass(frozen=True)
class Paused:
    """All that neither the local AWS nor Dagster's history keeps, after so many seconds of work."""

    simulation: Simulation
    seconds: float


def put_aside(folder: Path, paused: Paused, kept: Path = KEPT) -> None:
    """Keep a simulation and the folder in which it ran. Its servers have ended."""
    shutil.rmtree(kept, ignore_errors=True)
    (folder / _NOTE).write_bytes(pickle.dumps(paused))
    shutil.move(folder, kept)


def take_up(folder: Path, days: int, seed: int, kept: Path = KEPT) -> Paused | None:
    """Bring what was kept into the folder of a session, which is there; None if nothing was.

    Raises SystemExit if what was kept is of other days or of another seed.
    """
    note = kept / _NOTE
    if not note.exists():
        return None
    paused: Paused = pickle.loads(note.read_bytes())  # noqa: S301  # written by `put_aside` into a folder of ours
    simulation = paused.simulation
    its_days, its_seed = simulation.timetable.days, simulation.fleet.seed
    if (its_days, its_seed) != (days, seed):
        raise SystemExit(
            f"{kept} holds {simulation.hours} hours of {its_days} days with seed {its_seed}, and {days} days with seed "
            f"{seed} are asked for; ask for those, or remove the folder"
        )
    note.unlink()
    for child in kept.iterdir():
        if not (folder / child.name).exists():
            shutil.move(child, folder / child.name)
    shutil.rmtree(kept)
    simulation.clock.resume()
    return paused


@contextmanager
def stop_asked() -> Iterator[Event]:
    """What is set once SIGUSR1 has come. SIGTERM would end the run of Dagster that is under way, as Ctrl-C does."""
    asked = Event()
    former = signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGUSR1, former)
