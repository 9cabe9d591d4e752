"""The demo: from the devices' TLS handshakes to the fact table, and a report of the books against the world."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from rich.console import Console

from infra.cost.sent import Sent
from infra.local.demo import cost_figures, lake_figures, live_alerts
from infra.local.demo.report import Report, print_report
from infra.local.demo.steps import Steps
from infra.local.demo.warehouse_figures import facts
from infra.local.session import fleet_commands
from infra.local.session.dagster_runs import (
    build_models,
    curate_stale_hours,
    export_alerts,
    judge_arrivals,
    load_unloaded_hours,
    record_arrivals,
    snapshot_registry,
)
from infra.local.session.fleet_commands import FAULTS
from infra.local.session.platform import Platform
from iot_pipeline.resources import LakeResource
from simulator.manifest import expected_ledger

QUERY_RUNS = 3


@dataclass(frozen=True)
class Scale:
    """How much the demo sends: a day's backlog in large packs, then a while of live readings."""

    devices: int = 200
    tenants: int = 4
    sites: int = 5
    backlog_readings: int = 1_000_000
    backlog_pack: int = 25
    live_rate: int = 500
    live_pack: int = 5
    live_seconds: int = 45


def run_demo(platform: Platform, scale: Scale, console: Console) -> bool:
    """Onboard, publish, build and report. True if the ledger balances and equals what the devices truly sent."""
    folder = platform.state_dir / "fleet"
    steps = Steps(console)
    with steps.step(f"onboarding {scale.devices} devices, each with its own certificate"):
        fleet_commands.onboard(folder, scale.devices, scale.tenants, scale.sites)
    with steps.step("the registry learns that a device was moved to another site twelve hours ago"):
        move = fleet_commands.move_first(folder, (steps.started_at - timedelta(hours=12)).replace(microsecond=0))
    with steps.step("rules of alerts that suit a demo: what takes hours in the field may take seconds here"):
        limits = live_alerts.set_rules(scale.devices, scale.live_rate, scale.live_pack)
    with steps.step(f"publishing a backlog of 24 hours, {scale.backlog_readings:,} readings, every fault on"):
        backlog = ["--history", "24h", "--readings", str(scale.backlog_readings), "--pack", str(scale.backlog_pack)]
        fleet_commands.publish(platform, folder, *backlog, *FAULTS)
    with steps.step("waiting for the edge to take the backlog, which is history to it"):
        live_alerts.wait_for_edge()
    live_since = datetime.now(UTC)
    with steps.step(f"publishing live, {scale.live_rate:,} readings/s for {scale.live_seconds} s, every fault on"):
        live = ["--rate", str(scale.live_rate), "--duration", f"{scale.live_seconds}s", "--pack", str(scale.live_pack)]
        fleet_commands.publish(platform, folder, *live, *FAULTS, "--fault", "stuck=0.05")
    with steps.step("the edge: alerts of the live readings"):
        live_alerts.wait_for_edge()
        edge = live_alerts.figures(folder / "out", live_since, limits)
    expected = expected_ledger(folder / "out")
    with steps.step("waiting for Firehose to land it in S3"):
        arrivals = lake_figures.arrival_hours(steps.started_at)
        landed = lake_figures.wait_for_messages(LakeResource().open().athena, arrivals, expected.messages)
    statements_before = cost_figures.statements()
    with dg.DagsterInstance.get() as instance:
        with steps.step("Dagster: raw hours from S3 notifications, ledger, quarantine"):
            arrivals = record_arrivals(instance)
            judge_arrivals(instance, arrivals)
        with steps.step("Dagster: curated event hours, as the ledger asks for them"):
            event_hours, _ = curate_stale_hours(instance)
        with steps.step("Dagster: the registry's snapshot and the curated hours, into the warehouse"):
            snapshot_registry(instance)
            load_unloaded_hours(instance)
        with steps.step("Dagster: the history of the alerts, into lake and warehouse"):
            export_alerts(instance)
        with steps.step("Dagster and dbt: dimensions, facts, reports"):
            build_models(instance, platform.state_dir / "dbt.log")
    statements_of_builds = cost_figures.statements() - statements_before
    lake = LakeResource().open()
    with steps.step("checking the books and measuring"):
        event_hours = sorted(set(event_hours))
        since = steps.started_at - timedelta(days=1)
        report = Report(
            expected=expected,
            landed_messages=landed,
            raw_bytes=sum(size for size, _ in lake_figures.raw_objects(lake.bucket, arrivals).values()),
            arrivals=lake.arrival_balances(arrivals),
            events=[b for b in lake_figures.event_balances(lake, event_hours) if b.valid or b.built.rows],
            quarantined=lake_figures.quarantined(lake, arrivals),
            device_to_s3=lake_figures.device_to_s3(lake, arrivals, live_since),
            s3_to_curated=lake_figures.s3_to_curated(lake, arrivals),
            raw_query=lake_figures.query_figure(lake.athena, lake_figures.raw_query(arrivals, since), 1),
            curated_query=lake_figures.query_figure(lake.athena, lake_figures.curated_query(since), QUERY_RUNS),
            facts=facts(move),
            edge=edge,
            cost=cost_figures.figures(
                lake,
                _sent(scale, folder, live_since),
                steps.started_at,
                arrivals,
                event_hours,
                statements_of_builds,
            ),
        )
    print_report(report, console)
    return report.is_right


def _sent(scale: Scale, folder: Path, live_since: datetime) -> list[Sent]:
    """What was asked of the simulator, and in which time the broker took it."""
    backlog_seconds, live_seconds = cost_figures.publishing_seconds(folder / "out", live_since)
    live = scale.live_rate * scale.live_seconds // scale.live_pack
    return [
        Sent(scale.backlog_readings // scale.backlog_pack, scale.backlog_pack, scale.devices, backlog_seconds),
        Sent(live, scale.live_pack, scale.devices, live_seconds),
    ]
