"""Dagster's own webserver, with runs that succeeded and failed, read over HTTP; and without it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from infra.local.servers.loopback import HOST, free_port
from iot_pipeline.console.dependencies import DownError
from iot_pipeline.console.health import runs
from iot_pipeline.console.health.findings import State
from iot_pipeline_tests.support.emulator import eventually

JOBS = """
import dagster as dg

@dg.op
def fine(): ...

@dg.op
def broken():
    raise ValueError("no")

@dg.job
def good(): fine()

@dg.job
def bad(): broken()

if __name__ == "__main__":
    with dg.DagsterInstance.get() as instance:
        good.execute_in_process(instance=instance, tags={"dagster/partition": "2026-11-21-10:00"})
        bad.execute_in_process(instance=instance, raise_on_error=False)
"""


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (home / "jobs.py").write_text(JOBS)
    environment = {"DAGSTER_HOME": str(home), "PATH": str(Path(sys.executable).parent)}
    subprocess.run([sys.executable, "jobs.py"], cwd=home, env=environment, check=True, capture_output=True)
    port = free_port()
    address = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port), "-f", "jobs.py"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        assert eventually(lambda: _answers(address), 120), (home / "log").read_text()
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/server_info").is_success
    except httpx.HTTPError:
        return False


def test_runs_and_failures_are_told_with_where_one_acts(dagster: str) -> None:
    with httpx.Client(timeout=30) as client:
        found = runs.look(client, dagster, datetime.now(UTC))
        data = found.data
        assert isinstance(data, runs.Runs)
        assert {(run.job, run.status, run.partition) for run in data.last} == {
            ("good", "success", "2026-11-21-10:00"),
            ("bad", "failure", None),
        }
        assert [run.job for run in data.failed] == ["bad"]
        assert (data.waiting, data.backfills) == ([], [])
        # No daemon runs here, which is worse than a run that failed.
        assert found.state is State.CRITICAL
        assert "no heartbeat of" in found.sentence
        assert client.get(f"{dagster}{data.failed[0].path}").is_success


def test_a_dagster_that_is_gone_or_is_none_is_said_so() -> None:
    with httpx.Client(timeout=5) as client, pytest.raises(DownError, match="Dagster: ConnectError"):
        runs.look(client, f"http://{HOST}:{free_port()}", datetime.now(UTC))


def test_what_dagster_refuses_is_told_in_its_words(dagster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_QUERY", "query { nothing }")
    with httpx.Client(timeout=30) as client, pytest.raises(DownError, match=r"Dagster: .*nothing"):
        runs.look(client, dagster, datetime.now(UTC))
