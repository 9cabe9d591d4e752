"""The cost of what a change adds or removes, of two assemblies that differ by it."""

import json
import shutil
from pathlib import Path

import pytest

from infra.changes.cost_change import cost_lines
from infra.stacks.environments import environment
from iot_pipeline_tests.support.templates import assembly


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return Path(shutil.copytree(assembly(), tmp_path / "other"))


def test_a_key_more_is_a_dollar_more(other: Path) -> None:
    file = other / "TelemetryLake.template.json"
    made = json.loads(file.read_text())
    made["Resources"]["Another"] = {"Type": "AWS::KMS::Key", "Properties": {}}
    file.write_text(json.dumps(made))
    head, *services = cost_lines(assembly(), other, environment("telemetry"))
    assert "+1.00 dollars a month" in head
    assert services == ["  KMS: +1.00"]


def test_what_goes_saves_and_what_stays_is_not_named(other: Path) -> None:
    (other / "TelemetryEntrance.template.json").unlink()
    head, *services = cost_lines(assembly(), other, environment("telemetry"))
    assert "Cost of what stands: -" in head
    assert [line.partition(":")[0].strip() for line in services] == ["Load balancer"]
    assert cost_lines(assembly(), assembly(), environment("telemetry")) == [
        "Cost of what stands: +0.00 dollars a month (list prices, `make cost`)"
    ]
