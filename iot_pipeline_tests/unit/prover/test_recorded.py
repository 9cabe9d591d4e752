"""The record of calls: from the names of a local AWS to places in the templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.prover.deployed import Environment
from infra.prover.recorded import FILE, read_recorded, write_recorded, zone_of
from infra.stacks.environments import environment

TEMPLATE = {
    "Resources": {
        "Lake1": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "telemetry-lake-000000000000-eu-west-1"}},
        "Stream1": {"Type": "AWS::Kinesis::Stream", "Properties": {}},
        "Raw1": {"Type": "AWS::SQS::Queue", "Properties": {}},
    }
}
DATA = {
    "Resources": {
        "Alerts1": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "telemetry-alerts"}},
        "State1": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "telemetry-device-state"}},
    }
}
EDGE = {
    "Resources": {"Sweep1": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "telemetry-edge-sweep"}}}
}


@pytest.fixture
def made() -> Environment:
    return Environment(
        environment("telemetry"), {"TelemetryLake": TEMPLATE, "TelemetryEdgeData": DATA, "TelemetryEdge": EDGE}
    )


def _written(tmp_path: Path, made: Environment, on: dict[str, Any], who: str = "iot_pipeline.edge.sweep") -> list[str]:
    row = {"who": who, "site": "iot_pipeline.a:B.c.<locals>.<lambda>", "call": "s3:GetObject", "on": on}
    (tmp_path / "1.jsonl").write_text(json.dumps(row) + "\n")
    file = tmp_path / "record.tsv"
    write_recorded(tmp_path, made, file)
    return [f"{row.who}|{row.site}|{row.on}" for row in read_recorded(file)]


@pytest.mark.parametrize(
    ("on", "place"),
    [
        (
            {"Bucket": "telemetry-lake-000000000000-eu-west-1", "Key": "raw/telemetry/year=2026/x"},
            "Lake.Lake1/raw/telemetry/*",
        ),
        ({"StreamName": "telemetrylake-stream1-0a1b2c3d"}, "Lake.Stream1"),
        ({"QueueUrl": "http://localhost:4566/000000000000/TelemetryLake-Raw1-0A1B"}, "Lake.Raw1"),
        ({"TableName": "telemetry-alerts", "IndexName": "open"}, "EdgeData.Alerts1/index/open"),
        ({"Tables": ["telemetry-device-state:Put"]}, "EdgeData.State1#Put"),
        ({"thingName": "acme-1"}, "thing/*"),
        # What a test of the edge has made for itself.
        ({"TableName": "edge-0a1b2c3d-alerts"}, "EdgeData.Alerts1"),
        ({}, "*"),
    ],
)
def test_a_name_becomes_a_place(tmp_path: Path, made: Environment, on: dict[str, Any], place: str) -> None:
    assert _written(tmp_path, made, on) == [f"iot_pipeline.edge.sweep|iot_pipeline.a:B.c|{place}"]


def test_a_function_is_told_by_its_place(tmp_path: Path, made: Environment) -> None:
    assert _written(tmp_path, made, {}, who="telemetry-edge-sweep") == ["Edge.Sweep1|iot_pipeline.a:B.c|*"]


def test_what_a_test_has_made_beside_the_deployment_is_left_out(tmp_path: Path, made: Environment) -> None:
    assert _written(tmp_path, made, {"TableName": "somebody-elses"}) == []


def test_a_folder_without_a_record_leaves_the_file_as_it_is(tmp_path: Path, made: Environment) -> None:
    file = tmp_path / "record.tsv"
    file.write_text("kept")
    with pytest.raises(ValueError, match="holds no recorded call"):
        write_recorded(tmp_path / "nothing", made, file)
    assert file.read_text() == "kept"


def test_a_key_is_told_by_its_zone() -> None:
    assert zone_of("registry/sites/a.json") == "registry/sites/*"
    assert zone_of("aws/lambda/x") == "aws/lambda/*"
    assert zone_of("elsewhere/x/y") == "elsewhere/*"


def test_the_file_is_sorted_and_names_no_machine() -> None:
    rows = read_recorded()
    assert rows == sorted(rows)
    assert "localhost" not in FILE.read_text()
    assert "127.0.0.1" not in FILE.read_text()
