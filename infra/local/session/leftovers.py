"""One session at a time in a folder of local state, and nothing left of a killed one unaccounted for."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from infra.local.servers.local_server import LocalError

STOP_SECONDS = 180.0

Say = Callable[[str], None]


@contextmanager
def lock(state_dir: Path) -> Iterator[IO[str]]:
    """The folder for this process alone. Raises LocalError naming the process that has it."""
    with (state_dir / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LocalError(
                f"the local AWS of {state_dir.resolve()} is in use by process {file.read().strip() or 'unknown'}; "
                "end it with Ctrl-C where it runs, or with `make down`"
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield file


def note_processes(state_dir: Path, pids: Iterable[int]) -> None:
    """Add processes to those that `make down` stops after a kill. One that has ended already is left out."""
    path = _running_file(state_dir)
    noted = json.loads(path.read_text()) if path.exists() else {"pids": {}}
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            noted["pids"][str(pid)] = psutil.Process(pid).create_time()
    _replace(path, noted)


def forget_processes(state_dir: Path) -> None:
    """All that was noted has been stopped."""
    _running_file(state_dir).unlink(missing_ok=True)


def note_port(state_dir: Path, server: str, port: int) -> None:
    """Keep a server's port for the next start."""
    _replace(_ports_file(state_dir), {**_noted_ports(state_dir), server: port})


def remembered_ports(state_dir: Path) -> dict[str, int]:
    """The ports of last time, as far as they are free still, so that a .env stays true from one start to the next."""
    in_use = {c.laddr.port for c in psutil.net_connections("tcp") if c.laddr and c.status == psutil.CONN_LISTEN}
    return {name: port for name, port in _noted_ports(state_dir).items() if port not in in_use}


def refuse_leftovers(state_dir: Path) -> None:
    """Raise LocalError if processes of a killed session still run."""
    found = leftovers(state_dir)
    if found:
        pids = ", ".join(str(process.pid) for process in found)
        raise LocalError(f"processes of a killed session still run ({pids}); `make down` stops them")


def refuse_other_size(state_dir: Path, size: str) -> None:
    """Note the size of the platform in a folder; raise LocalError if what is there was begun in another."""
    noted = state_dir / "size"
    if noted.exists() and (found := noted.read_text()) != size:
        raise LocalError(
            f"{state_dir.resolve()} holds a platform of size {found}, and {size} is asked for; `make reset` removes it"
        )
    noted.write_text(size)


def leftovers(state_dir: Path) -> list[psutil.Process]:
    """Processes of an earlier session that still run: the same process ids, started at the same time."""
    try:
        noted = json.loads(_running_file(state_dir).read_text())["pids"]
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return []
    found = []
    for pid, started in noted.items():
        try:
            process = psutil.Process(int(pid))
            if abs(process.create_time() - started) < 1 and process.pid != os.getpid():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def stop_leftovers(state_dir: Path, say: Say) -> None:
    """Stop what a killed session left running; nothing to stop is fine too."""
    found = [member for process in leftovers(state_dir) for member in _with_descendants(process)]
    for process in found:
        say(f"stopping process {process.pid}")
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=STOP_SECONDS)
    for process in alive:
        say(f"process {process.pid} does not stop; killing it")
        with suppress(psutil.NoSuchProcess):
            process.kill()
    forget_processes(state_dir)


def reset(state_dir: Path, say: Say) -> None:
    """Stop what is running and remove all that it wrote."""
    stop_leftovers(state_dir, say)
    shutil.rmtree(state_dir, ignore_errors=not state_dir.exists())
    say(f"removed the state in {state_dir}")


def clear(state_dir: Path) -> None:
    """Make way for a session that begins anew: stop and remove what an earlier one left behind.

    Raises LocalError if a session is using the folder now.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with lock(state_dir) as held:
        stop_leftovers(state_dir, lambda _: None)
        for child in state_dir.iterdir():
            if child != Path(held.name):
                shutil.rmtree(child) if child.is_dir() else child.unlink()


def _with_descendants(process: psutil.Process) -> list[psutil.Process]:
    """A process and what it has started since it was noted, such as Dagster's run workers."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _running_file(state_dir: Path) -> Path:
    return state_dir / "running.json"


def _ports_file(state_dir: Path) -> Path:
    return state_dir / "ports.json"


def _noted_ports(state_dir: Path) -> dict[str, int]:
    try:
        ports: dict[str, int] = json.loads(_ports_file(state_dir).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return ports


def _replace(path: Path, content: object) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(content, indent=1))
    temporary.replace(path)
