"""What `make docs` writes of the cost is what the model says now, and the command prints and refuses."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import dagster as dg
import pytest
from typer.testing import CliRunner

from infra.cost.__main__ import app
from infra.cost.athena_statements import SMALL_A_DAY
from infra.cost.cost_page import PAGE, PICTURE, replaced
from infra.cost.counted import Counts, count, counts_of, templates, written
from infra.cost.fleet_picture import curves, picture
from infra.cost.volumes import STATE_BYTES
from infra.local.bench.sweep import item_bytes, warm_state
from infra.stacks.sizes import Size
from iot_pipeline.definitions import defs
from iot_pipeline.unattended.clock import times_a_day
from iot_pipeline_tests.support.edge import NOON_MS
from iot_pipeline_tests.support.templates import assembly


def test_the_counts_are_the_templates() -> None:
    """Of the default environment, whose size is the team's."""
    counted = count(templates(assembly()))
    assert counts_of(Size.TEAM) == counted, "write them anew with `make docs`"
    assert counted.keys > 1
    assert counted.resources > 100


def test_a_prototype_is_counted_without_what_it_has_not() -> None:
    everything, small = counts_of(Size.TEAM), counts_of(Size.PROTOTYPE)
    assert small.endpoints == small.secrets == small.keys == 0 < small.resources < everything.resources


def test_tasks_of_services_are_counted_by_how_many_are_wanted() -> None:
    made = {
        "Resources": {
            "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Cpu": "512", "Memory": "1024"}},
            "Service": {
                "Type": "AWS::ECS::Service",
                "Properties": {"TaskDefinition": {"Ref": "Task"}, "DesiredCount": 2},
            },
            "Endpoint": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"SubnetIds": ["a", "b", "c"]}},
            "Gateway": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"RouteTableIds": ["a"]}},
            "Database": {"Type": "AWS::RDS::DBCluster", "Properties": {"ManageMasterUserPassword": True}},
        }
    }
    assert count([made]) == Counts(resources=5, secrets=1, endpoints=3, vcpus=1.0, task_gb=2.0)


def test_counts_that_were_not_written_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "counted.toml"
    file.write_text(written({Size.TEAM: Counts(keys=1)}))
    assert counts_of(Size.TEAM, file) == Counts(keys=1)
    with pytest.raises(ValueError, match=r"counted\.toml: \[production\] has other keys"):
        counts_of(Size.PRODUCTION, file)


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert replaced(text) == text, "write it anew with `make docs`"
    with pytest.raises(ValueError, match="has nothing between"):
        replaced("a page without a place")


def test_the_picture_is_current_and_has_every_curve_on_it() -> None:
    drawn = picture(curves())
    assert PICTURE.read_text(encoding="utf-8") == drawn, "write it anew with `make docs`"
    lines = ET.fromstring(drawn).findall("{*}polyline")
    assert len(lines) == 4
    for line in lines:
        heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
        assert heights == sorted(heights, reverse=True), "dearer is higher"
        assert min(heights) >= 40


def test_statements_are_asked_as_often_as_dagster_says() -> None:
    schedules = {each.name: each for each in defs.schedules or []}
    for name, times in SMALL_A_DAY.items():
        if name in schedules:
            schedule = schedules[name]
            assert isinstance(schedule, dg.ScheduleDefinition)
            assert times_a_day(str(schedule.cron_schedule)) == times


def test_the_state_that_is_billed_is_a_warm_one_of_six_metrics() -> None:
    assert item_bytes(warm_state(NOON_MS)) == pytest.approx(STATE_BYTES, rel=0.03)


def test_the_command_prints_services_alternatives_and_what_is_free() -> None:
    printed = CliRunner().invoke(app, ["--devices", "10", "--size", "prototype"], env={"COLUMNS": "200"})
    assert printed.exit_code == 0, printed.output
    for text in ("Athena", "crawlers instead of partition projection", "first year", "within", "beyond", "Assumed:"):
        assert text in printed.output
    assert re.search(r"all +│ +\d", printed.output)


def test_json_has_every_line_with_its_source() -> None:
    printed = CliRunner().invoke(app, ["--devices", "1000", "--json"])
    content = json.loads(printed.output)
    assert sum(line["usd"] for line in content["lines"]) == pytest.approx(content["usd_a_month"])
    assert all(line["source"] and line["date"] and line["confidence"] for line in content["lines"])
    assert content["alternatives"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--devices", "0"], "devices = 0: expected"),
        (["--size", "huge"], "size = 'huge': expected one of prototype, team, production"),
        (["--environment", "prod"], "environment = 'prod': expected one that environments.toml has: "),
        (["--pack", "5000"], "choose fewer readings a message"),
    ],
)
def test_the_command_refuses_in_a_sentence(arguments: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert said in refused.stderr
