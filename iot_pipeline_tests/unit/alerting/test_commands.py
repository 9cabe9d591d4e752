"""The command line: a corpus scored and drawn, and errors in one line. The real series are not in the repository."""

import json
import random
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.alerting.__main__ import app

REAL = CHECKOUT.parent / "shared" / "data"
WINDOWS = REAL / "nab" / "windows.json"


@pytest.fixture
def made(tmp_path: Path) -> list[str]:
    """A corpus of two made series: one with a spike in a window, one of noise alone."""
    chance = random.Random(8)
    for name in ("spike", "noise"):
        rows = [
            f"2014-04-{1 + i // 288:02} {i // 12 % 24:02}:{i % 12 * 5:02}:00,{chance.gauss(5, 1)}" for i in range(2000)
        ]
        if name == "spike":
            rows[1500] = f"{rows[1500].split(',')[0]},50"
        (tmp_path / f"{name}.csv").write_text("\n".join(["timestamp,value", *rows, ""]))
    (tmp_path / "other.csv").write_text("timestamp,value\n")
    windows = tmp_path / "windows.json"
    windows.write_text(json.dumps({"spike.csv": [["2014-04-06 04:00:00", "2014-04-06 06:00:00"]], "noise.csv": []}))
    return [str(tmp_path), "--windows", str(windows)]


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_the_score_ends_with_one_line_in_a_fixed_form(made: list[str]) -> None:
    result = _run("score", *made)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"NAB standard: \d+\.\d", lines[-1])
    assert float(lines[-1].split()[-1]) > 85.0
    assert re.fullmatch(r"NAB standard at the threshold 0\.3: -?\d+\.\d", lines[-2])
    assert any(line.startswith("spike") for line in lines)
    assert "other.csv: left out, no windows are given for it" in result.stderr


def test_the_score_is_the_same_each_time(made: list[str]) -> None:
    def figures() -> list[str]:
        return [line for line in _run("score", *made).stdout.splitlines() if "took" not in line]

    assert figures() == figures()


def test_the_report_is_one_page_with_a_picture_each(made: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _run("report", *made, "--out", str(out))
    assert result.exit_code == 0, result.output
    page = (out / "index.html").read_text()
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 2
    spike = ET.fromstring(pictures[0])
    assert {node.get("class") for node in spike} >= {"window", "values", "score", "hit", "limit", "probation"}
    assert not re.search(r"https?:|<script|src=", page)


@pytest.mark.parametrize("command", ["score", "report"])
def test_an_error_is_one_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "w.json").write_text('{"missing.csv": []}')
    out = ["--out", str(tmp_path)] if command == "report" else []
    result = _run(command, str(tmp_path), "--windows", str(tmp_path / "w.json"), *out)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: missing.csv has windows, but there is no such CSV file below")
    assert len(result.stderr.splitlines()) == 1


def test_help_teaches() -> None:
    for command in ("score", "report", "speed", "false-alarms"):
        assert _run(command, "--help").exit_code == 0
    assert "production uses" in " ".join(_run("score", "--help").stdout.split())


def test_the_real_series_reach_the_goal() -> None:
    if not WINDOWS.exists():
        pytest.skip(f"NAB's series are not at {REAL}")
    result = _run("score", str(REAL), "--windows", str(WINDOWS))
    assert result.exit_code == 0, result.output
    assert float(result.stdout.splitlines()[-1].split()[-1]) >= 55.0
    assert float(result.stdout.splitlines()[-2].split()[-1]) >= 55.0
