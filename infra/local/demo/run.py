"""The demo: from the devices' TLS handshakes to the fact table, and a report of the books against the world."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
from rich.console import Console

from infra.cost.sent import Sent
from infra.local.demo import cost_figures, lake_figures, lake_steps, live_alerts
from infra.local.demo.lake_steps import Scale
from infra.local.demo.options_report import print_options
from infra.local.demo.report import print_report
from infra.local.demo.steps import Steps
from infra.local.demo.warehouse_figures import facts
from infra.local.session import fleet_commands
from infra.local.session.dagster_runs import build_models, export_alerts, load_unloaded_hours, snapshot_registry
from infra.local.session.platform import Platform
from infra.stacks.environments import from_process
from iot_pipeline.resources import LakeResource

QUERY_RUNS = 3


def run_demo(platform: Platform, scale: Scale, console: Console) -> bool:
    """Onboard, publish, build and report. True if the ledger balances and equals what the devices truly sent."""
    folder = platform.state_dir / "fleet"
    steps = Steps(console)
    lake_steps.onboard(steps, platform, scale)
    with steps.step("the registry learns that a device was moved to another site twelve hours ago"):
        move = fleet_commands.move_first(folder, (steps.started_at - timedelta(hours=12)).replace(microsecond=0))
    with steps.step("rules of alerts that suit a demo: what takes hours in the field may take seconds here"):
        limits = live_alerts.set_rules(scale.devices, scale.live_rate, scale.live_pack)
    lake_steps.publish_backlog(steps, platform, scale)
    with steps.step("waiting for the edge to take the backlog, which is history to it"):
        live_alerts.wait_for_edge()
    live_since = lake_steps.publish_live(steps, platform, scale, "--fault", "stuck=0.05")
    with steps.step("the edge: alerts of the live readings"):
        live_alerts.wait_for_edge()
        edge = live_alerts.figures(folder / "out", live_since, limits)
    landed = lake_steps.wait_until_landed(steps, platform, "waiting for Firehose to land it in S3")
    statements_before = cost_figures.statements()
    with dg.DagsterInstance.get() as instance:
        arrivals, event_hours = lake_steps.build_lake(steps, instance)
        with steps.step("Dagster: the registry's snapshot and the curated hours, into the warehouse"):
            snapshot_registry(instance)
            load_unloaded_hours(instance)
        with steps.step("Dagster: the history of the alerts, into lake and warehouse"):
            export_alerts(instance)
        with steps.step("Dagster and dbt: dimensions, facts, reports"):
            build_models(instance, platform.state_dir / "dbt.log")
    statements_of_builds = cost_figures.statements() - statements_before
    with steps.step("checking the books and measuring"):
        report = replace(
            lake_steps.lake_report(steps, landed, live_since, arrivals, event_hours, QUERY_RUNS),
            facts=facts(move),
            edge=edge,
            cost=cost_figures.figures(
                LakeResource().open(),
                _sent(scale, folder, live_since),
                steps.started_at,
                arrivals,
                event_hours,
                statements_of_builds,
            ),
        )
    print_report(report, console)
    print_options(from_process(), lake_figures.raw_objects(LakeResource().open().bucket, arrivals), console)
    return report.is_right


def _sent(scale: Scale, folder: Path, live_since: datetime) -> list[Sent]:
    """What was asked of the simulator, and in which time the broker took it."""
    backlog_seconds, live_seconds = cost_figures.publishing_seconds(folder / "out", live_since)
    live = scale.live_rate * scale.live_seconds // scale.live_pack
    return [
        Sent(scale.backlog_readings // scale.backlog_pack, scale.backlog_pack, scale.devices, backlog_seconds),
        Sent(live, scale.live_pack, scale.devices, live_seconds),
    ]
