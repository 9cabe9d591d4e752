"""The demo of the size `prototype`: the rules write straight to S3, and Dagster builds the lake from there at home."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from rich.console import Console

from infra.cost import Fleet, bill
from infra.cost.printed import free_table, services_table
from infra.local.demo import lake_figures
from infra.local.demo.report import Report, print_report
from infra.local.demo.steps import Steps
from infra.local.session import fleet_commands
from infra.local.session.dagster_runs import curate_stale_hours, judge_arrivals, record_arrivals
from infra.local.session.fleet_commands import FAULTS
from infra.local.session.platform import Platform
from infra.stacks.environments import from_process
from iot_pipeline.resources import LakeResource
from simulator.manifest import expected_ledger

# A reading a minute and device, as the bill has it.
INTERVAL_SECONDS = 60


@dataclass(frozen=True)
class SmallScale:
    """Ten devices: a day's backlog, then a while of live readings. Every message becomes an object."""

    devices: int = 10
    tenants: int = 2
    sites: int = 2
    backlog_readings: int = 14_400
    backlog_pack: int = 25
    live_rate: int = 100
    live_pack: int = 5
    live_seconds: int = 15


def run_prototype(platform: Platform, console: Console, scale: SmallScale = SmallScale()) -> bool:
    """Onboard, publish, build and report. True if the ledger balances and equals what the devices truly sent."""
    folder = platform.state_dir / "fleet"
    steps = Steps(console)
    with steps.step(f"onboarding {scale.devices} devices, each with its own certificate"):
        fleet_commands.onboard(folder, scale.devices, scale.tenants, scale.sites)
    with steps.step(f"publishing a backlog of 24 hours, {scale.backlog_readings:,} readings, every fault on"):
        backlog = ["--history", "24h", "--readings", str(scale.backlog_readings), "--pack", str(scale.backlog_pack)]
        fleet_commands.publish(platform, folder, *backlog, *FAULTS)
    live_since = datetime.now(UTC)
    with steps.step(f"publishing live, {scale.live_rate:,} readings/s for {scale.live_seconds} s, every fault on"):
        live = ["--rate", str(scale.live_rate), "--duration", f"{scale.live_seconds}s", "--pack", str(scale.live_pack)]
        fleet_commands.publish(platform, folder, *live, *FAULTS)
    expected = expected_ledger(folder / "out")
    with steps.step("looking for every message in S3, where the rules put each as an object"):
        arrivals = lake_figures.arrival_hours(steps.started_at)
        landed = lake_figures.wait_for_messages(LakeResource().open().athena, arrivals, expected.messages)
    with dg.DagsterInstance.get() as instance:
        with steps.step("Dagster: raw hours from S3 notifications, ledger, quarantine"):
            arrivals = record_arrivals(instance)
            judge_arrivals(instance, arrivals)
        with steps.step("Dagster: curated event hours, as the ledger asks for them"):
            event_hours, _ = curate_stale_hours(instance)
    lake = LakeResource().open()
    with steps.step("checking the books and measuring"):
        since = steps.started_at - timedelta(days=1)
        balances = lake_figures.event_balances(lake, sorted(set(event_hours)))
        report = Report(
            expected=expected,
            landed_messages=landed,
            raw_bytes=sum(size for size, _ in lake_figures.raw_objects(lake.bucket, arrivals).values()),
            arrivals=lake.arrival_balances(arrivals),
            events=[b for b in balances if b.valid or b.built.rows],
            quarantined=lake_figures.quarantined(lake, arrivals),
            device_to_s3=lake_figures.device_to_s3(lake, arrivals, live_since),
            s3_to_curated=lake_figures.s3_to_curated(lake, arrivals),
            raw_query=lake_figures.query_figure(lake.athena, lake_figures.raw_query(arrivals, since), 1),
            curated_query=lake_figures.query_figure(lake.athena, lake_figures.curated_query(since), 1),
        )
    print_report(report, console)
    _print_bill(scale, console)
    return report.is_right


def _print_bill(scale: SmallScale, console: Console) -> None:
    """What so many devices cost a month on AWS, at a reading a minute, and of it what AWS gives away."""
    bill_of_month = bill(from_process(), Fleet(scale.devices, INTERVAL_SECONDS, scale.backlog_pack))
    console.print()
    console.print(services_table(bill_of_month))
    console.print(free_table(bill_of_month))
    console.print("The model, its prices and alternatives: `make cost SIZE=prototype DEVICES=10`.", soft_wrap=True)
