"""A code location of the product's names for a former release of Dagster, which cannot load the product's own.

It is for a history as a former deployment has one: a run, its events, a sensor's cursor, switches. It imports nothing
of this checkout, and only what Dagster has had since 1.8.
"""

import dagster as dg


@dg.asset(partitions_def=dg.HourlyPartitionsDefinition("2026-01-01-00:00"))
def curated_telemetry(context: dg.AssetExecutionContext) -> None:
    """Builds nothing, and says so."""
    context.log.info("built by the former release")


@dg.op
def do_nothing() -> None:
    """The step of a job that is there to be asked for."""


@dg.job
def rebuild_event_hours() -> None:
    """Its sensor and its schedule are what is of interest."""
    do_nothing()


@dg.sensor(job=rebuild_event_hours, default_status=dg.DefaultSensorStatus.RUNNING)
def stale_event_hours() -> None:
    """Has a cursor."""


@dg.sensor(job=rebuild_event_hours, default_status=dg.DefaultSensorStatus.RUNNING)
def raw_objects() -> None:
    """Is turned off."""


@dg.schedule(job=rebuild_event_hours, cron_schedule="10 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
def close_hour() -> None:
    """Is turned off."""


defs = dg.Definitions(
    assets=[curated_telemetry],
    jobs=[rebuild_event_hours],
    sensors=[stale_event_hours, raw_objects],
    schedules=[close_hour],
)
