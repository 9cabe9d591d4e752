"""The platform's templates, synthesised once for all tests: starting node and jsii takes seconds."""

import atexit
import copy
import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from infra.stacks.assembly import build
from infra.stacks.config import DEFAULT_NAME, PlatformConfig
from iot_pipeline.contract import CONTRACT, Contract

Resources = dict[str, dict[str, Any]]
STACKS = ("TelemetryNetwork", "TelemetryLake", "TelemetryIngest", "TelemetryQueries", "TelemetryWarehouse")


@cache
def assembly(contract: Contract = CONTRACT, name: str = DEFAULT_NAME) -> Path:
    """The folder of the synthesised cloud assembly of an environment."""
    out = Path(mkdtemp(prefix="cdk-"))
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    build(out, PlatformConfig(name=name), contract).synth()
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
