"""The restore drill: a platform with a fleet's data, whose stores are lost one after the other and brought back."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
from rich.console import Console

from infra.local.demo import lake_figures, live_alerts
from infra.local.drill import dagster_storage, live_state, registry, warehouse
from infra.local.drill.outcome import Outcome, print_outcomes
from infra.local.servers.local_server import LocalError
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
from infra.local.session.platform import Platform
from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources import LakeResource
from simulator.manifest import expected_ledger

HISTORY_HOURS, PACK = 3, 25


def run_drill(platform: Platform, readings: int, console: Console) -> bool:
    """Fill, lose, restore, print. True if every promise is kept and all that came back is right.

    Raises LocalError for a size that has no warehouse: a prototype has next to nothing to lose.
    """
    if (redshift := platform.redshift) is None:
        raise LocalError(f"the size {platform.size} has no warehouse to lose: give IOT_SIZE another one")
    console.print(f"filling the platform: {readings:,} readings of 20 devices")
    arrivals = _fill(platform, readings)
    folder = platform.state_dir / "drill"
    parts: dict[str, Callable[[], list[Outcome]]] = {
        "registry": lambda: registry.drill(platform, folder / "registry"),
        "warehouse": lambda: warehouse.drill(platform, redshift),
        "live state": lambda: live_state.drill(arrivals),
        "Dagster's storage": lambda: dagster_storage.drill(platform.state_dir, arrivals, folder / "dagster"),
    }
    outcomes: list[Outcome] = []
    for name, drill in parts.items():
        console.print(f"losing and restoring: {name}")
        outcomes += drill()
    print_outcomes(outcomes, console)
    return all(outcome.is_kept for outcome in outcomes)


def _fill(platform: Platform, readings: int) -> list[Hour]:
    """Publish a history through MQTT, and build all of it; the arrival hours."""
    began, folder = datetime.now(UTC), platform.state_dir / "fleet"
    fleet_commands.onboard(folder, devices=20, tenants=2, sites=2)
    history = ["--history", f"{HISTORY_HOURS}h", "--readings", str(readings), "--pack", str(PACK)]
    fleet_commands.publish(platform, folder, *history)
    live_alerts.wait_for_edge()
    arrivals = lake_figures.arrival_hours(began)
    expected = expected_ledger(folder / "out")
    lake_figures.wait_for_messages(LakeResource().open().athena, arrivals, expected.messages)
    with dg.DagsterInstance.get() as instance:
        judge_arrivals(instance, record_arrivals(instance))
        curate_stale_hours(instance)
        snapshot_registry(instance)
        load_unloaded_hours(instance)
        export_alerts(instance)
        build_models(instance, platform.state_dir / "dbt.log")
    return arrivals
