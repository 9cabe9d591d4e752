"""QuickSight: tenants see their own rows, the questions are of columns that there are, the role reads no more."""

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aws_cdk as cdk
import pytest
import sqlglot
from cfnlint.api import lint
from sqlglot.optimizer.qualify import qualify

from infra.stacks.analytics.questions import TENANT, hourly_readings, who_sees_whom
from infra.stacks.analytics.stack import AnalyticsStack
from infra.stacks.config import PlatformConfig
from infra.stacks.feature_flags import RECOMMENDED
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.contract.tables import registry_history
from iot_pipeline_tests.support.templates import STACKS, nag_findings, of_type

OWNER = "arn:aws:quicksight:us-east-1:000000000000:group/default/analysts"
CONFIG = PlatformConfig(quicksight_owner=OWNER)
SCHEMA: dict[str, object] = {
    CONFIG.database: {
        table.name: {**{c.name: c.type for c in table.columns}, **dict.fromkeys(table.partition_keys, "string")}
        for table in (tables().curated_telemetry, *registry_history())
    }
}


@cache
def text() -> str:
    app = cdk.App(outdir=mkdtemp(), context=dict(RECOMMENDED), analytics_reporting=False)
    AnalyticsStack(app, CONFIG, CONTRACT)
    assert nag_findings(app) == []
    return (Path(app.outdir) / "TelemetryAnalytics.template.json").read_text()


def made(kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in of_type(json.loads(text()), f"AWS::QuickSight::{kind}").items()}


def data_set(end: str) -> tuple[str, dict[str, Any]]:
    (found,) = ((name, each) for name, each in made("DataSet").items() if each["DataSetId"].endswith(end))
    return found


def test_lint_finds_nothing() -> None:
    assert [str(match) for match in lint(text(), regions=["eu-west-1"])] == []


def test_without_an_owner_there_is_nothing_in_quicksight() -> None:
    assert not [stack for stack in STACKS if "Analytics" in stack]
    assert PlatformConfig().quicksight_owner == ""
    with pytest.raises(ValueError, match="quicksight_owner 'ada' must be the ARN of a user or a group"):
        PlatformConfig(quicksight_owner="ada")


@pytest.mark.parametrize("question", [hourly_readings(CONFIG, CONTRACT), who_sees_whom(CONFIG)], ids=["rows", "rules"])
def test_a_question_is_of_columns_that_there_are_and_answered_in_those_that_quicksight_expects(question: Any) -> None:
    qualified = qualify(sqlglot.parse_one(question.sql, read="athena"), schema=SCHEMA, dialect="athena")
    assert isinstance(qualified, sqlglot.exp.Query)
    # Glue's names are in lower case; QuickSight matches a column's name with regard to case.
    assert [name.lower() for name in qualified.named_selects] == [name.lower() for name in question.columns]


def test_of_the_rows_a_reader_sees_those_of_the_tenants_of_its_groups_alone() -> None:
    rules, permissions = data_set("-tenants")
    _, readings = data_set("-readings")
    security = readings["RowLevelPermissionDataSet"]
    assert security["Arn"] == {"Fn::GetAtt": [rules, "Arn"]}
    assert (security["FormatVersion"], security["PermissionPolicy"], security["Status"]) == (
        "VERSION_2",
        "GRANT_ACCESS",
        "ENABLED",
    )
    assert "Namespace" not in security, "version 2 refuses it"
    assert permissions["UseAs"] == "RLS_RULES"
    assert set(who_sees_whom(CONFIG).columns) == {"UserARN", "GroupARN", TENANT}
    assert TENANT in hourly_readings(CONFIG, CONTRACT).columns


def test_the_groups_are_where_quicksight_has_its_users() -> None:
    sql = who_sees_whom(CONFIG).sql
    assert "concat('arn:aws:quicksight:us-east-1:000000000000:group/default/telemetry-', tenant_id)" in sql
    assert "'arn:aws:quicksight:us-east-1:000000000000:group/default/telemetry-administrators'" in sql


def test_both_data_sets_are_read_anew_each_day() -> None:
    schedules = made("RefreshSchedule").values()
    assert {s["DataSetId"] for s in schedules} == {s["DataSetId"] for s in made("DataSet").values()}
    assert {s["Schedule"]["ScheduleFrequency"]["Interval"] for s in schedules} == {"DAILY"}


def test_the_role_reads_what_is_asked_of_and_writes_results_alone() -> None:
    (policy,) = of_type(json.loads(text()), "AWS::IAM::Policy").values()
    statements = {s["Sid"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    lake = "arn:aws:s3:::telemetry-lake-000000000000-eu-west-1"
    assert statements["Read"]["Action"] == "s3:GetObject"
    assert sorted(statements["Read"]["Resource"]) == [
        f"{lake}/{prefix}*" for prefix in ("curated/telemetry/", "registry/devices/", "registry/sites/")
    ]
    writing = [s for s in statements.values() if "s3:PutObject" in s["Action"]]
    assert [s["Resource"] for s in writing] == ["arn:aws:s3:::telemetry-results-000000000000-eu-west-1/telemetry/*"]
    assert statements["Key"]["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}


def test_the_dashboard_shows_every_metric_of_the_contract() -> None:
    (dashboard,) = made("Dashboard").values()
    (sheet,) = dashboard["Definition"]["Sheets"]
    shown = [v["LineChartVisual"]["Title"]["FormatText"]["PlainText"] for v in sheet["Visuals"]]
    assert shown == ["readings", *(metric.name for metric in CONTRACT.metrics)]
