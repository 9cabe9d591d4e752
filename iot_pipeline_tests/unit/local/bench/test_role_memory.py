"""Whose memory grows is told by what a process is for."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.local.bench.role_memory import Held, growths, role_of, sample, written_elsewhere

MIB = 2**20


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("python -m infra.local up --state x", "`make up` itself"),
        ("python -m infra.local.redshift --port 1", "Redshift's proxy"),
        ("python -m infra.local.redshift.translating 0 20.0", "Redshift's translators"),
        ("python /tmp/ministack-lambda-telemetry-edge-notify-ab_cd3fg/_worker.py", "function telemetry-edge-notify"),
        ("postgres: postgres telemetry 127.0.0.1(5) idle ", "PostgreSQL's sessions"),
        ("postgres: autovacuum launcher ", "PostgreSQL's own"),
        ("python -m dagster api execute_run", "comes and goes"),
        ("python -m nobody.knows", "python -m nobody.knows"),
    ],
)
def test_a_role_is_told_by_the_command_line(command: str, role: str) -> None:
    assert role_of(command) == role


def test_growth_is_between_the_middles_of_a_few_samples() -> None:
    sizes = [10, 500, 100, 100, 300, 108, 110, 109]
    samples = [{"one": [Held(size * MIB, 2 * size * MIB, 5)]} for size in sizes]
    (growth,) = growths(samples, warm_at=4)
    assert growth.own == (100, 109)
    assert growth.resident == (200, 218)
    assert growth.ratio == pytest.approx(1.09)


def test_more_processes_of_a_role_are_no_growth_of_one_and_are_counted() -> None:
    warm, end = {"a": [Held(MIB, MIB, 3)]}, {"a": [Held(MIB, MIB, 3)] * 4}
    (growth,) = growths([warm, end, end, end], warm_at=1)
    assert (growth.processes, growth.ratio, growth.files) == ((1, 4), 1.0, (3, 12))


def test_a_process_is_sampled_with_the_files_that_it_writes_elsewhere(tmp_path: Path) -> None:
    code = "import sys; held = open(sys.argv[1], 'w'); block = bytearray(30 * 2**20); print(flush=True); input()"
    command = [sys.executable, "-c", code, str(tmp_path / "written")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        family = [psutil.Process(child.pid)]
        ((_, held),) = sample(family).items()
        assert held[0].own > 30 * MIB
        assert held[0].files > 3
        assert written_elsewhere(family, []) == {os.fspath(tmp_path / "written")}
        assert written_elsewhere(family, [tmp_path]) == set()
        child.kill()
