"""A producer as the stacks know it: its role's credentials, its devices, and what became of its messages."""

import gzip
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from infra.local.emulator.streams.throttling import TAG
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.lake import Lake
from iot_pipeline.registry import things
from iot_pipeline.registry.registration import Request

PRODUCER, TENANT, SITES = "telemetry-producer-gateway", "acme", ("hamburg", "lyon")
INTAKE = "telemetry-intake"


@dataclass(frozen=True)
class Kept:
    """A refused record, as the bucket has it."""

    reason: str
    device: str
    payload: str


def client_as(role: str, service: str, tag: str = "gateway") -> Any:
    """A client with the credentials of a producer's role, taken on by a backend's that has this tag."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    backend = _backend(account, tag)
    mine = _session(boto3.Session(), backend)
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=8)
    theirs = _session(mine, f"arn:aws:iam::{account}:role/{role}")
    return theirs.client(service, config=config)  # type: ignore[call-overload]  # the service is a variable


def _backend(account: str, tag: str) -> str:
    """The ARN of the role of a backend, with the tag and the permission to take on any role."""
    iam, name = boto3.client("iam"), f"backend-{tag}"
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=_document(trust), Tags=[{"Key": "producer", "Value": tag}]
        )
    iam.put_role_policy(RoleName=name, PolicyName="producers", PolicyDocument=_document(allowed))
    return f"arn:aws:iam::{account}:role/{name}"


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _session(of: boto3.Session, role_arn: str) -> boto3.Session:
    given = of.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="backend")["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def register(devices: Iterable[str], tenant: str = TENANT, site: str = SITES[0]) -> None:
    """Make the things of devices, as the registry does."""
    iot = boto3.client("iot")
    for device in devices:
        things.create_thing(iot, Request(device, tenant, site, "climate"), things.DeviceKind())


def message(device: str, at_ms: int, seq: int, **metrics: float) -> dict[str, Any]:
    """A telemetry message of one reading."""
    return {"v": 1, "device_id": device, "readings": [{"ts": at_ms, "seq": seq, **(metrics or {"temperature": 20.5})}]}


def lines_of(lake: Lake, hours: list[Hour], prefix: str) -> list[dict[str, Any]]:
    """The raw lines of the devices whose names begin so, as JSON, in the order of no matter what."""
    like = f'%"iot_device": "{prefix}%'
    sql = f"SELECT line FROM raw_lines WHERE {partition_predicate(hours)} AND line LIKE '{like}'"
    return [json.loads(row[0]) for row in lake.athena.run(sql).rows]


def refused(bucket: str, prefix: str) -> list[Kept]:
    """The refused records of the devices whose names begin so."""
    s3 = boto3.client("s3")
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="refused/gateway/"):
        for each in page.get("Contents", []):
            for line in s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode().splitlines():
                kept = json.loads(line)
                if kept["device"].startswith(prefix):
                    found.append(Kept(kept["reason"], kept["device"], kept["payload"]))
    return found


@contextmanager
def throttled(streams: Iterable[str], percent: float) -> Iterator[None]:
    """Have streams refuse a share of the records of each PutRecords."""
    kinesis, names = boto3.client("kinesis"), list(streams)
    for name in names:
        kinesis.add_tags_to_stream(StreamName=name, Tags={TAG: str(percent)})
    try:
        yield
    finally:
        for name in names:
            kinesis.remove_tags_from_stream(StreamName=name, TagKeys=[TAG])


def gzipped(payload: dict[str, Any]) -> bytes:
    """A message as gzip."""
    return gzip.compress(json.dumps(payload).encode(), mtime=0)
