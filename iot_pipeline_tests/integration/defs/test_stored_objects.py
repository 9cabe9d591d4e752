"""The checks on stored objects as Dagster runs them: for any old hours by a person, for the last ones by the sweep."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import boto3
import dagster as dg
import pytest

from iot_pipeline.definitions import defs
from iot_pipeline.defs.dagster_internals import partition_range_tags
from iot_pipeline.defs.ops.schedules import closing_build
from iot_pipeline.defs.ops.stored_objects import SWEPT_HOURS, audit_stored_objects, sweep_stored_objects
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.partitions import hours_of, partition_key
from iot_pipeline_tests.support.messages import RawZone, build, line, message, reading

CURATED, JUDGED, RAW = "curated_objects_are_as_built", "judged_objects_are_as_built", "raw_objects_are_as_judged"


@pytest.fixture
def instance(lake: Lake) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def _audited(instance: dg.DagsterInstance, hours: Sequence[Hour]) -> dict[str, dg.AssetCheckEvaluation]:
    """The checks of a run of the job over a range of hours."""
    tags = partition_range_tags(partition_key(hours[0]), partition_key(hours[-1]))
    job = defs.resolve_job_def(audit_stored_objects.name)
    result = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def _remove(lake: Lake, table: str, hour: Hour) -> None:
    location = lake.catalog.partitions(table, [hour])[hour].location
    s3, prefix = boto3.client("s3"), location.removeprefix(f"s3://{lake.bucket}/")
    for item in s3.list_objects_v2(Bucket=lake.bucket, Prefix=prefix)["Contents"]:
        s3.delete_object(Bucket=lake.bucket, Key=item["Key"])


def test_old_hours_that_were_tampered_with_fail_their_checks(
    instance: dg.DagsterInstance, lake: Lake, raw: RawZone, dagster_hour: Hour
) -> None:
    hours = [dagster_hour + n for n in range(3)]
    uris = [raw.put(hour, [line(message(reading(hour.start, 1)), hour.start)]) for hour in hours]
    build(lake, hours)
    assert {name: check.passed for name, check in _audited(instance, hours).items()} == dict.fromkeys(
        (CURATED, JUDGED, RAW), True
    )
    _remove(lake, "curated_telemetry", hours[1])
    _remove(lake, "ledger", hours[2])
    raw.delete(uris[0])
    checks = _audited(instance, hours)
    for name, hour, remedy in (
        (CURATED, hours[1], "Materialize the hour of curated_telemetry again"),
        (JUDGED, hours[2], "Judge the arrival hour again (job judge_arrival_hours)"),
        (RAW, hours[0], "Restore the versions in S3, or judge the arrival hour again"),
    ):
        said = checks[name].description or ""
        assert not checks[name].passed
        assert checks[name].severity is dg.AssetCheckSeverity.ERROR
        assert str(hour) in said
        assert remedy in said
        assert partition_key(hour) in str(checks[name].metadata["what is wrong (at most 48)"].value)
    assert (checks[CURATED].blocking, checks[JUDGED].blocking) == (True, True)
    assert str(hours[2]) in (checks[RAW].description or ""), "what the ledger lost, it does not know"


def test_the_sweep_takes_the_hours_that_closed_last(lake: Lake) -> None:
    at = datetime(2026, 3, 9, 12, 55, tzinfo=UTC)
    request = sweep_stored_objects(dg.build_schedule_context(scheduled_execution_time=at))
    assert isinstance(request, dg.RunRequest)
    swept = hours_of(request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end"))
    assert swept == [Hour(datetime(2026, 3, 7, 12, tzinfo=UTC)), Hour(datetime(2026, 3, 9, 11, tzinfo=UTC))]
    assert (swept[1].start - swept[0].start) / timedelta(hours=1) == SWEPT_HOURS - 1
    early = sweep_stored_objects(
        dg.build_schedule_context(scheduled_execution_time=datetime(2026, 1, 1, 2, 55, tzinfo=UTC))
    )
    assert isinstance(early, dg.RunRequest)
    assert early.tags["dagster/asset_partition_range_start"] == "2026-01-01-00:00"


def test_a_build_from_the_ui_or_the_closing_build_runs_the_checks_too(lake: Lake) -> None:
    checks = defs.resolve_job_def(closing_build.name).asset_layer.asset_graph.asset_check_keys
    assert {CURATED, JUDGED} <= {key.name for key in checks}
