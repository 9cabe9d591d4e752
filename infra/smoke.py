"""`python -m infra.smoke ENVIRONMENT`: one device of the simulator, from its registration to the raw zone, on AWS.

It makes a thing and a certificate, publishes for a minute over MQTT with its own key, looks for what it sent in the raw
zone, and removes thing and certificate whatever has happened. The registry does not hear of it, and its tenant and site
are no one's: its readings stay in the lake as those of `smoke`. Exit code 0 if all of them arrived.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment, environments
from iot_pipeline.contract.layout import RAW

# Firehose's minute, and as much again for what is slow that day.
PATIENCE_S = 300
_READINGS_A_SECOND, _SECONDS = 2, 60
# Amazon's public authorities, which AWS IoT Core's certificates are signed by (AWS IoT developer guide, "Server
# authentication"); Amazon Linux has them among the system's.
_AUTHORITIES = "/etc/ssl/certs/ca-bundle.crt"
# What is attached counts within seconds (AWS IoT developer guide, "AWS IoT Core policies", eventual consistency).
_ATTACHED_S, _LOOK_S = 10, 10
TENANT = "smoke"


def main(arguments: list[str]) -> int:
    """Run the test, and answer with the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.smoke", description=__doc__.splitlines()[0])
    parser.add_argument("environment", choices=tuple(environments()), help="of infra/environments.toml")
    parser.add_argument("--ca", default=_AUTHORITIES, help="the authorities that the broker's certificate is signed by")
    asked = parser.parse_args(arguments)
    config = environment(asked.environment)
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder:
        device = one_device(Path(folder), f"{config.name}-smoke-{int(time.time())}")
        iot = boto3.client("iot")
        with registered(iot, config, device, Path(folder)):
            time.sleep(_ATTACHED_S)
            host = iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
            began = datetime.now(UTC)
            options = ["--endpoint", f"{host}:8883", "--ca", asked.ca, "--topic-root", config.topic_root]
            _simulator("run", folder, *options, "--rate", str(_READINGS_A_SECOND), "--duration", f"{_SECONDS}s")
        sent = int(json.loads(_simulator("summary", f"{folder}/out", "--json"))["readings"])
    s3 = boto3.client("s3")
    found = wait_for(sent, lambda: arrived(s3, config, device, began), time.sleep)
    print(f"{device}: {sent} readings sent, {found} in the raw zone")
    return 0 if sent and found == sent else 1


def one_device(fleet: Path, device: str) -> str:
    """A fleet of one device under a name of its own, of the tenant `smoke`; its key and signing request are made."""
    _simulator("enrol", str(fleet), "--devices", "1", "--tenants", "1", "--sites", "1")
    written = json.loads((fleet / "fleet.json").read_bytes())
    drawn = written["devices"][0]["device_id"]
    written["devices"][0] |= {"device_id": device, "tenant": TENANT, "site": TENANT}
    (fleet / "fleet.json").write_text(json.dumps(written))
    for suffix in ("key", "csr"):
        (fleet / "devices" / f"{drawn}.{suffix}").rename(fleet / "devices" / f"{device}.{suffix}")
    return device


@contextmanager
def registered(iot: Any, config: PlatformConfig, device: str, fleet: Path) -> Iterator[None]:
    """The device is a thing with a certificate and the devices' policy for as long as this lasts."""
    csr = (fleet / "devices" / f"{device}.csr").read_text()
    signed = iot.create_certificate_from_csr(certificateSigningRequest=csr, setAsActive=True)
    arn, identity = signed["certificateArn"], signed["certificateId"]
    (fleet / "devices" / f"{device}.crt").write_text(signed["certificatePem"])
    with ExitStack() as undo:
        undo.callback(iot.delete_certificate, certificateId=identity)
        undo.callback(iot.update_certificate, certificateId=identity, newStatus="REVOKED")
        attributes = {"attributes": {"tenant": TENANT, "site": TENANT}}
        iot.create_thing(thingName=device, thingTypeName=config.thing_type, attributePayload=attributes)
        undo.callback(iot.delete_thing, thingName=device)
        iot.attach_policy(policyName=config.device_policy, target=arn)
        undo.callback(iot.detach_policy, policyName=config.device_policy, target=arn)
        iot.attach_thing_principal(thingName=device, principal=arn)
        undo.callback(iot.detach_thing_principal, thingName=device, principal=arn)
        yield


def arrived(s3: Any, config: PlatformConfig, device: str, since: datetime) -> int:
    """How many readings of a device are in the raw objects that are newer than a moment."""
    readings = 0
    hours = {since.replace(minute=0) + timedelta(hours=n) for n in range(2)}
    for hour in hours:
        prefix = f"{RAW}{hour:year=%Y/month=%m/day=%d/hour=%H}/"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=config.lake_bucket, Prefix=prefix):
            for listed in page.get("Contents", []):
                if listed["LastModified"] >= since:
                    body = s3.get_object(Bucket=config.lake_bucket, Key=listed["Key"])["Body"].read()
                    readings += _readings(body, device)
    return readings


def wait_for(expected: int, count: Callable[[], int], sleep: Callable[[float], None]) -> int:
    """What is counted once it is as much as was expected, or when patience is at its end."""
    for _ in range(PATIENCE_S // _LOOK_S):
        if (found := count()) >= expected:
            return found
        sleep(_LOOK_S)
    return count()


def _readings(body: bytes, device: str) -> int:
    text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()
    messages = [json.loads(line) for line in text.splitlines() if device in line]
    return sum(len(message.get("readings", [])) for message in messages if message.get("iot_device") == device)


def _simulator(*arguments: str) -> bytes:
    run = subprocess.run([sys.executable, "-m", "simulator", *arguments], stdout=subprocess.PIPE, check=True)
    return run.stdout


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
