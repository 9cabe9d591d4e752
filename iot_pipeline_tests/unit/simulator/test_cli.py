"""The command line teaches, and refuses with one line that says what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator.cli import app
from simulator.faults import FAULTS
from simulator.fleet import make_fleet

runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})


def test_help_shows_examples_and_every_fault() -> None:
    top = runner.invoke(app, ["--help"])
    assert "simulator enrol" in top.output
    text = runner.invoke(app, ["run", "--help"]).output
    assert "--history 24h" in text
    for fault in FAULTS.values():
        assert f"{fault.name} ({fault.rate:g} of {fault.scope})" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--faults", "some"], "expected all or none"),
        (["--duration", "soon"], "is no duration"),
        (["--history", "40d"], "would arrive too late"),
        (["--history", "24h", "--until", "2020-01-01T00:00:00Z"], "would arrive too late"),
        (["--endpoint", "localhost:mqtt"], "expected host:port"),
        (["--ca", "missing.pem"], "no such file"),
        ([], "has no certificate"),
    ],
)
def test_a_run_that_cannot_be_is_refused(tmp_path: Path, options: list[str], message: str) -> None:
    make_fleet(2).save(tmp_path)
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    result = runner.invoke(app, ["run", str(tmp_path), "--endpoint", "localhost:1", "--ca", str(ca), *options])
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_fleet_that_is_not_there_says_what_to_run(tmp_path: Path) -> None:
    result = runner.invoke(app, ["run", str(tmp_path), "--endpoint", "localhost:1", "--ca", str(tmp_path)])
    assert result.exit_code == 2
    assert "python -m simulator enrol" in result.output


def test_an_error_with_brackets_is_shown_whole(tmp_path: Path) -> None:
    make_fleet(1).save(tmp_path)
    ca = tmp_path / "ca.pem"
    ca.write_text("")
    out = tmp_path / "[Errno 2] folder"
    devices = tmp_path / "devices"
    devices.mkdir()
    (devices / "acme-berlin-0001.crt").write_text("")
    out.write_text("a file where a folder should be")
    options = ["--endpoint", "localhost:1", "--ca", str(ca), "--out", str(out)]
    result = runner.invoke(app, ["run", str(tmp_path), *options])
    assert result.exit_code == 2
    assert "[Errno 17]" in result.output
    assert "[Errno 2] folder" in result.output


def test_a_summary_of_nothing_says_so(tmp_path: Path) -> None:
    result = runner.invoke(app, ["summary", str(tmp_path)])
    assert result.exit_code == 2
    assert "--out folder" in result.output
    assert not (tmp_path / "outbox.db").exists()
