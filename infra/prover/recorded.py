"""The calls that were recorded from a demo and from tests: where in the product, which operation, on what.

`recorded_calls.tsv` is written by `make prove-record` and read by the prover, which so needs no platform. A resource
is told by the stack's part and the logical id of its template, so that it is found in every environment, with what is
in it after a slash: an index, a key of S3 down to its zone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.prover import physical_names
from infra.prover.deployed import Environment, Resource
from infra.stacks.config import PlatformConfig
from iot_pipeline.contract import layout

FILE = Path(__file__).with_name("recorded_calls.tsv")
_HEADER = "# Made by `make prove-record`: who (a function, or the outermost module), site, operation, on what."
# What boto3's parameters name, in the order in which they are looked for, and the type of that resource.
_NAMES: Mapping[str, str] = {
    "Bucket": "AWS::S3::Bucket",
    "DatabaseName": "AWS::Glue::Database",
    "TableName": "AWS::DynamoDB::Table",
    "QueueUrl": "AWS::SQS::Queue",
    "TopicArn": "AWS::SNS::Topic",
    "StreamName": "AWS::Kinesis::Stream",
    "StreamARN": "AWS::Kinesis::Stream",
    "FunctionName": "AWS::Lambda::Function",
    "SecretId": "AWS::SecretsManager::Secret",
    "WorkGroup": "AWS::Athena::WorkGroup",
    "UserPoolId": "AWS::Cognito::UserPool",
    "Name": "AWS::Glue::Crawler",
}
# Beside the lake's, what a mapping gives up on (AWS Lambda guide, "Retain discarded batch records for a Kinesis Data
# Streams event source in Lambda").
_OF_LAMBDA = "aws/lambda/"
_ZONES = (_OF_LAMBDA, *sorted((zone for name, zone in vars(layout).items() if name.isupper()), key=len, reverse=True))
# The names of iot_pipeline_tests/support, which has the edge in pieces.
_OF_TESTS = re.compile(r"edge-[0-9a-f]{8}(-(?P<role>[a-z-]+))?|(?P<secret>channels-[0-9a-f]{8})")
_OWN_RUN = re.compile(r"_\d{8}t\d{6}_[0-9a-f]{8}$")


@dataclass(frozen=True, order=True)
class Recorded:
    """One line of the file."""

    who: str
    site: str
    call: str
    on: str


def read_recorded(file: Path = FILE) -> list[Recorded]:
    """What the file holds. Raises ValueError for a line that is none."""
    lines = file.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    for number, row in enumerate(rows, 2):
        if len(row) != len(Recorded.__dataclass_fields__):
            raise ValueError(f"{file.name}, line {number}: expected four columns; run make prove-record")
    return [Recorded(*row) for row in rows]


def write_recorded(folder: Path, environment: Environment, file: Path = FILE) -> int:
    """Make the file of what a run has recorded in a folder; how many lines that are.

    Raises ValueError, and leaves the file as it is, for a folder in which nothing was recorded.
    """
    paths = list(folder.glob("*.jsonl"))
    if not paths:
        raise ValueError(f"{folder} holds no recorded call (*.jsonl): expected the folder that RECORDED_CALLS named")
    rows = sorted({row for path in paths for row in _rows(path, environment)})
    text = "\n".join([f"{row.who}\t{row.site}\t{row.call}\t{row.on}" for row in rows])
    file.write_text(f"{_HEADER}\n{text}\n", encoding="utf-8")
    return len(rows)


def _rows(path: Path, environment: Environment) -> Iterator[Recorded]:
    for line in path.read_text(encoding="utf-8").splitlines():
        made = json.loads(line)
        who = _part("AWS::Lambda::Function", deployed_name(environment.config, made["who"]), environment) or made["who"]
        site = made["site"].partition(".<locals>")[0]
        for on in _resources(made["on"], environment):
            yield Recorded(who, site, made["call"], on)


def _resources(on: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    """What a call was on; nothing where a test has made something that the deployment does not have."""
    if "Tables" in on:
        for each in on["Tables"]:
            name, colon, kind = each.partition(":")
            yield from _placed("TableName", name, {}, f"#{kind}" if colon else "", environment)
        return
    if "DatabaseName" in on:
        table = str(on.get("TableName", on.get("Name", "")))
        yield from _placed("DatabaseName", on["DatabaseName"], {}, f"/{_OWN_RUN.sub('*', table)}", environment)
        return
    if "thingName" in on or "policyName" in on:
        yield "thing/*" if "thingName" in on else f"policy/{environment.config.device_policy}"
        return
    for name in _NAMES:
        if name in on:
            yield from _placed(name, str(on[name]), on, _inside(on), environment)
            return
    yield "*"


def _placed(parameter: str, name: str, on: Mapping[str, Any], inside: str, environment: Environment) -> Iterator[str]:
    short = re.split("[/:]", name)[-1]
    key = str(on.get("Key", on.get("Prefix", "")))
    part = _part(_NAMES[parameter], deployed_name(environment.config, short, parameter, key), environment)
    if part:
        yield part + inside


def _inside(on: Mapping[str, Any]) -> str:
    if "IndexName" in on:
        return f"/index/{on['IndexName']}"
    for kind in ("Key", "Prefix"):
        if "Bucket" in on and kind in on:
            return f"/{zone_of(str(on[kind]))}"
    return ""


def zone_of(key: str) -> str:
    """A key's zone with an asterisk; below none, its first folder."""
    zone = next((zone for zone in _ZONES if key.startswith(zone)), None)
    if zone is None:
        zone = key.split("/", 1)[0] + "/" if "/" in key else key
    return f"{zone}*"


def deployed_name(config: PlatformConfig, name: str, parameter: str = "FunctionName", key: str = "") -> str:
    """What is called so in the deployment: tests make tables, topics and queues of their own, in the same roles."""
    own = _OF_TESTS.fullmatch(name)
    if own is None:
        return name
    if own["secret"]:
        return config.channels_secret
    return {
        "StreamName": "Stream",
        "StreamARN": "Stream",
        "Bucket": config.failure_bucket if key.startswith("aws/") else config.lake_bucket,
        "TableName": config.alerts_table if own["role"] == "alerts" else config.device_state_table,
        "TopicArn": config.alert_topic(own["role"] or ""),
        "FunctionName": config.edge_function(own["role"] or ""),
        "QueueUrl": {
            "invocation": config.dead_letters("edge"),
            "rule": "RuleErrors",
        }.get(own["role"], config.dead_letters("alert")),
    }.get(parameter, name)


def part_of(environment: Environment, resource: Resource) -> str:
    """A resource as the record names it, `Part.LogicalId`."""
    return f"{resource.stack.removeprefix(environment.config.stack(''))}.{resource.logical_id}"


def _part(kind: str, name: str, environment: Environment) -> str:
    """The resource, as the record names it, that a name of the local AWS means, empty if there is none."""
    for resource in environment.of_type(kind):
        named = physical_names.named(kind, resource.properties)
        generated = f"{resource.stack}-{resource.logical_id}-".lower()
        alone = not named and resource.logical_id.startswith(name)
        if name == named or alone or (not named and name.lower().startswith(generated)):
            return part_of(environment, resource)
    return ""
