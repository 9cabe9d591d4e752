"""The platform's templates, synthesised once for all tests and workers: starting node and jsii takes seconds."""

import copy
import fcntl
import hashlib
import json
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.stacks import environments
from infra.stacks.assembly import build
from infra.stacks.config import DEFAULT_NAME, PlatformConfig
from iot_pipeline.contract import CONTRACT, Contract
from iot_pipeline_tests.support.assemblies import SHARED_ASSEMBLIES

Resources = dict[str, dict[str, Any]]
STACKS = (
    "TelemetryNetwork",
    "TelemetryLake",
    "TelemetryIngest",
    "TelemetryQueries",
    "TelemetryEdgeData",
    "TelemetryEdge",
    "TelemetryIntake",
    "TelemetryPull",
    "TelemetryConsoleData",
    "TelemetryWarehouse",
    "TelemetryImages",
    "TelemetryServiceNetwork",
    "TelemetryOrchestrationData",
    "TelemetryOrchestration",
    "TelemetryEntrance",
    "TelemetryConsole",
    "TelemetrySecurity",
    "TelemetryObservability",
    "TelemetryUpkeep",
    "TelemetryStreaming",
    "TelemetrySpark",
)


def whole(name: str = DEFAULT_NAME, **settings: Any) -> PlatformConfig:
    """An environment as `environments.toml` has it, with all stacks that its size can have, and these settings."""
    return replace(environments.whole(name), **settings)


@cache
def assembly(contract: Contract = CONTRACT, name: str = DEFAULT_NAME) -> Path:
    """The folder of the synthesised cloud assembly of an environment; not to be changed, others read it as well.

    An environment is one of `environments.toml`, or one of the size `team` that nothing else is said of.
    """
    shared = Path(os.environ[SHARED_ASSEMBLIES])
    out = shared / f"{name}-{hashlib.sha256(repr(contract).encode()).hexdigest()[:16]}"
    with (shared / f"{out.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            made = shared / f"{out.name}.new"
            build(made, whole(name), contract).synth()
            made.rename(out)
    return out


@cache
def _text(stack: str) -> str:
    return (assembly() / f"{stack}.template.json").read_text()


def template(stack: str) -> dict[str, Any]:
    """A copy of a stack's template, to be changed at will."""
    made: dict[str, Any] = json.loads(_text(stack))
    return copy.deepcopy(made)


def assertions(stack: str) -> Template:
    """A stack's template for aws_cdk.assertions."""
    return Template.from_json(template(stack))


def of_type(made: dict[str, Any], resource_type: str) -> Resources:
    """A template's resources of one type by logical id."""
    return {name: r for name, r in made["Resources"].items() if r["Type"] == resource_type}


def nag_findings(app: cdk.App) -> list[str]:
    """The rules of cdk-nag's AwsSolutions pack that the app breaks, warnings included; synthesises the app."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text())
    return [violation["ruleName"] for plugin in report["pluginReports"] for violation in plugin["violations"]]
