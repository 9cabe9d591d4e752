"""`python -m infra.local.bench.producer`: a producer at full speed, whose stream refuses a share of the records.

A local AWS of its own takes the stacks from the lake to the intake. A process apart sends, with the role's credentials;
this one counts what has reached the raw zone, message by message, against what was acknowledged.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console

from infra.local.bench.producing import BACKEND, DEVICES
from infra.local.deploy.deployment import deploy_assembly
from infra.local.deploy.synth import synthesise
from infra.local.emulator.process import start_emulator
from infra.local.emulator.streams.throttling import TAG
from infra.local.servers.checkout import CHECKOUT
from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment
from infra.stacks.producers.roles import TAG as TAG_OF_BACKENDS
from iot_pipeline.contract.envelope import DEVICE, TRACE
from iot_pipeline.contract.layout import RAW
from iot_pipeline.registry import things
from iot_pipeline.registry.registration import Request

PARTS = ("Lake", "Ingest", "EdgeData", "Edge", "Intake")
# Firehose buffers for 60 s on AWS.
_INTERVAL_SCALE, _POLL_SECONDS = 0.05, 0.2


def main() -> int:
    """Run it and print the figures; 0 if nothing that was acknowledged is missing."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.bench.producer")
    parser.add_argument("--rate", type=int, default=10_000, help="messages a second (10,000)")
    parser.add_argument("--seconds", type=int, default=30, help="for how long (30)")
    parser.add_argument("--throttled", type=float, default=5.0, help="percent of PutRecords' records refused (5)")
    parser.add_argument("--wait", type=int, default=600, help="seconds to wait for the raw zone (600)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="iot-bench-"))
    try:
        return _measure(folder, options, Console())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, options: argparse.Namespace, console: Console) -> int:
    emulator = start_emulator(
        folder / "state", firehose_interval_scale=_INTERVAL_SCALE, kinesis_poll_seconds=_POLL_SECONDS
    )
    try:
        os.environ.update(emulator.environment)
        boto3.setup_default_session()
        assembly = synthesise(CHECKOUT / ".local")
        outputs = deploy_assembly(assembly, Console(quiet=True), PARTS).outputs
        config = environment(PlatformConfig().name)
        producer = config.producers[0]
        for number in range(DEVICES):
            request = Request(f"bench-{number}", producer.tenant, producer.sites[0], "climate")
            things.create_thing(boto3.client("iot"), request, things.DeviceKind())
        name = config.producer(producer.name)
        for stream in (name, outputs["StreamName"]):
            boto3.client("kinesis").add_tags_to_stream(StreamName=stream, Tags={TAG: str(options.throttled)})
        _make_backend(producer.name)
        told = _sender(folder, name, options)
        console.print(
            f"sent {told['sent']:,} messages in {told['seconds']:.1f} s ({told['sent'] / told['seconds']:,.0f}/s), "
            f"on the stream after {told['flushed']:.1f} s; {told['acknowledged']:,} acknowledged, "
            f"{told['repeated']:,} records repeated; resident memory {told['start_mib']:.0f} MiB at the start, "
            f"at most {told['peak_mib']:.0f} MiB"
        )
        return _compare(told, outputs["LakeBucket"], options.wait, console)
    finally:
        emulator.stop()


def _make_backend(producer: str) -> None:
    """The backend's own role: with the tag by which it may take on the producer's."""
    account, iam = boto3.client("sts").get_caller_identity()["Account"], boto3.client("iam")
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    iam.create_role(
        RoleName=BACKEND, AssumeRolePolicyDocument=_document(trust), Tags=[{"Key": TAG_OF_BACKENDS, "Value": producer}]
    )
    iam.put_role_policy(RoleName=BACKEND, PolicyName="producers", PolicyDocument=_document(allowed))


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _sender(folder: Path, stream: str, options: argparse.Namespace) -> dict[str, Any]:
    module = [sys.executable, "-m", "infra.local.bench.producing"]
    arguments = [stream, str(folder / "spool.db"), str(options.rate), str(options.seconds)]
    ran = subprocess.run([*module, *arguments], stdout=subprocess.PIPE, cwd=CHECKOUT, check=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _compare(told: dict[str, Any], bucket: str, wait: int, console: Console) -> int:
    """Every message has a number of its own: those that are in the raw zone, against all."""
    began, found, seen = time.monotonic(), Counter[int](), set[str]()
    while len(found) < told["acknowledged"] and time.monotonic() - began < wait:
        time.sleep(2)
        for line in _new_lines(bucket, seen):
            if not line[DEVICE.name].startswith("bench-") or not line[TRACE.name]:
                raise ValueError(f"a line of nobody: {line}")
            found[line["readings"][0]["seq"]] += 1
    missing = told["acknowledged"] - len(found)
    console.print(
        f"in the raw zone {time.monotonic() - began:.0f} s later: {len(found):,} messages, {missing:,} missing, "
        f"{found.total() - len(found):,} twice, in {len(seen)} objects"
    )
    return 1 if missing else 0


def _new_lines(bucket: str, seen: set[str]) -> Iterator[dict[str, Any]]:
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RAW):
        for key in (each["Key"] for each in page.get("Contents", []) if each["Key"] not in seen):
            seen.add(key)
            body = gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            yield from map(json.loads, body.splitlines())


if __name__ == "__main__":
    sys.exit(main())
