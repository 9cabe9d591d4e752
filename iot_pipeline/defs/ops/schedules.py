"""What the clock starts: the hourly closing build, the daily crawlers and the daily clean-up."""

from datetime import UTC, timedelta

import boto3
import dagster as dg

from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.judged.assets import judge, quarantined_telemetry
from iot_pipeline.lake.cleanup import clean_up
from iot_pipeline.lake.hours import Hour
from iot_pipeline.partitions import partition_key
from iot_pipeline.resources import Crawlers, LakeResource
from iot_pipeline.settings import deployment, policy

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
def crawl_raw(context: dg.OpExecutionContext, crawlers: Crawlers) -> None:
    """Crawl the raw zone, to see whether the form of what devices send has changed."""
    _crawl(context, crawlers, deployment().raw_crawler)


@dg.op
def crawl_curated(context: dg.OpExecutionContext, crawlers: Crawlers) -> None:
    """Crawl the curated zone, to see whether its files still have the table's schema."""
    _crawl(context, crawlers, deployment().curated_crawler)


def _crawl(context: dg.OpExecutionContext, crawlers: Crawlers, name: str) -> None:
    last = crawlers.crawl(name, context.log.info)
    context.log.info(f"crawler {name}: {last['Status']}, started {last['StartTime']}")  # noqa: G004  # Dagster's log takes a text


@dg.job(description="Runs the Glue crawlers of both zones.")
def crawl() -> None:
    """Both zones, side by side."""
    crawl_raw()
    crawl_curated()


@dg.op
def remove_old_versions(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    """Remove replaced versions older than the retention, and abandoned build tables."""
    opened = lake.open()
    removed = clean_up(
        boto3.client("s3"),
        opened.catalog,
        opened.bucket,
        opened.contract,
        timedelta(hours=policy().retained_versions_hours),
        context.log.info,
    )
    context.add_output_metadata(
        {
            "versions": removed.versions,
            "objects": removed.objects,
            "bytes": removed.bytes,
            "build tables": removed.tables,
        }
    )


@dg.job(name="clean_up", description="Removes replaced versions of partitions that no reader needs any more.")
def clean_up_job() -> None:
    """The job has one step, for all zones."""
    remove_old_versions()


daily_crawl = dg.ScheduleDefinition(
    name="daily_crawl",
    job=crawl,
    cron_schedule="30 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
daily_clean_up = dg.ScheduleDefinition(
    name="daily_clean_up",
    job=clean_up_job,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
