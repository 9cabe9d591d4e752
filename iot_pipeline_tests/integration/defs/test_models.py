"""The models as Dagster builds them: until nothing is stale, tests as checks, with documentation and reports."""

import json
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest

from infra.local.emulator.process import start_emulator
from iot_pipeline import settings
from iot_pipeline.contract.layout import DBT_DOCS
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.docs import dbt_docs
from iot_pipeline.defs.models.reports import REPORTS, reports
from iot_pipeline.resources import WarehouseResource
from iot_pipeline.resources.dbt import DbtDocs, dbt_resource, target_folder
from iot_pipeline.warehouse.dbt_project import PROJECT_DIR
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.models import HOUR, Models, day

# More than one run of dbt takes.
HOURS = 170
BUCKET = "docs-test"


@pytest.fixture(scope="module")
def result(empty_models: Models, tmp_path_factory: pytest.TempPathFactory) -> dg.ExecuteInProcessResult:
    """Models, documentation and reports of a warehouse with many hours of a device and one of an unknown device."""
    models = empty_models
    models.register("steady")
    models.send("steady", day(1), HOURS, every=HOUR)
    models.send("stranger", day(5))
    models.load([day(1) + n * HOUR for n in range(HOURS)])
    emulator = start_emulator(tmp_path_factory.mktemp("aws"))
    deployment = {"IOT_LAKE_BUCKET": BUCKET, "IOT_RAW_QUEUE_URL": "none"}
    with pointing_to({**emulator.environment, "AWS_DEFAULT_REGION": "us-east-1", **deployment}):
        settings.deployment.cache_clear()
        try:
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            resources = {"dbt": dbt_resource(), "warehouse": WarehouseResource(), "docs": DbtDocs()}
            done = dg.materialize([warehouse_models, dbt_docs, *reports], resources=resources)
            _check_published()
            return done
        finally:
            settings.deployment.cache_clear()
            emulator.stop()


def _check_published() -> None:
    found = {}
    for name in ("index.html", "manifest.json", "catalog.json"):
        found[name] = boto3.client("s3").get_object(Bucket=BUCKET, Key=DBT_DOCS + name)["Body"].read()
    described = json.loads(found["catalog.json"])["nodes"]
    assert "model.iot_warehouse.fact_sensor_readings" in described
    assert "uptime" in described["model.iot_warehouse.fact_sensor_daily"]["columns"]
    assert b"fact_sensor_daily" in found["index.html"]


def _metadata(result: dg.ExecuteInProcessResult, name: str) -> dict[str, Any]:
    (found,) = [
        event.materialization.metadata
        for event in (e.step_materialization_data for e in result.get_asset_materialization_events())
        if event.materialization.asset_key.path == [name]
    ]
    return {key: value.value for key, value in found.items()}


def test_it_builds_until_nothing_is_stale(result: dg.ExecuteInProcessResult, empty_models: Models) -> None:
    assert result.success
    books = "SELECT count(*), sum(readings) FROM marts.fact_hours"
    (found,) = empty_models.rows(books)
    assert [int(n) for n in found] == [HOURS, HOURS + 6]
    assert empty_models.rows("SELECT count(*) FROM marts.stale_hours") == [(HOURS - 168,)], "what the second run took"


def test_the_tests_of_the_models_are_checks(result: dg.ExecuteInProcessResult) -> None:
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert checks["facts_equal_curated"].passed
    assert {name for name, check in checks.items() if not check.passed} == {"no_reading_is_unknown"}
    assert checks["no_reading_is_unknown"].severity is dg.AssetCheckSeverity.WARN


def test_the_books_are_beside_the_materialization(result: dg.ExecuteInProcessResult) -> None:
    books = _metadata(result, "fact_hours")
    assert books["of unknown sensors"] == 6
    assert books["at unknown locations"] == 6
    assert _metadata(result, "dim_sensor")["dagster/row_count"] == 2


def test_the_documentation_is_counted_and_found(result: dg.ExecuteInProcessResult) -> None:
    docs = _metadata(result, "dbt_docs")
    assert docs["page"] == f"s3://{BUCKET}/{DBT_DOCS}index.html"
    assert docs["models"] == len(list((PROJECT_DIR / "models").rglob("*.sql")))
    assert docs["tests"] == len(list(warehouse_models.check_specs))


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.view)
def test_a_report_has_a_table_bars_and_figures_to_plot(result: dg.ExecuteInProcessResult, report: Any) -> None:
    shown = _metadata(result, report.name)
    rows = shown["report"].splitlines()
    assert rows[0].strip("| ").split(" | ") == list(report.columns)
    assert len(rows) == 2 + shown["rows"]
    assert shown[report.bars].startswith("```")
    empty = {"water_leaks", "alert_summary"}
    assert (shown["rows"] == 0) == (report.view in empty), "there is no water meter, and no alert"
    assert set(report.figures([])) < set(shown), "without rows too there are figures"
    expected: dict[str, dict[str, int]] = {
        # The last date has the last two of the 170 hours.
        "fleet_daily_summary": {"devices, last date": 1, "readings, last date": 2, "low batteries, last date": 0},
        # A reading an hour, where six are expected.
        "site_comparison": {"least uptime of a site, %": 17},
        "worst_sensors": {"missed by the worst sensor, %": 83},
        "water_leaks": {"leaking meters": 0, "lost in all, L": 0},
        "alert_summary": {"alerts, last date": 0, "open": 0},
    }
    assert expected[report.view].items() <= shown.items()


def test_dbt_parses_the_project_once_for_a_connection(result: dg.ExecuteInProcessResult, tmp_path: Path) -> None:
    assert result.success
    with target_folder() as folder:
        again = dbt_resource().cli(["ls", "--quiet", "--log-level-file", "debug"], target_path=folder)
        assert again.wait().is_successful()
        log = (folder / "dbt.log").read_text()
    assert "Partial parsing enabled: 0 files deleted, 0 files added, 0 files changed" in log
    assert "password" not in log


def test_nothing_was_written_beside_the_project(result: dg.ExecuteInProcessResult) -> None:
    assert result.success
    names = {path.name for path in Path(PROJECT_DIR).iterdir()}
    assert names == {"dbt_project.yml", "profiles.yml", "macros", "models", "tests", ".gitignore"}
