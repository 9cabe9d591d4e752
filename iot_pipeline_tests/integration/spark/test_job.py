"""The Glue job as Dagster runs it: under its role, from its package; killed and resumed; failed by name."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest

from infra.local.servers.local_spark import MISSING, is_installed
from infra.local.session.platform import Platform
from iot_pipeline.contract import tables
from iot_pipeline.definitions import defs
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.partitions import partition_key
from iot_pipeline.settings import deployment
from iot_pipeline.spark.building import unjudged
from iot_pipeline_tests.integration.spark.test_rows import hashes
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import RawZone, build

pytestmark = pytest.mark.skipif(not is_installed(), reason=MISSING)
Z = tables()
# A step of a run is waited for so long: Spark starts in seconds, on a busy machine in a minute.
WAIT_SECONDS = 300.0


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as opened:
        yield opened


def run(instance: dg.DagsterInstance, first: Hour, last: Hour) -> dg.ExecuteInProcessResult:
    """The Dagster job over these arrival hours."""
    config = {"ops": {"backfill_by_spark": {"config": {"first": partition_key(first), "last": partition_key(last)}}}}
    job = defs.resolve_job_def("spark_backfill")
    return job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)


def test_a_backfill_is_built_reported_and_then_done(
    platform: Platform, instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour, dagster_hour + 1]
    for hour in hours:
        fill(raw, hour)
    result = run(instance, *hours)
    assert result.success
    event_hours = lake.touched(hours)
    assert lake.stale(event_hours) == []
    assert balanced(lake, hours, event_hours)
    for asset, expected in (("judged_telemetry", hours), ("quarantined_telemetry", hours)):
        found = instance.get_materialized_partitions(dg.AssetKey(asset))
        assert found == {partition_key(hour) for hour in expected}
    assert {it.check_name for it in result.get_asset_check_evaluations() if it.passed} >= {
        "received_equals_valid_plus_quarantined",
        "valid_equals_curated_plus_duplicates",
        "keys_are_unique",
    }
    by_spark = hashes(lake, hours, event_hours)
    assert unjudged(lake, Objects(boto3.client("s3")), hours) == []
    before = lake.catalog.partitions(Z.ledger.name, hours)
    assert run(instance, *hours).success
    assert lake.catalog.partitions(Z.ledger.name, hours) == before, "a backfill that is done does nothing"
    build(lake, hours)
    assert hashes(lake, hours, event_hours) == by_spark, "Athena builds the same"


def test_killed_three_times_nothing_is_lost_or_doubled(
    platform: Platform, instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + n for n in range(3)]
    for hour in hours:
        fill(raw, hour)
    objects = Objects(boto3.client("s3"))

    def has_written(prefix: str) -> Callable[[], bool]:
        before = {it.uri for it in objects.at(f"s3://{lake.bucket}/{prefix}")}
        return lambda: bool({it.uri for it in objects.at(f"s3://{lake.bucket}/{prefix}")} - before)

    for prefix in (Z.judged_telemetry.prefix, Z.quarantined_telemetry.prefix, Z.curated_telemetry.prefix):
        killed_when(instance, hours, has_written(prefix))
    assert run(instance, hours[0], hours[-1]).success
    event_hours = lake.touched(hours)
    by_spark = hashes(lake, hours, event_hours)
    assert balanced(lake, hours, event_hours)
    build(lake, hours)
    assert hashes(lake, hours, event_hours) == by_spark


def balanced(lake: Lake, arrivals: list[Hour], event_hours: list[Hour]) -> bool:
    """Whether both books balance, by Athena."""
    by_arrival, by_event = lake.arrival_balances(arrivals), lake.event_balances(event_hours)
    return all(it.balances for it in by_arrival) and all(it.balances for it in by_event)


def killed_when(instance: dg.DagsterInstance, hours: list[Hour], reached: Callable[[], bool]) -> None:
    """Run the job in a thread of its own, and stop Glue's run as soon as it has got somewhere."""
    glue, job = boto3.client("glue"), deployment().spark_job
    before = {it["Id"] for it in glue.get_job_runs(JobName=job)["JobRuns"]}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, instance, hours[0], hours[-1])
        waited_for(reached)
        started: Any = [it["Id"] for it in glue.get_job_runs(JobName=job)["JobRuns"] if it["Id"] not in before]
        glue.batch_stop_job_run(JobName=job, JobRunIds=started)
        assert not running.result(WAIT_SECONDS).success


def waited_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the run got nowhere"
        time.sleep(0.1)
