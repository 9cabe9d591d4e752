"""The alarms of the promises, each of which the documentation explains; the dashboard, the budget."""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cfnlint.api import lint

from infra.stacks.config import PlatformConfig
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.ingest.stack import IngestStack
from infra.stacks.observability.stack import ObservabilityStack
from infra.stacks.queries.stack import QueriesStack
from infra.stacks.security.stack import SecurityStack
from infra.stacks.sizes import PARTS, Size
from infra.stacks.validity import ACCOUNT_GUARDS
from iot_pipeline.contract import CONTRACT
from iot_pipeline_tests.support.layers import CHECKOUT
from iot_pipeline_tests.support.templates import STACKS, nag_findings, of_type, template

STACK = "TelemetryObservability"


def alarms(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A template's alarms by the name that the stack gives them: the logical id without its hash."""
    return {name[:-8]: each["Properties"] for name, each in of_type(made, "AWS::CloudWatch::Alarm").items()}


def synthesised(folder: Path, *stacks: Callable[..., cdk.Stack], **settings: Any) -> dict[str, Any]:
    """The resources of some stacks of one environment as one template, after cdk-nag has found nothing."""
    app = cdk.App(outdir=str(folder), context=dict(RECOMMENDED), analytics_reporting=False)
    for stack in stacks:
        stack(app, config=PlatformConfig(**settings))
    assert nag_findings(app) == []
    merged: dict[str, Any] = {"Resources": {}}
    for path in folder.glob("*.template.json"):
        merged["Resources"] |= json.loads(path.read_text())["Resources"]
    return merged


def documented() -> set[str]:
    page = (CHECKOUT / "docs" / "observability.md").read_text()
    table = page.partition("## Alarms")[2].partition("\n## ")[0]
    cells = [line.split("|")[2] for line in table.splitlines() if line.startswith("|")][2:]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_page_explains_every_alarm_of_every_stack_and_no_other(tmp_path: Path) -> None:
    guarded = synthesised(tmp_path / "guarded", SecurityStack, account_guards=ACCOUNT_GUARDS)
    options: dict[str, Any] = {"firehose_format": "parquet", "crawl_on_events_minutes": 60}
    arriving = synthesised(tmp_path / "arriving", IngestStack, partial(QueriesStack, contract=CONTRACT), **options)
    made = set(alarms(guarded)).union(alarms(arriving), *(alarms(template(stack)) for stack in STACKS))
    assert made == documented()


def test_every_alarm_tells_the_topic_of_alerts_of_its_begin_and_its_end() -> None:
    made = template(STACK)
    assert len(alarms(made)) >= 16
    (topic,) = (name for name, p in made["Parameters"].items() if p["Default"] == "/telemetry/alerts-topic")
    for alarm in alarms(made).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
        assert alarm["AlarmDescription"]


@pytest.mark.parametrize("name", ["CanaryLost", "NothingArrives", "ServiceDown"])
def test_silence_breaks_a_promise_of_life(name: str) -> None:
    alarm = alarms(template(STACK))[name]
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching")


def test_the_lake_s_lag_is_told_after_the_buffer_s_time_and_five_minutes() -> None:
    alarm = alarms(template(STACK))["DeliveryLags"]
    assert alarm["MetricName"] == "DeliveryToS3.DataFreshness"
    assert alarm["Threshold"] == PlatformConfig().firehose_interval_seconds + 300


def test_the_warehouse_is_warned_of_at_four_fifths_of_the_limit_that_it_has() -> None:
    alarm = alarms(template(STACK))["WarehouseNearsItsLimit"]
    (limit,) = of_type(template("TelemetryWarehouse"), "Custom::RedshiftUsageLimit").values()
    (amount,) = re.findall(r'"amount":(\d+)', json.dumps(limit["Properties"]["Create"]).replace("\\", ""))
    assert alarm["Threshold"] == int(amount) * 3600 * 0.8
    assert alarm["Period"] == 86_400
    assert alarm["Dimensions"] == [{"Name": "Workgroup", "Value": "telemetry"}]


def test_the_dashboard_shows_every_alarm_and_every_metric() -> None:
    made = template(STACK)
    (dashboard,) = of_type(made, "AWS::CloudWatch::Dashboard").values()
    text = json.dumps(dashboard["Properties"]["DashboardBody"])
    for name, alarm in of_type(made, "AWS::CloudWatch::Alarm").items():
        assert text.count(name) == 1, f"{name} is not in the row of all alarms"
        assert f'\\"title\\":\\"{name[:-8]}\\"' in text
        if "MetricName" in alarm["Properties"]:
            assert alarm["Properties"]["MetricName"] in text


def test_a_budget_tells_before_the_month_costs_more(tmp_path: Path) -> None:
    assert of_type(template(STACK), "AWS::Budgets::Budget") == {}
    made = synthesised(tmp_path, ObservabilityStack, monthly_budget_usd=250)
    text = next(tmp_path.glob("*.template.json")).read_text()
    assert [str(match) for match in lint(text, regions=["eu-west-1"])] == []
    (budget,) = of_type(made, "AWS::Budgets::Budget").values()
    properties = budget["Properties"]
    assert properties["Budget"]["BudgetLimit"] == {"Amount": 250, "Unit": "USD"}
    assert properties["Budget"]["CostFilters"] == {"TagKeyValue": ["user:environment$telemetry"]}
    told = [n["Notification"] for n in properties["NotificationsWithSubscribers"]]
    assert [(n["NotificationType"], n["Threshold"]) for n in told] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]


def test_only_the_prototype_has_no_guards() -> None:
    assert [size for size in Size if not PARTS[size].guards] == [Size.PROTOTYPE]
