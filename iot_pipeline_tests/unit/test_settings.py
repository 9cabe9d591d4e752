"""The environment: read once, typed; what is missing or wrong is named."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from iot_pipeline.settings import Deployment, Policy

REQUIRED = {
    "IOT_LAKE_BUCKET": "lake",
    "IOT_RAW_QUEUE_URL": "https://sqs/queue",
    "IOT_ALERTS_TOPIC_ARN": "arn:aws:sns:eu-west-1:000000000000:alerts",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Deployment.model_fields, *Policy.model_fields):
        monkeypatch.delenv(f"IOT_{name.upper()}", raising=False)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)


def test_a_deployment_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOT_ATHENA_WORKGROUP", "builds")
    deployment = Deployment()
    assert (deployment.lake_bucket, deployment.athena_workgroup) == ("lake", "builds")
    assert deployment.glue_database == "telemetry"


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError) as raised:
        Deployment()
    assert name.lower().removeprefix("iot_") in str(raised.value).lower()
    assert "Field required" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("IOT_LATENESS_DAYS", "-1", "greater than 0"),
        ("IOT_LATENESS_DAYS", "a month", "valid number"),
        ("IOT_BUILD_INTERVAL_MINUTES", "0", "greater than or equal to 1"),
        ("IOT_PARTITIONS_START", "2026-01-01T00:00:00", "timezone"),
        ("IOT_RETAINED_VERSIONS_HOURS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_policy_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as raised:
        Policy()
    assert name.lower().removeprefix("iot_") in str(raised.value)
    assert message in str(raised.value)


def test_the_bounds_reach_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOT_LATENESS_DAYS", "5000")
    monkeypatch.setenv("IOT_FUTURE_HOURS", "0.5")
    contract = Policy().contract
    assert (contract.lateness_bound, contract.future_bound) == (timedelta(days=5000), timedelta(minutes=30))
