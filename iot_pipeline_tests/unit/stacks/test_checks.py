"""Static checks of the templates, and proof that each of them finds a planted mistake."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns
from cfnlint.api import lint

from infra.stacks.assembly import build
from infra.stacks.checks import CHECKS, Synthesised, findings_of, read_assembly
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import FILE, environment
from infra.stacks.sizes import QUANTITIES, Size
from infra.verdict.acknowledged import acknowledgements, without_accepted
from infra.verdict.planted.catalogue import MISTAKES
from infra.verdict.planted.mistake import Mistake, first_places
from iot_pipeline_tests.support.templates import STACKS, assembly, nag_findings, of_type, template, whole

Template = dict[str, Any]


@cache
def synthesised(name: str = "telemetry") -> Synthesised:
    return read_assembly(assembly(name=name), environment(name))


def linted(made: Template) -> list[str]:
    return [f"{match.rule.id} {match.message}" for match in lint(json.dumps(made), regions=["eu-west-1"])]


def first(made: Template, resource_type: str) -> Any:
    return next(iter(of_type(made, resource_type).values()))["Properties"]


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_finds_nothing(stack: str) -> None:
    assert linted(template(stack)) == []


def test_cfn_lint_finds_a_planted_mistake() -> None:
    made = template("TelemetryLake")
    first(made, "AWS::Kinesis::Stream")["RetentionPeriodHour"] = 48
    assert any("RetentionPeriodHour" in line for line in linted(made))


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    assert nag_findings(build(tmp_path, whole())) == []


def test_cdk_nag_finds_nothing_in_production_nor_without_a_domain(tmp_path: Path) -> None:
    production: dict[str, Any] = {"size": Size.PRODUCTION, **QUANTITIES[Size.PRODUCTION]}
    assert nag_findings(build(tmp_path / "production", whole(**production))) == []
    assert nag_findings(build(tmp_path / "headless", PlatformConfig())) == []


def test_cdk_nag_finds_a_planted_mistake(tmp_path: Path) -> None:
    app = build(tmp_path, PlatformConfig())
    ingest = app.node.find_child("TelemetryIngest")
    assert isinstance(ingest, cdk.Stack)
    sns.Topic(ingest, "Unencrypted")
    assert set(nag_findings(app)) == {"AwsSolutions-SNS3"}


@pytest.mark.parametrize("stack", STACKS)
def test_own_checks_find_nothing_in_a_template_alone(stack: str) -> None:
    # Which database a table is in, and which endpoint leads where, is known of the whole environment alone.
    alone = Synthesised({stack: template(stack)}, whole())
    assert without_accepted(findings_of(alone), acknowledgements(assembly()), assembly())[0] == []


@pytest.mark.parametrize("name", ["telemetry", "trial"])
def test_own_checks_find_nothing_in_an_environment(name: str) -> None:
    folder = assembly(name=name)
    assert without_accepted(findings_of(synthesised(name)), acknowledgements(folder), folder) == ([], [])


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m.says.replace(" ", "-") for m in MISTAKES])
def test_a_planted_mistake_is_caught_wherever_it_sits(mistake: Mistake) -> None:
    places = first_places(mistake, map(synthesised, ("telemetry", "trial")))
    assert places, "there is nothing that the mistake could sit on"
    assert [(o.stack, o.resource) for o in places if not o.caught] == []


def test_every_own_check_has_a_planted_mistake() -> None:
    assert {check.__name__ for check in CHECKS} == {mistake.check for mistake in MISTAKES}


def test_no_two_mistakes_are_called_the_same() -> None:
    assert len({mistake.says for mistake in MISTAKES}) == len(MISTAKES)


def test_the_configuration_s_quantities_are_judged_too(tmp_path: Path) -> None:
    """A quantity that breaks a promise is found, though the templates follow from it without a mistake."""
    careless = PlatformConfig(noncurrent_days=1, stream_retention_hours=24, registry_backup_days=3)
    build(tmp_path, careless).synth()
    judged = findings_of(read_assembly(tmp_path, careless))
    found = {finding.check for finding in without_accepted(judged, acknowledgements(tmp_path), tmp_path)[0]}
    assert found == {
        "what_was_overwritten_can_come_back",
        "the_stream_outlasts_a_fault",
        "databases_are_protected",
    }


def test_in_another_partition_no_arn_is_of_this_one(tmp_path: Path) -> None:
    build(tmp_path, PlatformConfig(region="us-gov-west-1")).synth()
    for path in tmp_path.glob("*.template.json"):
        assert "arn:aws:" not in path.read_text(), path.name


def test_no_source_of_the_stacks_writes_a_partition() -> None:
    for path in sorted((FILE.parent / "stacks").rglob("*.py")):
        assert '"arn:aws:' not in path.read_text(), path
