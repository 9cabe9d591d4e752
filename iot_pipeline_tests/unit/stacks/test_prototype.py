"""The size `prototype`: nothing in it costs by the hour or the month, and its rules write what Firehose would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.stacks.assembly import build
from infra.stacks.environments import environment
from infra.stacks.ingest.direct import OBJECT_KEY
from iot_pipeline.contract.layout import RAW
from iot_pipeline_tests.support.templates import assembly, nag_findings, of_type

# What bills while nothing is sent: streams by the hour, keys by the month, databases, addresses, secrets.
_STANDING = (
    "AWS::KMS::",
    "AWS::Kinesis::",
    "AWS::KinesisFirehose::",
    "AWS::EC2::",
    "AWS::RDS::",
    "AWS::Redshift",
    "AWS::ECS::",
    "AWS::ElasticLoadBalancing",
    "AWS::SecretsManager::",
    "AWS::CloudWatch::Dashboard",
    "AWS::Config::",
    "AWS::CloudTrail::",
)


def templates() -> dict[str, dict[str, Any]]:
    found = {p.name.removesuffix(".template.json"): p for p in assembly(name="trial").glob("*.template.json")}
    return {name: json.loads(path.read_text()) for name, path in found.items()}


def test_it_is_the_lake_its_way_in_and_its_queries() -> None:
    assert set(templates()) == {"TrialLake", "TrialIngest", "TrialQueries"}


@pytest.mark.parametrize("kind", _STANDING)
def test_nothing_costs_while_nothing_is_sent(kind: str) -> None:
    found = [r["Type"] for made in templates().values() for r in made["Resources"].values()]
    assert not [each for each in found if each.startswith(kind)]


def test_its_alarms_are_within_those_that_are_always_free() -> None:
    """Ten (CloudWatch pricing page, "Free tier")."""
    found = [r["Type"] for made in templates().values() for r in made["Resources"].values()]
    assert 0 < found.count("AWS::CloudWatch::Alarm") <= 10


def test_both_rules_write_each_message_to_the_hour_of_its_arrival() -> None:
    made = templates()["TrialIngest"]
    rules = of_type(made, "AWS::IoT::TopicRule").values()
    assert len(rules) == 2
    for rule in rules:
        payload = rule["Properties"]["TopicRulePayload"]
        (action,) = payload["Actions"]
        assert action["S3"]["Key"] == OBJECT_KEY
        assert action["S3"]["Key"].startswith(RAW)
        # Two readings of the clock could fall on both sides of an hour's end.
        assert action["S3"]["Key"].count("timestamp()") == 1
        assert "Sqs" in payload["ErrorAction"], "what a rule cannot write is kept"


def test_the_rules_may_add_raw_objects_and_nothing_else() -> None:
    made = templates()["TrialIngest"]
    (policy,) = (p for name, p in of_type(made, "AWS::IAM::Policy").items() if name.startswith("RuleRole"))
    allowed = {s["Action"]: s["Resource"] for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert set(allowed) == {"s3:PutObject", "sqs:SendMessage"}
    assert f"/{RAW}*" in json.dumps(allowed["s3:PutObject"])


def test_what_is_at_rest_is_encrypted_all_the_same() -> None:
    buckets = of_type(templates()["TrialLake"], "AWS::S3::Bucket").values()
    for bucket in buckets:
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    groups = of_type(templates()["TrialQueries"], "AWS::Athena::WorkGroup").values()
    for group in groups:
        results = group["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"]
        assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}


def test_cdk_nag_finds_nothing(tmp_path: Path) -> None:
    assert nag_findings(build(tmp_path, environment("trial"))) == []


def test_dagster_loads_what_a_prototype_has_and_no_more() -> None:
    code = (
        "from iot_pipeline.definitions import defs; found = defs.get_repository_def(); "
        "print('\\n'.join(sorted(key.to_user_string() for key in found.assets_defs_by_key)))"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | {"IOT_SIZE": "prototype"},
        capture_output=True,
        text=True,
        check=True,
    )
    lake = ["curated_telemetry", "daily_telemetry", "judged_telemetry", "ledger", "quarantined_telemetry"]
    assert run.stdout.split() == [*lake, "raw_telemetry", "registry_history"]
