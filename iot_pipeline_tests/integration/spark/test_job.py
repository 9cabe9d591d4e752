"""The Glue job as Dagster runs it: under its role, from its package; killed and run again, its books exact."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import psutil
import pytest

from infra.local.servers.local_spark import MISSING, is_installed
from infra.local.session.platform import Platform
from iot_pipeline.contract import tables
from iot_pipeline.definitions import defs
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import spark_job
from iot_pipeline.spark.building import unjudged
from iot_pipeline_tests.integration.spark.test_rows import hashes
from iot_pipeline_tests.support.hours import fill
from iot_pipeline_tests.support.messages import RawZone, build

# A run takes half a minute, and on a machine that has forty other processes to run six; a test is up to four of them.
pytestmark = [pytest.mark.skipif(not is_installed(), reason=MISSING), pytest.mark.timeout(3600)]
Z = tables()
# A step of a run is waited for so long.
WAIT_SECONDS = 900.0


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
    assert reported(instance) == published(hours, event_hours)
    assert {it.check_name for it in result.get_asset_check_evaluations() if it.passed} >= {
        "received_equals_valid_plus_quarantined",
        "valid_equals_curated_plus_duplicates",
        "keys_are_unique",
    }
    by_spark = hashes(lake, hours, event_hours)
    assert unjudged(lake, Objects(boto3.client("s3")), hours) == []
    before = lake.catalog.partitions(Z.ledger.name, hours)
    again = run(instance, *hours)
    assert again.success
    assert lake.catalog.partitions(Z.ledger.name, hours) == before, "a backfill that is done does nothing"
    assert again.get_asset_materialization_events() == [], "and reports nothing again"
    assert again.get_asset_check_evaluations() == []
    build(lake, hours)
    assert hashes(lake, hours, event_hours) == by_spark, "Athena builds the same"


def test_killed_three_times_nothing_is_lost_or_doubled(
    platform: Platform, instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    """Before anything is published; with the ledger published alone; with the quarantine published too."""
    hours = [dagster_hour + n for n in range(3)]
    for hour in hours:
        fill(raw, hour)
    objects = Objects(boto3.client("s3"))

    def has_written(prefix: str) -> Callable[[], bool]:
        before = {it.uri for it in objects.at(f"s3://{lake.bucket}/{prefix}")}
        return lambda: bool({it.uri for it in objects.at(f"s3://{lake.bucket}/{prefix}")} - before)

    zones = (Z.judged_telemetry, Z.quarantined_telemetry, Z.curated_telemetry)
    for zone, expected in zip(zones, (0, 0, len(hours)), strict=True):
        killed_when(instance, hours, has_written(zone.prefix))
        assert len(lake.catalog.partitions(Z.quarantined_telemetry.name, hours)) == expected
    assert run(instance, hours[0], hours[-1]).success
    event_hours = lake.touched(hours)
    assert reported(instance) == published(hours, event_hours)
    by_spark = hashes(lake, hours, event_hours)
    assert balanced(lake, hours, event_hours)
    build(lake, hours)
    assert hashes(lake, hours, event_hours) == by_spark


def test_what_a_dagster_run_that_was_ended_could_not_report_the_next_reports(
    platform: Platform,
    instance: dg.DagsterInstance,
    lake: Lake,
    raw: RawZone,
    dagster_hour: Hour,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(raw, dagster_hour)
    followed = spark_job._followed

    def ended(*arguments: Any) -> None:
        followed(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(spark_job, "_followed", ended)
    assert not run(instance, dagster_hour, dagster_hour).success
    monkeypatch.undo()
    event_hours = lake.touched([dagster_hour])
    assert lake.stale(event_hours) == []
    assert not any(reported(instance).values())
    result = run(instance, dagster_hour, dagster_hour)
    assert result.success
    assert reported(instance) == published([dagster_hour], event_hours)
    assert all(it.passed for it in result.get_asset_check_evaluations())


def reported(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    """The partitions of each asset of which Dagster has an event."""
    names = (Z.judged_telemetry.name, Z.ledger.name, Z.quarantined_telemetry.name, Z.curated_telemetry.name)
    return {name: set(instance.get_materialized_partitions(dg.AssetKey(name))) for name in names}


def published(arrivals: list[Hour], event_hours: list[Hour]) -> dict[str, set[str]]:
    """The partitions that a backfill of these arrival hours publishes."""
    of_arrivals, of_events = ({partition_key(hour) for hour in hours} for hours in (arrivals, event_hours))
    names = (Z.judged_telemetry.name, "ledger", Z.quarantined_telemetry.name)
    return {**dict.fromkeys(names, of_arrivals), Z.curated_telemetry.name: of_events}


def balanced(lake: Lake, arrivals: list[Hour], event_hours: list[Hour]) -> bool:
    """Whether both books balance, by Athena."""
    by_arrival, by_event = lake.arrival_balances(arrivals), lake.event_balances(event_hours)
    return all(it.balances for it in by_arrival) and all(it.balances for it in by_event)


def killed_when(instance: dg.DagsterInstance, hours: list[Hour], reached: Callable[[], bool]) -> None:
    """Run the job in a thread of its own, and kill its process and its Java as soon as it has got somewhere."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, instance, hours[0], hours[-1])
        waited_for(reached)
        # The script leads a process group; the workers end with their Java.
        os.killpg(process_of_job().pid, signal.SIGKILL)
        assert not running.result(WAIT_SECONDS).success


def process_of_job() -> psutil.Process:
    """The script of the one run that is under way, a child of the local AWS."""
    found = [process for process in psutil.Process().children(recursive=True) if _is_script(process)]
    assert len(found) == 1, found
    return found[0]


def _is_script(process: psutil.Process) -> bool:
    try:
        given = process.cmdline()
        return (
            any(part.startswith("--dagster-pipes-context") for part in given) and os.getpgid(process.pid) == process.pid
        )
    # Others of the local AWS's processes end at any time.
    except (psutil.Error, ProcessLookupError):
        return False


def waited_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the run got nowhere"
        time.sleep(0.1)
