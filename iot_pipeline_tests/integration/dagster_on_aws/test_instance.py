"""Dagster's instance as on AWS, started from its file on a real PostgreSQL, with its logs in S3."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import psycopg
import pytest
import yaml
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager

from infra.local.servers.checkout import CHECKOUT
from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.alerting.trackers import TrackerStore, Watched
from iot_pipeline.connections.edge import open_alerts
from iot_pipeline.defs.dagster_internals import events_after, newest_event
from iot_pipeline.defs.ops.event_log import prune
from iot_pipeline.defs.pipeline_alerts.failed_runs import cause_of
from iot_pipeline.defs.pipeline_alerts.sensors import Look
from iot_pipeline.defs.raw.assets import raw_telemetry

LOCAL: dict[str, Any] = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())
ON_AWS: dict[str, Any] = yaml.safe_load((CHECKOUT / "infra/images/dagster.yaml").read_text())


@pytest.fixture
def instance(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    name, postgres = f"dagster_{uuid.uuid4().hex[:8]}", platform.postgres
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    bucket = name.replace("_", "-")
    s3: Any = boto3.client("s3")
    region = s3.meta.region_name
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    for variable, value in (
        ("HOST", "127.0.0.1"),
        ("USER", "postgres"),
        ("PASSWORD", postgres.password),
        ("DB", name),
    ):
        monkeypatch.setenv(f"DAGSTER_POSTGRES_{variable}", value)
    monkeypatch.setenv("DAGSTER_LOGS_BUCKET", bucket)
    monkeypatch.setenv("DAGSTER_RUN_TASK_DEFINITION", "telemetry-run")
    # What the machine of a test cannot have: Aurora's port, its certificate and IAM, and a cluster of ECS.
    made = {name: value for name, value in ON_AWS.items() if name != "run_launcher"}
    storage = {**made["storage"]["postgres"]["postgres_db"], "port": postgres.port, "params": {}}
    storage["password"] = {"env": "DAGSTER_POSTGRES_PASSWORD"}
    made["storage"] = {"postgres": {"postgres_db": storage}}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(made))
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


def test_what_is_not_about_aws_is_as_on_one_machine() -> None:
    for name in ("telemetry", "nux", "run_coordinator", "run_retries", "sensors", "schedules", "retention"):
        assert ON_AWS[name] == LOCAL[name], name
    assert ON_AWS["concurrency"]["pools"] == LOCAL["concurrency"]["pools"]
    assert set(ON_AWS) - set(LOCAL) == {"storage", "compute_logs", "run_launcher"}


def test_storage_is_signed_in_to_by_iam_and_verified_against_the_authorities_of_the_image() -> None:
    storage = ON_AWS["storage"]["postgres"]
    assert set(storage["auth_provider"]) == {"aws_wif"}
    assert "password" not in storage["postgres_db"]
    assert storage["postgres_db"]["params"] == {"sslmode": "verify-full", "sslrootcert": "/opt/certificates/rds.pem"}


def test_the_launcher_registers_no_task_definition() -> None:
    assert ON_AWS["run_launcher"]["config"]["task_definition"] == {"env": "DAGSTER_RUN_TASK_DEFINITION"}
    assert ON_AWS["run_monitoring"]["start_timeout_seconds"] == 600


@dg.op
def speaks(context: dg.OpExecutionContext) -> None:
    context.log.info("heard")


@dg.op
def breaks() -> None:
    raise ValueError("the disk is full")


@dg.asset
def made() -> None:
    pass


@dg.job
def talk() -> None:
    speaks()


@dg.job
def nightly() -> None:
    breaks()


def test_runs_events_and_pools_are_kept_in_postgresql_and_logs_in_s3(instance: dg.DagsterInstance) -> None:
    assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
    assert isinstance(instance.compute_log_manager, S3ComputeLogManager)
    result = talk.execute_in_process(instance=instance)
    assert instance.get_run_by_id(result.run_id) is not None
    instance.event_log_storage.set_concurrency_slots("judge", 1)
    assert instance.event_log_storage.claim_concurrency_slot("judge", result.run_id, "step").is_claimed
    assert not instance.event_log_storage.claim_concurrency_slot("judge", result.run_id, "another").is_claimed


def test_what_reads_the_event_log_by_storage_id_does_so_here_too(instance: dg.DagsterInstance) -> None:
    before = newest_event(instance)
    evaluation = dg.AssetCheckEvaluation(asset_key=raw_telemetry.key, check_name="c", passed=False, metadata={})
    for _ in range(3):
        instance.report_runless_asset_event(evaluation)
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    found = events_after(instance, kind, before, 2)
    assert len(found) == 2
    assert len(events_after(instance, kind, found[-1].storage_id, 10)) == 1


class Apart(TrackerStore):
    """With items of this test's own."""

    name = uuid.uuid4().hex[:8]

    def load(self, name: str) -> Watched:
        return super().load(f"{name}-{self.name}")


def test_alerts_of_the_pipeline_are_raised_here_too(instance: dg.DagsterInstance) -> None:
    store = Apart(boto3.client("dynamodb"), settings.edge().alerts_table)
    look = Look(instance, store, open_alerts(), None, {}, {})
    assert look.run(datetime.now(UTC)) == (0, 0)
    nightly.execute_in_process(instance=instance, raise_on_error=False)
    failed = dg.AssetCheckEvaluation(asset_key=dg.AssetKey(Apart.name), check_name="c", passed=False, metadata={})
    instance.report_runless_asset_event(failed)
    assert look.run(datetime.now(UTC)) == (2, 0)
    assert look.run(datetime.now(UTC)) == (0, 0)


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"])
def test_old_runs_are_silent_and_their_outcome_stays(
    storage: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kept, everything = timedelta(days=30), dg.RunsFilter()
    # Instances end in the order opposite to their beginning: Dagster's own context knows the last one.
    with ExitStack() as stack:
        instance: dg.DagsterInstance = (
            stack.enter_context(dg.instance_for_test(temp_dir=str(tmp_path)))
            if storage == "sqlite"
            else request.getfixturevalue("instance")
        )
        spoken = talk.execute_in_process(instance=instance)
        broken = nightly.execute_in_process(instance=instance, raise_on_error=False)
        built = dg.materialize([made], instance=instance)
        before = len(instance.all_logs(spoken.run_id))
        assert list(prune(instance, datetime.now(UTC), kept)) == [], "they have just ended"
        later = datetime.now(UTC) + kept + timedelta(hours=1)
        ((runs, events),) = prune(instance, later, kept)
        assert runs == 3
        assert events > 10
        assert list(prune(instance, later, kept)) == [], "it goes on where it ended"
        assert instance.get_runs_count(everything) == 3
        assert 3 < len(instance.all_logs(spoken.run_id)) < before
        assert "heard" not in [entry.user_message for entry in instance.all_logs(spoken.run_id)]
        cause = cause_of(instance, broken.dagster_run, None)
        assert cause.words == "ValueError: the disk is full", "why it failed is still known"
        assert instance.get_latest_materialization_event(made.key) is not None
        assert built.run_id in {entry.run_id for entry in instance.all_logs(built.run_id)}
