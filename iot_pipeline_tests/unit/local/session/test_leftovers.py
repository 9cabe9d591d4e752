"""A folder of local state: one session at a time, and nothing left of a killed one."""

import fcntl
import json
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.local.servers.local_server import LocalError
from infra.local.session import leftovers
from infra.local.session.leftovers import clear, stop_leftovers


def sleeper(state: Path) -> "subprocess.Popen[bytes]":
    """A process that a killed session has noted and left running, with a child of its own."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    noted = {"pids": {str(process.pid): psutil.Process(process.pid).create_time()}}
    (state / "running.json").write_text(json.dumps(noted))
    return process


def test_a_folder_in_use_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("of the session that runs")
    with (tmp_path / "lock").open("w") as lock:
        lock.write("4711")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LocalError, match=r"in use by process 4711.*make down"):
            clear(tmp_path)
    assert (tmp_path / "kept").exists()


def test_clear_stops_and_removes_what_a_killed_session_left(tmp_path: Path) -> None:
    process = sleeper(tmp_path)
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "object").write_text("stale")
    clear(tmp_path)
    process.wait(10)
    assert not psutil.pid_exists(process.pid)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_a_noted_process_has_started_is_stopped_too(tmp_path: Path) -> None:
    process = sleeper(tmp_path)
    parent = psutil.Process(process.pid)
    while not (children := parent.children()):
        pass
    said: list[str] = []
    stop_leftovers(tmp_path, said.append)
    process.wait(10)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone
    assert not alive
    assert len(said) == 2


def test_leftovers_are_refused_by_name_and_a_reused_process_id_is_not_one(tmp_path: Path) -> None:
    process = sleeper(tmp_path)
    try:
        with pytest.raises(LocalError, match=f"{process.pid}.*make down"):
            leftovers.refuse_leftovers(tmp_path)
        (tmp_path / "running.json").write_text(json.dumps({"pids": {str(process.pid): 1.0}}))
        leftovers.refuse_leftovers(tmp_path)
    finally:
        for member in [*psutil.Process(process.pid).children(), psutil.Process(process.pid)]:
            member.kill()
        process.wait()


def test_ports_of_last_time_are_taken_again_unless_another_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        ports = {"emulator": taken.getsockname()[1], "athena": port}
        (tmp_path / "ports.json").write_text(json.dumps(ports))
        assert leftovers.remembered_ports(tmp_path) == {"athena": port}


@pytest.mark.parametrize("text", ["", "{"])
def test_a_half_written_note_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    (tmp_path / "ports.json").write_text(text)
    assert leftovers.leftovers(tmp_path) == []
    assert leftovers.remembered_ports(tmp_path) == {}


def test_a_folder_keeps_the_size_that_it_was_begun_in(tmp_path: Path) -> None:
    leftovers.refuse_other_size(tmp_path, "team")
    leftovers.refuse_other_size(tmp_path, "team")
    with pytest.raises(LocalError, match="holds a platform of size team, and prototype is asked for; `make reset`"):
        leftovers.refuse_other_size(tmp_path, "prototype")
