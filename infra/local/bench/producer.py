"""`python -m infra.local.bench.producer`: a producer at full speed, whose stream refuses a share of the records.

A local AWS of its own takes the stacks from the lake to the intake. A process apart sends three times: by the bare loop
around boto3's PutRecords and by the library, to a stream that nobody reads, and by the library with the producer's role
to the producer's stream. Of the third this process counts what has reached the raw zone, message by message, against
what was acknowledged.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
from rich.console import Console

from infra.local.bench.bench_session import bench_session
from infra.local.bench.producing import BACKEND, DEVICES, Sent
from infra.local.deploy.deployment import deploy_assembly
from infra.local.deploy.synth import synthesise
from infra.local.emulator.process import start_emulator
from infra.local.emulator.streams.throttling import TAG
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from infra.local.session.leftovers import note_processes
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
# Has no reader.
_UNREAD = "bench-unread"


def main() -> int:
    """Run it and print the figures; 0 if nothing that was acknowledged is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.bench.producer", description="A producer at full speed, on a local AWS of its own."
    )
    parser.add_argument("--rate", type=int, default=10_000, help="messages a second (10,000)")
    parser.add_argument("--seconds", type=int, default=30, help="for how long, of each of three ways (30)")
    parser.add_argument("--throttled", type=float, default=5.0, help="percent of PutRecords' records refused (5)")
    parser.add_argument("--wait", type=int, default=600, help="seconds without a new message until it gives up (600)")
    options = parser.parse_args()
    try:
        with bench_session("producer") as folder:
            return _measure(folder, options, Console(width=160))
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _measure(folder: Path, options: argparse.Namespace, console: Console) -> int:
    emulator = start_emulator(
        folder / "state", firehose_interval_scale=_INTERVAL_SCALE, kinesis_poll_seconds=_POLL_SECONDS
    )
    try:
        note_processes(folder, [emulator.pid])
        os.environ.update(emulator.environment)
        boto3.setup_default_session()
        console.print("deploying the stacks from the lake to the intake")
        streams, bucket = _deployed()
        kinesis = boto3.client("kinesis")
        kinesis.create_stream(StreamName=_UNREAD, ShardCount=1)
        kinesis.get_waiter("stream_exists").wait(StreamName=_UNREAD, WaiterConfig={"Delay": 1})
        for each in (_UNREAD, *streams):
            kinesis.add_tags_to_stream(StreamName=each, Tags={TAG: str(options.throttled)})
        pace = [str(options.rate), str(options.seconds)]
        console.print(f"{options.rate:,} messages/s asked for, {options.seconds} s; {options.throttled:g}% refused")
        _send("bare", _UNREAD, "-", *pace, console=console)
        _send("library", _UNREAD, str(folder / "unread.db"), *pace, console=console)
        before = _cpu_seconds(emulator.pid)
        sent = _send("producer", streams[0], str(folder / "spool.db"), *pace, console=console)
        outcome = _compare(sent.acknowledged, bucket, options.wait, console)
        spent = [(now - then) / sent.acknowledged for now, then in zip(_cpu_seconds(emulator.pid), before, strict=True)]
        console.print(
            f"CPU a message until then: {spent[0] * 1e6:.0f} us of the local AWS, {spent[1] * 1e6:.0f} us of functions"
        )
        return outcome
    finally:
        emulator.stop()


def _deployed() -> tuple[tuple[str, str], str]:
    """Deploy, and let devices and backend in; the producer's and the platform's stream, and the lake's bucket."""
    assembly = synthesise(CHECKOUT / ".local")
    outputs = deploy_assembly(assembly, Console(quiet=True), PARTS).outputs
    config = environment(PlatformConfig().name)
    producer, iot = config.producers[0], boto3.client("iot")
    for number in range(DEVICES):
        request = Request(f"bench-{number}", producer.tenant, producer.sites[0], "climate")
        things.create_thing(iot, request, things.DeviceKind())
    name = config.producer(producer.name)
    _make_backend(producer.name)
    return (name, outputs["StreamName"]), outputs["LakeBucket"]


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


_WAYS = {
    "bare": "the bare loop of PutRecords, nobody reads",
    "library": "the library, nobody reads",
    "producer": "the library, all the way to the raw zone",
}


def _send(way: str, *arguments: str, console: Console) -> Sent:
    """Send by a process of its own, and print what it did."""
    command = [sys.executable, "-m", "infra.local.bench.producing", way, *arguments]
    ran = subprocess.run(command, stdout=subprocess.PIPE, cwd=CHECKOUT, check=True)
    sent = Sent(**json.loads(ran.stdout))
    share = sent.cpu_seconds / sent.flushed
    console.print(
        f"{_WAYS[way]}: {sent.messages:,} messages handed over in {sent.seconds:.1f} s, {sent.acknowledged:,} of them "
        f"acknowledged after {sent.flushed:.1f} s, {sent.acknowledged / sent.flushed:,.0f}/s; "
        f"{sent.cpu_seconds:.1f} CPU s, {share:.0%} of a core, "
        f"{sent.acknowledged / sent.cpu_seconds:,.0f} messages a CPU second; {sent.repeated:,} records repeated; "
        f"resident memory {sent.start_mib:.0f} MiB at the start, at most {sent.peak_mib:.0f} MiB",
        soft_wrap=True,
    )
    return sent


def _cpu_seconds(pid: int) -> tuple[float, float]:
    """What the local AWS has used of the processor so far, and what the processes of its functions have."""
    emulator = psutil.Process(pid)
    own, of_functions = emulator.cpu_times(), [each.cpu_times() for each in emulator.children(recursive=True)]
    return own.user + own.system, sum(each.user + each.system for each in of_functions)


def _compare(acknowledged: int, bucket: str, wait: int, console: Console) -> int:
    """Every message has a number of its own: those that are in the raw zone, against all; 1 unless all are there."""
    began = moved = time.monotonic()
    found, seen = Counter[int](), set[str]()
    while len(found) < acknowledged and time.monotonic() - moved < wait:
        time.sleep(2)
        before = len(found)
        for line in _new_lines(bucket, seen):
            if not line[DEVICE.name].startswith("bench-") or not line[TRACE.name]:
                raise ValueError(f"a line of nobody: {line}")
            found[line["readings"][0]["seq"]] += 1
        if len(found) > before:
            moved = time.monotonic()
            print(f"{len(found):,} messages in the raw zone", file=sys.stderr)
    missing = acknowledged - len(found)
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
