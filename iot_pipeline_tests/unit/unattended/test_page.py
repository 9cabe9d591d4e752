"""The table of what runs by itself is what the definitions and the templates say, and leaves nothing out."""

import inspect
import sys

import dagster as dg
import pytest

from infra.local.servers.checkout import CHECKOUT
from infra.unattended.page import BEGIN, PageError, replaced, section
from infra.unattended.standing_types import STANDING
from infra.unattended.template_rows import read, template_rows
from iot_pipeline.definitions import defs
from iot_pipeline.unattended.calls import CONDITIONS, SCHEDULES, SENSORS, Calls
from iot_pipeline.unattended.clock import every, times_a_day
from iot_pipeline.unattended.dagster_rows import dagster_rows
from iot_pipeline.unattended.severities import CRITICAL, SEVERITIES, WARNING
from iot_pipeline_tests.support.templates import assembly

GRAPH = defs.resolve_asset_graph()


@dg.sensor(name="unheard_of", default_status=dg.DefaultSensorStatus.RUNNING)
def unheard_of() -> dg.SkipReason:
    return dg.SkipReason("nothing")


@dg.asset(automation_condition=dg.AutomationCondition.on_cron("0 1 * * *"))
def unheard_of_asset() -> None: ...


@dg.asset_check(asset="ledger")
def unheard_of_check() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


def test_the_section_is_as_generated() -> None:
    page = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert page == replaced(page, section(assembly())), "run `make docs`"


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (dg.Definitions(sensors=[unheard_of]), "unheard_of"),
        (dg.Definitions(assets=[unheard_of_asset]), "unheard_of_asset"),
        (dg.Definitions(asset_checks=[unheard_of_check]), "unheard_of_check"),
    ],
    ids=["sensor", "asset", "check"],
)
def test_what_is_new_needs_an_entry(more: dg.Definitions, name: str) -> None:
    with pytest.raises(KeyError, match=f"^'{name}'$"):
        list(dagster_rows(dg.Definitions.merge(defs, more)))


def test_there_is_no_entry_of_what_is_no_more() -> None:
    repository = defs.get_repository_def()
    assert set(SENSORS) == {sensor.name for sensor in repository.sensor_defs}
    assert set(SCHEDULES) == {schedule.name for schedule in repository.schedule_defs}
    conditions = {key.to_user_string() for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).automation_condition}
    checks = {key for key in GRAPH.asset_check_keys if GRAPH.get(key).automation_condition}
    assert set(CONDITIONS) == conditions | {f"{key.asset_key.to_user_string()}:{key.name}" for key in checks}
    assert set(SEVERITIES) == {key.name for key in GRAPH.asset_check_keys if not GRAPH.get(key).blocking}
    recorded = {name for calls in (*SENSORS.values(), *SCHEDULES.values()) for name in calls.records}
    assert recorded <= {key.name for key in GRAPH.asset_check_keys}


def test_severities_are_those_of_the_modules_that_evaluate() -> None:
    """A check's severity is written where it is evaluated: there `WARN` is named, or it is an error."""
    checks = [each for each in defs.asset_checks or [] if isinstance(each, dg.AssetChecksDefinition)]
    found = {}
    for check in checks:
        compute = check.op.compute_fn
        source = inspect.getsource(sys.modules[getattr(compute, "decorated_fn", compute).__module__])
        found[check.check_key.name] = WARNING if "AssetCheckSeverity.WARN" in source else CRITICAL
    assert {name: severity for name, severity in found.items() if name in SEVERITIES} == {
        name: severity for name, severity in SEVERITIES.items() if name in found
    }
    assert len(found) > 10


def test_every_type_of_resource_is_classed() -> None:
    resources = read(assembly())
    rows = list(template_rows(resources))
    assert {resource["Type"] for resource in resources.values()} >= STANDING, "classed, and in no template"
    with pytest.raises(KeyError, match="AWS::Batch::JobQueue"):
        list(template_rows({"Stack.Nightly": {"Type": "AWS::Batch::JobQueue", "Properties": {}}}))
    names = " ".join(row.name for row in rows)
    assert all(f"rule `telemetry-edge-{role}`" in names for role in ("sweep", "notify"))
    assert "raw-to-colder-storage" in names


def test_a_crawler_with_a_schedule_is_a_row() -> None:
    crawler = {
        "Type": "AWS::Glue::Crawler",
        "Properties": {
            "Name": "nightly",
            "Description": "Looks",
            "Schedule": {"ScheduleExpression": "cron(0 1 * * ? *)"},
        },
    }
    (row,) = template_rows({"Stack.Crawler": crawler})
    assert (row.name, row.when) == ("crawler `nightly`", "cron(0 1 * * ? *)")


def test_what_a_thing_costs_is_its_least_with_how_often_it_runs() -> None:
    assert "1 statement, all; at least 0.00005 USD each time, 0.06866 USD a day" in Calls("", 1, "all").cost(1440)
    assert Calls("a call of S3").cost(24) == "No Athena. A call of S3."


@pytest.mark.parametrize(
    ("cron", "times"),
    [("10 * * * *", 24), ("0 3 * * *", 1), ("7-59/15 * * * *", 96), ("*/5 * * * *", 288), ("0,30 1-2 * * *", 4)],
)
def test_ticks_a_day_are_counted(cron: str, times: int) -> None:
    assert times_a_day(cron) == times


def test_a_schedule_that_is_not_of_every_day_is_refused() -> None:
    with pytest.raises(ValueError, match="not the same every day"):
        times_a_day("0 3 * * 1")


def test_intervals_are_said_in_words() -> None:
    assert [every(seconds) for seconds in (10, 60, 90, 600)] == [
        "every 10 s",
        "every minute",
        "every 90 s",
        "every 10 min",
    ]


def test_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(PageError, match="no section between"):
        replaced(f"text {BEGIN} text", "made")
