"""What the clock starts: the hourly closing build and the daily clean-up."""

from datetime import UTC, datetime, timedelta

import boto3
import dagster as dg

from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.judged.assets import judge, quarantined_telemetry
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.lake.cleanup import clean_up
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import LakeResource
from iot_pipeline.settings import policy

# More unknown names than these are only counted and logged.
LISTED_NAMES = 100

closing_build = dg.define_asset_job(
    "closing_build",
    selection=[judge, quarantined_telemetry, curated_telemetry],
    description="Builds one hour from raw to curated: judges its arrivals, counts their ledger, curates its events.",
)


@dg.schedule(
    job=closing_build,
    cron_schedule="10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Ten minutes after an hour has closed, when Firehose has flushed it, builds it once more.",
)
def close_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """The hour that closed last."""
    closed = Hour.of(context.scheduled_execution_time.astimezone(UTC) - timedelta(hours=1))
    return dg.RunRequest(partition_key=partition_key(closed))


@dg.op
def remove_old_versions(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    """Remove replaced versions older than the retention, and abandoned build tables."""
    opened = lake.open()
    retention = timedelta(hours=policy().retained_versions_hours)
    since = _cleaned_until(context.instance, retention, datetime.now(UTC))
    removed = clean_up(
        boto3.client("s3"),
        opened.catalog,
        opened.bucket,
        opened.contract,
        retention,
        context.log.info,
        since,
    )
    for name in removed.unknown:
        context.log.warning(f"left alone, since no build gives such a name: {name!r}")  # noqa: G004  # Dagster's log takes a text
    context.add_output_metadata(
        {
            "versions built since": since.isoformat() if since else "ever",
            "versions": removed.versions,
            "objects": removed.objects,
            "bytes": removed.bytes,
            "build tables": removed.tables,
            "unknown names": len(removed.unknown),
            "left alone": markdown_table(("name",), [(name,) for name in removed.unknown[:LISTED_NAMES]]),
        }
    )


def _cleaned_until(instance: dg.DagsterInstance, retention: timedelta, now: datetime) -> datetime | None:
    """Versions that were built before this moment (UTC) have been looked at; None if all are to be looked at.

    The first clean-up of a week (ISO 8601, UTC) goes through everything, as does the first of all. The others take up
    where the last one that succeeded ended, so that a failed one leaves nothing out.
    """
    done = dg.RunsFilter(job_name=clean_up_job.name, statuses=[dg.DagsterRunStatus.SUCCESS])
    records = instance.get_run_records(done, limit=1)
    started = records[0].start_time if records else None
    if started is None:
        return None
    last = datetime.fromtimestamp(started, UTC)
    return last - retention if last.isocalendar()[:2] == now.isocalendar()[:2] else None


@dg.job(name="clean_up", description="Removes replaced versions of partitions that no reader needs any more.")
def clean_up_job() -> None:
    """The job has one step, for all zones."""
    remove_old_versions()


daily_clean_up = dg.ScheduleDefinition(
    name="daily_clean_up",
    job=clean_up_job,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
