"""A server of the local AWS as a process: waited for, stopped, and its end reported."""

import sys
import time
from pathlib import Path

import pytest

from infra.local.servers import local_server
from infra.local.servers.local_server import LocalError, LocalServer, launch

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(600)
"""


def server(folder: Path, code: str) -> LocalServer:
    log_file = folder / "server.log"
    process = launch([sys.executable, "-c", code], log_file, folder, {"PYTHONUNBUFFERED": "1"})
    return LocalServer("the server", process, log_file)


def test_a_server_that_ends_is_not_waited_for_and_its_last_words_are_told(tmp_path: Path) -> None:
    ended = server(tmp_path, "print('no port is left'); raise SystemExit(3)")
    began = time.monotonic()
    with pytest.raises(LocalError, match=r"the server stopped with exit code 3(?s:.*)no port is left"):
        ended.wait_until(lambda: False)
    assert time.monotonic() - began < local_server.START_SECONDS


def test_a_long_wait_says_what_it_waits_for_and_has_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local_server, "TELL_SECONDS", 0.05)
    monkeypatch.setattr(local_server, "START_SECONDS", 0.5)
    slow = server(tmp_path, "import time; time.sleep(600)")
    with pytest.raises(LocalError, match="was not ready within"):
        slow.start(lambda: False)
    assert slow.process.returncode is not None
    assert "waiting for the server: " in capsys.readouterr().err


def test_a_server_that_does_not_stop_is_killed_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn = server(tmp_path, STUBBORN)
    stubborn.start(lambda: "ready" in stubborn.log_file.read_text())
    monkeypatch.setattr(local_server, "STOP_SECONDS", 0.2)
    with pytest.raises(LocalError, match=r"the server did not stop within .* was killed(?s:.*)ready"):
        stubborn.stop()
    assert stubborn.process.returncode == -9
    stubborn.stop()
