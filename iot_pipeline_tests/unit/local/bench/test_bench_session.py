"""A benchmark that is ended or killed leaves no server for ever, and no folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.local import __main__ as commands
from infra.local.bench import bench_session as module
from infra.local.bench.bench_session import bench_session
from infra.local.servers.local_server import LocalError
from infra.local.session.leftovers import note_processes


@pytest.fixture(autouse=True)
def benches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "BENCHES", tmp_path / "bench")
    return tmp_path / "bench"


def test_sigterm_ends_the_block_and_removes_its_folder(benches: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        _run_terminated()
    assert list(benches.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is before


def _run_terminated() -> None:
    with bench_session("one") as folder:
        (folder / "file").touch()
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()


@pytest.mark.parametrize("noted_in", [".", "state"])
def test_what_a_killed_one_left_running_is_stopped_by_the_next(benches: Path, noted_in: str) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    place = benches / "one" / noted_in
    place.mkdir(parents=True)
    note_processes(place, [left.pid])
    with bench_session("one") as folder:
        assert not psutil.pid_exists(left.pid)
        assert [child.name for child in folder.iterdir()] == ["lock"]


@pytest.mark.parametrize("noted_in", [".", "state"])
def test_what_a_killed_one_left_running_is_stopped_by_make_down(
    benches: Path, noted_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    place = benches / "one" / noted_in
    place.mkdir(parents=True)
    note_processes(place, [left.pid])
    monkeypatch.setattr(commands, "STATES", ())
    monkeypatch.setattr(commands, "CHECKOUT", benches)
    commands.down()
    assert not psutil.pid_exists(left.pid)
    assert place.is_dir()
    commands.reset_command()
    assert not (benches / "one").exists()


def test_two_of_a_name_do_not_run_at_once() -> None:
    with bench_session("one"), pytest.raises(LocalError, match="in use by process"), bench_session("one"):
        pytest.fail("it must not begin")
