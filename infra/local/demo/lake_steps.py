"""What the demos of all sizes do: a fleet publishes, Dagster builds the lake, and the lake's books are made up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from infra.local.demo import lake_figures
from infra.local.demo.report import Report
from infra.local.demo.steps import Steps
from infra.local.session import fleet_commands
from infra.local.session.dagster_runs import curate_stale_hours, judge_arrivals, record_arrivals
from infra.local.session.fleet_commands import FAULTS
from infra.local.session.platform import Platform
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource
from simulator.manifest import ExpectedLedger, expected_ledger


@dataclass(frozen=True)
class Scale:
    """How much a demo sends: a day's backlog in large packs, then a while of live readings."""

    devices: int = 200
    tenants: int = 4
    sites: int = 5
    backlog_readings: int = 1_000_000
    backlog_pack: int = 25
    live_rate: int = 500
    live_pack: int = 5
    live_seconds: int = 45


def onboard(steps: Steps, platform: Platform, scale: Scale) -> None:
    """Make the fleet and let it in."""
    with steps.step(f"onboarding {scale.devices} devices, each with its own certificate"):
        fleet_commands.onboard(platform.state_dir / "fleet", scale.devices, scale.tenants, scale.sites)


def publish_backlog(steps: Steps, platform: Platform, scale: Scale) -> None:
    """Publish a day's history."""
    with steps.step(f"publishing a backlog of 24 hours, {scale.backlog_readings:,} readings, every fault on"):
        options = ["--history", "24h", "--readings", str(scale.backlog_readings), "--pack", str(scale.backlog_pack)]
        fleet_commands.publish(platform, platform.state_dir / "fleet", *options, *FAULTS)


def publish_live(steps: Steps, platform: Platform, scale: Scale, *more: str) -> datetime:
    """Publish for a while, with `more` options of the simulator; when it began."""
    began = datetime.now(UTC)
    with steps.step(f"publishing live, {scale.live_rate:,} readings/s for {scale.live_seconds} s, every fault on"):
        options = ["--rate", str(scale.live_rate), "--duration", f"{scale.live_seconds}s"]
        options += ["--pack", str(scale.live_pack), *FAULTS, *more]
        fleet_commands.publish(platform, platform.state_dir / "fleet", *options)
    return began


def wait_until_landed(steps: Steps, platform: Platform, what: str) -> tuple[ExpectedLedger, int]:
    """What the devices truly sent, and how many of the messages are in the raw zone when all are or no more come."""
    expected = expected_ledger(platform.state_dir / "fleet" / "out")
    with steps.step(what):
        arrivals = lake_figures.arrival_hours(steps.started_at)
        return expected, lake_figures.wait_for_messages(LakeResource().open().athena, arrivals, expected.messages)


def build_lake(steps: Steps, instance: dg.DagsterInstance) -> tuple[list[Hour], list[Hour]]:
    """Judge and curate all that has landed; the arrival hours and the event hours."""
    with steps.step("Dagster: raw hours from S3 notifications, ledger, quarantine"):
        arrivals = record_arrivals(instance)
        judge_arrivals(instance, arrivals)
    with steps.step("Dagster: curated event hours, as the ledger asks for them"):
        event_hours, _ = curate_stale_hours(instance)
    return arrivals, sorted(set(event_hours))


def lake_report(
    steps: Steps,
    landed: tuple[ExpectedLedger, int],
    live_since: datetime,
    arrivals: list[Hour],
    event_hours: list[Hour],
    query_runs: int = 1,
) -> Report:
    """The report of what every size has. `query_runs`: how often curated is asked, of which the fastest counts."""
    lake, since = LakeResource().open(), steps.started_at - timedelta(days=1)
    expected, messages = landed
    return Report(
        expected=expected,
        landed_messages=messages,
        raw_bytes=sum(size for size, _ in lake_figures.raw_objects(lake.bucket, arrivals).values()),
        arrivals=lake.arrival_balances(arrivals),
        events=[b for b in lake_figures.event_balances(lake, event_hours) if b.valid or b.built.rows],
        quarantined=lake_figures.quarantined(lake, arrivals),
        device_to_s3=lake_figures.device_to_s3(lake, arrivals, live_since),
        s3_to_curated=lake_figures.s3_to_curated(lake, arrivals),
        raw_query=lake_figures.query_figure(lake.athena, lake_figures.raw_query(arrivals, since), 1),
        curated_query=lake_figures.query_figure(lake.athena, lake_figures.curated_query(since), query_runs),
    )
