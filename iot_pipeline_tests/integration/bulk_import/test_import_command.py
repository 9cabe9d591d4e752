"""The command of the docs, from a file to curated rows and the warehouse, on real telemetry."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from infra.local.servers.checkout import CHECKOUT
from iot_pipeline.bulk_import_commands import app
from iot_pipeline.connections.backfill import open_planner
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import curated

NAB = CHECKOUT.parent / "shared" / "data" / "machine_temperature.csv"
MAPPING = """
import = "machine"
tenant = "acme"
site = "oslo"
device = "machine-1"
[ts]
column = "timestamp"
format = "iso8601"
zone = "UTC"
[metrics]
temperature = { column = "value", unit = "F" }
"""
ROWS = 30


@pytest.mark.skipif(not NAB.exists(), reason=f"{NAB} is not there: the real data set lies beside the checkout")
def test_a_file_is_imported_built_and_loaded_by_one_command(
    lake: Lake, dagster_hour: Hour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    sent = pd.read_csv(NAB, nrows=ROWS)
    # Thirteen years later, so that it lies within the lake's partitions.
    sent["timestamp"] = [f"{dagster_hour.start + timedelta(minutes=5 * n):%Y-%m-%d %H:%M:%S}" for n in range(len(sent))]
    (tmp_path / "machine.csv").write_text(sent.to_csv(index=False))
    (tmp_path / "mapping.toml").write_text(MAPPING)
    files = [str(tmp_path / "mapping.toml"), str(tmp_path / "machine.csv"), "--work", str(tmp_path / "work")]
    cli = CliRunner()
    planned = cli.invoke(app, ["plan", *files])
    assert planned.exit_code == 0, planned.output
    assert f"{ROWS} rows = {ROWS} mapped + 0 rejected + 0 ignored; 0 readings written" in planned.output
    done = cli.invoke(app, ["run", *files, "--build"])
    assert done.exit_code == 0, done.output
    assert "is carried out" in done.output
    hours = [dagster_hour + n for n in range(3)]
    rows = curated(lake, hours)
    assert [row["event_time"].replace(tzinfo=UTC) for row in rows] == [
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in sent["timestamp"]
    ]
    celsius = [(value - 32) / 1.8 for value in pd.read_csv(NAB, nrows=ROWS)["value"]]
    assert [row["temperature"] for row in rows] == pytest.approx(celsius, abs=1e-9)
    assert lake.stale(hours) == []
    with open_planner().loading() as loader:
        assert loader.unloaded(hours) == []


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    cli = CliRunner()
    (tmp_path / "mapping.toml").write_text(cli.invoke(app, ["example"]).output.replace('"F"', '"K"'))
    refused = cli.invoke(app, ["plan", str(tmp_path / "mapping.toml"), str(tmp_path)])
    assert refused.exit_code == 2
    assert "metrics.temperature.unit: expected one of 'C', 'F', got 'K'" in " ".join(refused.output.split())
