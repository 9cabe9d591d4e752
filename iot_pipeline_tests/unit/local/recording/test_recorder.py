"""A process whose calls are recorded, as a function of the local AWS is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.recording.recorder import FOLDER, recording_environment

# Nobody has to answer: what is called is told before it is sent.
PROGRAM = """
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError
never = Config(connect_timeout=0.01, retries={"total_max_attempts": 1})
client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url="http://127.0.0.1:9", config=never)
for _ in range(2):
    try:
        client.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": {}}}])
    except BotoCoreError:
        pass
"""


def test_a_process_tells_each_of_its_calls_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_LAMBDA_FUNCTION_NAME": "telemetry-edge"}
    environment = {**os.environ, **keys, **recording_environment()}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    (file,) = tmp_path.glob("*.jsonl")
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"who": "telemetry-edge", "site": "", "call": "dynamodb:TransactWriteItems", "on": {"Tables": ["t:Put"]}}
    ]


def test_nothing_is_recorded_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    assert recording_environment() == {}
