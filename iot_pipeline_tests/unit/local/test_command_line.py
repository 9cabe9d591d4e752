"""`python -m infra.local`: a mistake is one line that says where it stands, and exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.local import __main__ as command_line
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError


def test_an_environment_that_cannot_be_is_told_with_its_name(tmp_path: Path) -> None:
    wrong = {"IOT_CRAWL_ON_EVENTS_MINUTES": "99999"}
    run = subprocess.run(
        [sys.executable, "-m", "infra.local", "demo", "--state", str(tmp_path / "state")],
        cwd=CHECKOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("IOT_")} | wrong,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    # The name in brackets is no markup of a terminal.
    assert run.stdout.startswith("error: environments.toml: [telemetry] crawl_on_events_minutes must be 0, for none")
    assert "Traceback" not in run.stderr


def test_the_stream_says_that_spark_is_missing_before_it_starts_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "is_installed", lambda: False)
    ran = CliRunner().invoke(command_line.app, ["stream", "--state", str(tmp_path / "state")])
    assert isinstance(ran.exception, LocalError)
    assert "Spark is not installed: .venv/bin/python -m uv pip install" in str(ran.exception)
    assert not (tmp_path / "state").exists()
