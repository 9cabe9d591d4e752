"""What S3 moves and removes by itself, against what the platform promises to keep."""

from typing import Any

import aws_cdk as cdk
import pytest

from infra.stacks.config import PlatformConfig
from infra.stacks.environments import environment, environments
from infra.stacks.feature_flags import RECOMMENDED
from infra.stacks.lake.lifecycle import settled_days
from infra.stacks.lake.stack import LakeStack
from iot_pipeline.contract import CONTRACT, layout, tables
from iot_pipeline.contract.tables import registry_history
from iot_pipeline.settings import Policy, Retention
from iot_pipeline_tests.support.templates import of_type, template

# What no rule may remove while it is current: tables, and what they are judged and accounted by.
KEPT = {
    *(table.prefix for table in (*tables().all, *registry_history())),
    layout.REGISTRY,
    layout.REMOVALS,
    layout.EDGE_RULES,
    layout.DBT_DOCS,
    "backfills/",
}


def lake(made: dict[str, Any]) -> dict[str, Any]:
    buckets = [b["Properties"] for b in of_type(made, "AWS::S3::Bucket").values()]
    (found,) = (b for b in buckets if "-lake-" in b.get("BucketName", ""))
    properties: dict[str, Any] = found
    return properties


def of_config(config: PlatformConfig) -> dict[str, Any]:
    app = cdk.App(context=dict(RECOMMENDED), analytics_reporting=False)
    stack = LakeStack(app, config, CONTRACT)
    made: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return made


def synthesised(**settings: Any) -> dict[str, Any]:
    return of_config(PlatformConfig(**settings))


def rules(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {rule["Id"]: rule for rule in lake(made)["LifecycleConfiguration"]["Rules"]}


def transitions(rule: dict[str, Any]) -> list[tuple[str, int]]:
    return [(t["StorageClass"], t["TransitionInDays"]) for t in rule["Transitions"]]


def test_raw_goes_to_colder_classes_that_are_read_without_a_restore() -> None:
    found = rules(template("TelemetryLake"))
    assert transitions(found["raw-to-colder-storage"]) == [("STANDARD_IA", 33), ("GLACIER_IR", 93)]
    for zone in ("judged", "quarantine", "curated", "daily"):
        assert transitions(found[f"{zone}-tiered"]) == [("INTELLIGENT_TIERING", 33)]
    classes = {name for rule in found.values() if "Transitions" in rule for name, _ in transitions(rule)}
    assert classes.isdisjoint({"GLACIER", "DEEP_ARCHIVE"}), "a rebuild would wait hours for a restore"


def test_nothing_is_moved_that_a_late_reading_may_still_change_or_that_is_too_small_to_pay_for_it() -> None:
    for rule in rules(template("TelemetryLake")).values():
        if "Transitions" in rule:
            assert min(days for _, days in transitions(rule)) > CONTRACT.lateness_bound.days
            assert rule["ObjectSizeGreaterThan"] == 128 * 1024
    assert settled_days(PlatformConfig(lateness_days=90)) == 93


@pytest.mark.parametrize(("kept", "classes"), [(0, 2), (182, 1), (183, 2), (1830, 2)])
def test_raw_that_goes_before_it_would_have_paid_for_glacier_stays_where_it_is(kept: int, classes: int) -> None:
    """Glacier Instant Retrieval bills at least 90 days: whoever keeps raw for half a year would pay for more."""
    assert len(transitions(rules(synthesised(retention_days=kept))["raw-to-colder-storage"])) == classes


def test_only_what_can_be_made_again_expires() -> None:
    found = rules(template("TelemetryLake"))
    expired = {r["Prefix"]: r["ExpirationInDays"] for r in found.values() if "ExpirationInDays" in r}
    assert expired == {"athena-results/": 7, "tmp/": 1, "failed-delivery/": 90, "unload/": 1}
    assert found["deleted-and-overwritten"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert found["abandoned-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}


@pytest.mark.parametrize("name", [*environments(), "telemetry"])
def test_in_no_environment_does_s3_remove_what_is_current_of_a_zone(name: str) -> None:
    """It knows neither legal holds nor books: what is past its retention Dagster removes, and writes down."""
    found = rules(of_config(environment(name)))
    for rule in found.values():
        if "ExpirationInDays" in rule or "ExpirationDate" in rule:
            prefix = rule.get("Prefix", "")
            assert not [zone for zone in KEPT if zone.startswith(prefix) or prefix.startswith(zone)], rule["Id"]


@pytest.mark.parametrize("name", environments())
def test_what_dagster_is_told_to_keep_it_can_be_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = environment(name)
    for variable, value in config.dagster_variables.items():
        monkeypatch.setenv(variable, value)
    retention = Retention()
    policy = Policy(lateness_days=config.lateness_days, future_hours=config.future_hours)
    assert policy.build_interval_minutes == config.build_interval_minutes
    assert retention.check(policy) is retention
    kept = {zone: None if time is None else time.days for zone, time in retention}
    assert set(kept.values()) == {config.retention_days or None}


def test_production_keeps_five_years_and_the_team_s_size_everything() -> None:
    assert environment("production").retention_days == 5 * 366
    assert PlatformConfig().dagster_variables == {"IOT_BUILD_INTERVAL_MINUTES": "5"}


def test_a_lock_is_of_the_whole_bucket_and_an_authorised_erasure_can_go_past_it() -> None:
    assert "ObjectLockConfiguration" not in lake(template("TelemetryLake"))
    locked = lake(synthesised(object_lock_days=7))
    assert locked["ObjectLockEnabled"] is True
    assert locked["ObjectLockConfiguration"]["Rule"] == {"DefaultRetention": {"Days": 7, "Mode": "GOVERNANCE"}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"retention_days": 30}, "retention_days must be 0 or at least 91: 30"),
        ({"object_lock_days": 8}, "object_lock_days must be 0 to noncurrent_days, 7: 8"),
        ({"object_lock_days": -1}, "object_lock_days must be 0 to noncurrent_days"),
    ],
)
def test_what_cannot_be_kept_is_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PlatformConfig(**wrong)  # type: ignore[arg-type]  # keys of one type among fields of several
