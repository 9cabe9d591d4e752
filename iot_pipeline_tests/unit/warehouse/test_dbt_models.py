"""The dbt project: its SQL as people can read it, held to Redshift's language and to the contract.

`UPDATE_SNAPSHOTS=1 pytest iot_pipeline_tests/integration/warehouse/test_dbt_facts.py` writes the snapshots anew: what
a model looks like depends on whether there are facts already, so that only a warehouse can tell. `X.sql` is what dbt
sends for a model the first time, `X.later.sql` what it sends from then on, where that differs.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from infra.local.redshift.dialect import check
from iot_pipeline.contract import METRICS, tables
from iot_pipeline.defs.models.assets import warehouse_models
from iot_pipeline.defs.models.reports import REPORTS, reports
from iot_pipeline.warehouse import dbt_project
from iot_pipeline.warehouse.dbt_project import PROJECT_DIR, manifest

SNAPSHOTS = Path(__file__).parent / "snapshots" / "dbt"
FILES = sorted(SNAPSHOTS.glob("*.sql"))
MODELS: dict[str, Any] = {
    node["name"]: node for node in manifest()["nodes"].values() if node["resource_type"] == "model"
}
VIEWS = {name for name, node in MODELS.items() if node["config"]["materialized"] == "view"}

# Facts are joined to each other by device and read by time; what all nodes need is small and on all of them.
KEYS = {
    "clock": ("all", "as_of"),
    "dim_customer": ("all", "customer_id"),
    "dim_date": ("all", "date_key"),
    "dim_location": ("all", "tenant_id,site_id,valid_from"),
    "dim_sensor": ("all", "device_id,valid_from"),
    "dim_tenant": ("all", "tenant_id"),
    "fact_alerts": ("device_id", "opened_at,device_id"),
    "fact_device_health": ("all", "device_id"),
    "fact_hours": ("all", "event_hour"),
    "fact_sensor_daily": ("device_id", "event_date,device_id"),
    "fact_sensor_hourly": ("device_id", "event_hour,device_id"),
    "fact_sensor_readings": ("device_id", "event_time,device_id"),
    "stale_alert_dates": ("all", "opened_date"),
    "stale_dates": ("all", "event_date"),
    "stale_hours": ("all", "event_hour"),
}


def test_every_model_has_its_snapshots_and_no_other_is_there() -> None:
    expected = {f"{name}.sql" for name in MODELS} | {f"{name}.later.sql" for name in MODELS if name not in VIEWS}
    assert {path.name for path in FILES} == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_dbt_sends_is_redshifts_language(path: Path) -> None:
    check(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.view)
def test_a_reports_query_is_redshifts_language_and_on_its_view(report: Any) -> None:
    check(report.sql)
    assert f"FROM reporting.{report.view}\n" in report.sql
    assert report.view in VIEWS


def test_the_check_would_notice() -> None:
    with pytest.raises(Exception, match="generate_series"):
        check("CREATE TABLE t AS (SELECT generate_series(1, 3) AS n)")


def test_the_tables_are_distributed_and_sorted_on_purpose() -> None:
    found = {}
    for name in sorted(set(MODELS) - VIEWS):
        text = re.sub(r"\s+", " ", (SNAPSHOTS / f"{name}.sql").read_text(encoding="utf-8"))
        head = re.match(
            r'create table "telemetry"\."marts"\."\w+" diststyle (?:key distkey \((\w+)\)|(all)) '
            r"compound sortkey\(([\w,]+)\) as \(",
            text,
        )
        assert head, f"{name}: {text[:200]}"
        found[name] = (head[1] or head[2], head[3])
    assert found == KEYS


def test_views_are_late_binding_so_that_a_replaced_table_does_not_take_them_along() -> None:
    for name in VIEWS:
        assert (SNAPSHOTS / f"{name}.sql").read_text(encoding="utf-8").rstrip().endswith("with no schema binding;")


def test_schemas_are_named_as_written() -> None:
    found = {(node["fqn"][1], node["schema"]) for node in MODELS.values()}
    assert found == {
        ("staging", "staging"),
        ("dimensions", "marts"),
        ("facts", "marts"),
        ("reporting", "reporting"),
    }


def test_the_metrics_are_the_contracts() -> None:
    checked = (SNAPSHOTS / "stg_readings.sql").read_text(encoding="utf-8")
    curated = [column.name for column in tables().curated_telemetry.columns]
    listed = re.findall(r"^    (\w+),?$", checked, re.MULTILINE)
    assert [name for name in listed if name in curated] == [
        name for name in curated if name not in {"extras", "tenant", "site", "fw"}
    ]


def test_every_column_of_a_dimension_and_a_fact_is_documented() -> None:
    for name in set(MODELS) - VIEWS:
        assert MODELS[name]["columns"], name
        for column in MODELS[name]["columns"].values():
            assert column["description"], f"{name}.{column['name']}"
    assert {metric.name for metric in METRICS} <= set(MODELS["fact_sensor_readings"]["columns"]), "see facts.yml"


SPECS = {spec.key.to_user_string(): spec for spec in warehouse_models.specs}


def test_every_model_is_an_asset_that_tells_what_it_is() -> None:
    assert set(SPECS) == set(MODELS)
    for name, spec in SPECS.items():
        assert spec.group_name == MODELS[name]["fqn"][1]
        assert spec.owners
        assert spec.kinds == {"dbt", "redshift"}
        assert spec.description, name
        assert len(spec.description) > 40, name


def test_sources_are_the_assets_that_load_them() -> None:
    outside = {dep.asset_key.to_user_string() for spec in SPECS.values() for dep in spec.deps} - set(SPECS)
    assert outside == {"warehouse_readings", "warehouse_alerts", "registry_snapshot"}
    roots = {name for name, spec in SPECS.items() if not list(spec.deps)}
    assert not roots, "a model without inputs would never be asked for"


def test_one_run_of_dbt_at_a_time() -> None:
    assert warehouse_models.op.pool == "dbt"


def test_the_tests_are_checks() -> None:
    names = {spec.name for spec in warehouse_models.check_specs}
    tests = [node for node in manifest()["nodes"].values() if node["resource_type"] == "test"]
    assert len(names) == len(tests)
    assert {"facts_equal_curated", "no_reading_is_unknown"} <= names


def test_reports_follow_their_views() -> None:
    for report, asset in zip(REPORTS, reports, strict=True):
        assert [dep.to_user_string() for dep in asset.asset_deps[asset.key]] == [report.view]
        assert asset.key == dg.AssetKey(report.name)


def test_a_project_that_cannot_be_parsed_is_refused_in_dbts_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "dbt"
    shutil.copytree(PROJECT_DIR, broken)
    (broken / "models" / "facts" / "fact_hours.sql").write_text("select {{ ref('nowhere') }}", encoding="utf-8")
    monkeypatch.setattr(dbt_project, "PROJECT_DIR", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dbt_project.parsed.cache_clear()
    with pytest.raises(dbt_project.DbtProjectError, match=r"fact_hours.*nowhere"):
        dbt_project.parsed()
    dbt_project.parsed.cache_clear()
    assert not list(tmp_path.rglob(dbt_project.MANIFEST))


def test_what_dbt_parsed_is_kept_for_each_of_few_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, target = tmp_path / "cache", tmp_path / "target"
    cache.mkdir()
    target.mkdir()
    monkeypatch.setattr(dbt_project, "parsed", lambda: cache)
    dbt_project.keep_parse(target, "of a run that failed before it parsed")
    assert list(cache.iterdir()) == []
    for number in range(6):
        (target / "partial_parse.msgpack").write_text(str(number))
        dbt_project.keep_parse(target, f"warehouse {number}")
        os.utime(next(path for path in cache.iterdir() if path.read_text() == str(number)), (number, number))
    assert sorted(path.read_text() for path in cache.iterdir()) == ["2", "3", "4", "5"]
    dbt_project.lay_out_parse(target, "warehouse 3")
    assert (target / "partial_parse.msgpack").read_text() == "3"
    dbt_project.lay_out_parse(target, "a new warehouse")
    assert (target / "partial_parse.msgpack").read_text() == "3"
