"""The deployment: synthesise, bring every stack to its template, read back what took effect."""

import re
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from mypy_boto3_cloudformation import CloudFormationClient
from rich.console import Console

from infra.local.deploy.assets import upload
from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.readers import settings
from infra.local.deploy.readback.setting import Setting
from infra.local.deploy.resources import Resource, Stack
from infra.local.deploy.stacks import Deployed, DeployError, deploy_stack, templates
from infra.local.deploy.synth import synthesise
from infra.stacks.config import DEFAULT_NAME

# The stacks of the platform on one machine. The others hold what runs there by itself (Dagster and the console as
# processes), or what only AWS has.
SERVED = ("Network", "Lake", "Ingest", "Queries", "EdgeData", "Edge", "Intake", "ConsoleData", "Warehouse", "Spark")
# An environment's name has one capital, its first letter.
_PART = re.compile("[A-Z][a-z0-9]*([A-Z].*)")


@dataclass(frozen=True)
class DeployResult:
    """What a deployment ended in; every list is for people to read.

    `pruned`: resources left out, because CloudFormation refuses their type or something else serves them.
    `not_applied`: properties that CloudFormation took and the service does not have. `applied_afterwards`: properties
    that were then set through the service's own API, from the same template.
    """

    outputs: dict[str, str]
    pruned: list[str]
    not_applied: list[str]
    applied_afterwards: list[str]


def deploy(state_dir: Path, console: Console, environment: str = DEFAULT_NAME) -> DeployResult:
    """Bring the AWS of the environment (AWS_ENDPOINT_URL, credentials, region) to the templates of the CDK app.

    `environment` names the deployment; several stand side by side.
    A second call with the same sources changes nothing. Raises DeployError when a stack fails, and when a property
    that the telemetry's path depends on did not take effect.
    """
    started = time.monotonic()
    console.print("making the stacks' templates, unless they are there already")
    assembly = synthesise(state_dir, environment)
    console.print(f"templates: {assembly.name[:12]} ({time.monotonic() - started:.1f} s)")
    return deploy_assembly(assembly, console)


def deploy_assembly(assembly: Path, console: Console, parts: Container[str] = SERVED) -> DeployResult:
    """As `deploy`, from a cloud assembly that is there already, and of its stacks those of `parts`."""
    session = boto3.Session()
    cloudformation = _local_cloudformation(session)
    clients = Clients(session)
    result = DeployResult({}, [], [], [])
    if uploaded := upload(clients.s3, assembly):
        console.print(f"packages of functions: {uploaded} uploaded")
    for name, template in templates(assembly).items():
        if part_of(name) not in parts:
            continue
        started = time.monotonic()
        deployed = deploy_stack(cloudformation, clients.s3, name, template)
        console.print(f"{name}: {deployed.change} ({time.monotonic() - started:.1f} s)")
        result.pruned.extend(f"{name}: {line}" for line in deployed.pruned)
        _read_back(_resolved(cloudformation, session, deployed), clients, name, result)
        result.outputs.update(_outputs(cloudformation, name))
    _report(result, console)
    return result


def part_of(stack: str) -> str:
    """The part that a stack is. Raises DeployError for a name that none of ours has."""
    part = _PART.fullmatch(stack)
    if part is None:
        raise DeployError(f"stack {stack} is not called after an environment and a part: see PlatformConfig.stack")
    return part[1]


def _local_cloudformation(session: boto3.Session) -> CloudFormationClient:
    """The client; refuses real AWS, where these templates are deployed with `cdk deploy`."""
    if session.region_name is None:
        raise DeployError("no region: set AWS_REGION and AWS_DEFAULT_REGION (eu-west-1 for the local AWS)")
    client = session.client("cloudformation")
    if client.meta.endpoint_url.endswith(("amazonaws.com", "amazonaws.com.cn")):
        raise DeployError(
            f"this deploys to a local AWS, and the endpoint is {client.meta.endpoint_url}: set AWS_ENDPOINT_URL"
        )
    return client


def _resolved(client: CloudFormationClient, session: boto3.Session, deployed: Deployed) -> list[Resource]:
    resources = client.describe_stack_resources(StackName=deployed.name)["StackResources"]
    identity = session.client("sts").get_caller_identity()
    return Stack(
        account=identity["Account"],
        region=session.region_name,
        template=deployed.template,
        physical_ids={r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources},
        parameters=_parameters(session, deployed.template),
    ).resources()


def _parameters(session: boto3.Session, template: dict[str, Any]) -> dict[str, str]:
    """The values of a template's parameters, each the name of an SSM parameter."""
    ssm = session.client("ssm")
    wanted = template.get("Parameters", {})
    return {name: ssm.get_parameter(Name=p["Default"])["Parameter"]["Value"] for name, p in wanted.items()}


def _read_back(resources: list[Resource], clients: Clients, stack: str, result: DeployResult) -> None:
    """Compare, apply what can be applied, and refuse to go on without what is needed."""
    missing: list[str] = []
    for resource in resources:
        for setting in settings(resource, clients):
            where = f"{stack}: {resource.type} {resource.logical_id}"
            try:
                lines = setting.differences()
            except ClientError as error:
                raise DeployError(
                    f"{where} cannot be read back ({error}); CloudFormation still lists it: reset the local AWS"
                ) from error
            if not lines:
                continue
            result.not_applied.extend(f"{where}: {line}" for line in lines)
            if _applied(setting):
                result.applied_afterwards.append(f"{where}: {setting.property}")
            elif setting.needed:
                missing.extend(f"  {where}: {line}" for line in lines)
    if missing:
        raise DeployError(
            "the local AWS did not take what the telemetry's path depends on:\n"
            + "\n".join(missing)
            + "\ncheck that it is the emulator version this project is written for (ministack 1.5.33)"
        )


def _applied(setting: Setting) -> bool:
    if setting.apply is None:
        return False
    setting.apply()
    return not setting.differences()


def _outputs(client: CloudFormationClient, stack: str) -> dict[str, str]:
    outputs = client.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return {o["OutputKey"]: o["OutputValue"] for o in outputs}


def _report(result: DeployResult, console: Console) -> None:
    """A line for each thing left out, ignored for good, or ignored by CloudFormation and then set by the service."""
    remaining = [line for line in result.not_applied if not line.startswith(tuple(result.applied_afterwards))]
    lines = [f"left out here: {line}" for line in result.pruned]
    lines += [f"not applied by the emulator: {line}" for line in remaining]
    lines += [f"ignored by the emulator's CloudFormation, applied afterwards: {x}" for x in result.applied_afterwards]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
