"""The sending process of the producer's benchmark: a backend with its role's credentials, and nothing else imported.

`python -m infra.local.bench.producing STREAM SPOOL RATE SECONDS` prints what it measured as JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import psutil

from iot_pipeline.producer.client import Producer

DEVICES, TOGETHER = 1000, 500
BACKEND = "bench-backend"


def main(stream: str, spool: str, rate: int, seconds: int) -> dict[str, Any]:
    """Send so many messages a second; seconds, counts, and resident memory in MiB before the first and at most."""
    kinesis = boto3.client("kinesis", **_credentials(stream))
    process, peak = psutil.Process(), 0
    before = process.memory_info().rss
    began = time.monotonic()
    with Producer(stream, Path(spool), kinesis=kinesis) as producer:
        for number in range(0, rate * seconds, TOGETHER):
            producer.send_many(map(_message, range(number, number + TOGETHER)))
            peak = max(peak, process.memory_info().rss)
            time.sleep(max(0.0, began + (number + TOGETHER) / rate - time.monotonic()))
        sent = time.monotonic() - began
        producer.flush()
        peak = max(peak, process.memory_info().rss)
    return {
        "sent": rate * seconds,
        "seconds": sent,
        "flushed": time.monotonic() - began,
        "acknowledged": producer.acknowledged,
        "repeated": producer.repeated,
        "start_mib": before / 2**20,
        "peak_mib": peak / 2**20,
    }


def _credentials(role: str) -> dict[str, Any]:
    """Those of the producer's role, which is called as its stream, taken on by the backend's."""
    account = boto3.client("sts").get_caller_identity()["Account"]
    given: dict[str, Any] = {}
    for name in (BACKEND, role):
        sts = boto3.client("sts", **given)
        arn = f"arn:aws:iam::{account}:role/{name}"
        found = sts.assume_role(RoleArn=arn, RoleSessionName="bench")["Credentials"]
        given = {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }
    return given


def _message(number: int) -> tuple[str, dict[str, Any]]:
    device, now_ms = f"bench-{number % DEVICES}", int(time.time() * 1000)
    reading = {"ts": now_ms, "seq": number, "temperature": 20 + number % 100 / 10, "humidity": 40.5}
    return device, {"v": 1, "device_id": device, "readings": [reading]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
