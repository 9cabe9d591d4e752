"""The function as the stack deploys it on the local AWS, called by its command line, and killed in the middle."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from rich.console import Console

from infra.local.demo.pulled_vendor import FORM, deploy_vendor
from infra.local.session.platform import Platform
from iot_pipeline_tests.support.emulator import eventually, processes_of
from iot_pipeline_tests.support.pulled import OAUTH_SECRET, vendor_of, weather
from simulator.vendor_api import VendorApi, dripping, serving

NAME = "deployed"
HOURS = 3


@dataclass
class Deployed:
    """The vendor, its function and the hours that it has data of."""

    api: VendorApi
    function: str
    first: datetime
    last: datetime
    bucket: str

    @property
    def command(self) -> list[str]:
        """The back-fill of all hours."""
        span = [self.first.isoformat(), self.last.isoformat()]
        return [sys.executable, "-m", "iot_pipeline.pull", "backfill", NAME, *span]

    def landed(self) -> dict[str, list[dict[str, Any]]]:
        """The readings of each object of the raw zone that the function has written."""
        s3 = boto3.client("s3")
        found = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="raw/telemetry/"):
            for each in page.get("Contents", ()):
                if f"/pull-{NAME}-" in each["Key"]:
                    body = gzip.decompress(s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read())
                    lines = [json.loads(line) for line in body.splitlines()]
                    found[each["Key"]] = [reading for line in lines for reading in line["readings"]]
        return found


@pytest.fixture(scope="module")
def deployed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The stack Pull beside the session's platform, with one vendor whose schedule does not come round."""
    folder = tmp_path_factory.mktemp("vendors")
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    first = last - timedelta(hours=HOURS)
    with serving(weather(round(first.timestamp() * 1000), HOURS)) as api:
        vendor_of(folder, FORM, api.url, last.isoformat(), NAME)
        deploy_vendor(NAME, folder, OAUTH_SECRET, Console(quiet=True))
        bucket = platform.deployed.outputs["LakeBucket"]
        yield Deployed(api, f"telemetry-pull-{NAME}", first, last, bucket)


def test_a_back_fill_by_the_command_line_lands_each_reading_once(
    platform: Platform, deployed: Deployed, environment: dict[str, str]
) -> None:
    ran = subprocess.run(deployed.command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    sent = sorted(each.values["temp_f"] for each in deployed.api.observations)
    landed = deployed.landed()
    assert sorted(reading["temperature"] for readings in landed.values() for reading in readings) == sent
    assert len(landed) == sum(-(-10 // 4) for _ in range(HOURS))
    assert f"up to {deployed.last:%F %R} UTC" in ran.stdout
    wrong = subprocess.run(
        [*deployed.command[:-1], (deployed.last + timedelta(minutes=1)).isoformat()],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert wrong.returncode == 2
    assert "read in windows of 60 minutes since midnight UTC: begin and end at one" in wrong.stderr.replace("\n", " ")
    assert len(deployed.landed()) == len(landed)
    # Killed while the vendor drips, the function leaves its lease; a second call beside it is told so.
    deployed.api.faults.append(dripping(0.2))
    asked = len(deployed.api.asked)
    with subprocess.Popen(deployed.command, env={**os.environ, **environment}, stdout=subprocess.PIPE) as command:
        assert eventually(lambda: len(deployed.api.asked) > asked + 1, 60)
        running = processes_of(platform.emulator.pid, deployed.function)
        assert running
        for process in running:
            process.kill()
        command.wait(120)
    client = boto3.client("lambda")
    span = {"from_ms": round(deployed.first.timestamp() * 1000), "to_ms": round(deployed.last.timestamp() * 1000)}
    event = {"backfill": {**span, "resource": "observations"}}
    answer = client.invoke(FunctionName=deployed.function, Payload=json.dumps(event).encode())
    (did,) = json.loads(answer["Payload"].read())["resources"]
    assert did["is_busy"]
