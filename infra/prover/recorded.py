"""The calls that were recorded from a demo and from tests: where in the product, which operation, on what.

`recorded_calls.tsv` is written by `make prove-record` and read by the prover, which so needs no platform. A resource
is told by the stack's part and the logical id of its template, so that it is found in every environment, with what is in
it after a slash: an index, a key of S3 down to its zone.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.prover.deployed import Environment, Resource
from infra.prover.physical_names import KINDS
from iot_pipeline.contract import layout

FILE = Path(__file__).with_name("recorded_calls.tsv")
_HEADER = "# Made by `make prove-record`: who (a function, or the outermost module), site, operation, on what."
# What boto3's parameters name, in the order in which they are looked for.
_NAMES = (
    *("Bucket", "TableName", "QueueUrl", "TopicArn", "StreamName", "StreamARN", "FunctionName", "SecretId"),
    *("WorkGroup", "UserPoolId", "logGroupName", "Name"),
)
_ZONES = sorted((value for name, value in vars(layout).items() if name.isupper()), key=len, reverse=True)
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
    """Make the file of what a run has recorded in a folder; how many lines that are."""
    rows = sorted({row for path in folder.glob("*.jsonl") for row in _rows(path, environment)})
    text = "\n".join(["\t".join((row.who, row.site, row.call, row.on)) for row in rows])
    file.write_text(f"{_HEADER}\n{text}\n", encoding="utf-8")
    return len(rows)


def _rows(path: Path, environment: Environment) -> Iterator[Recorded]:
    for line in path.read_text(encoding="utf-8").splitlines():
        made = json.loads(line)
        who = _part(made["who"], environment) or made["who"]
        site = made["site"].partition(".<locals>")[0]
        for on in _resources(made["on"], environment):
            yield Recorded(who, site, made["call"], on)


def _resources(on: dict[str, object], environment: Environment) -> Iterator[str]:
    tables = on.get("Tables")
    if isinstance(tables, list):
        for each in tables:
            name, _, kind = each.partition(":")
            yield _part(name, environment) + (f"#{kind}" if kind else "")
        return
    if "DatabaseName" in on:
        table = str(on.get("TableName", on.get("Name", "")))
        yield f"{_part(str(on['DatabaseName']), environment)}/{_OWN_RUN.sub('*', table)}"
        return
    if "thingName" in on or "policyName" in on:
        yield "thing/*" if "thingName" in on else f"policy/{on['policyName']}"
        return
    for name in _NAMES:
        if name in on:
            yield _part(str(on[name]), environment) + _inside(on)
            return
    yield "*"


def _inside(on: dict[str, object]) -> str:
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


def _part(name: str, environment: Environment) -> str:
    """`Part.LogicalId` of the resource that a name of the local AWS means, empty if there is none."""
    short = re.split("[/:]", name)[-1]
    for resource in _nameable(environment.resources):
        named = str(resource.properties.get(KINDS[resource.type].named_by, ""))
        generated = f"{resource.stack}-{resource.logical_id}-".lower()
        if short == named or (not named and short.lower().startswith(generated)):
            return f"{resource.stack.removeprefix(environment.config.stack(''))}.{resource.logical_id}"
    return ""


def _nameable(resources: Iterable[Resource]) -> Iterator[Resource]:
    # A zone's crawler and the workgroup are called as the database is; what is asked by name is one of these.
    return (resource for resource in resources if resource.type in KINDS and resource.type != "AWS::IAM::Role")
