"""A platform with a small fleet's data, on which the runbooks are carried out one after the other."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3
import dagster as dg
import pytest

from infra.local.demo import lake_figures, live_alerts
from infra.local.postgres.process import SUPERUSER
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
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.registry.bulk import read_devices
from iot_pipeline.registry.users import READER
from iot_pipeline.resources import LakeResource
from iot_pipeline_tests.conftest import started
from iot_pipeline_tests.support.registry import make_csr
from iot_pipeline_tests.support.runbooks import Shell
from simulator.enrolment import CATALOG_FILE, LIST_FILE
from simulator.manifest import expected_ledger

DEVICES, READINGS = 4, 2_000


@dataclass(frozen=True)
class Scene:
    """The platform, the fleet's folder, the hours in which its readings arrived and of which they are."""

    platform: Platform
    fleet: Path
    arrivals: list[Hour]
    event_hours: list[Hour]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Devices onboarded, an hour and a half of history published through MQTT, all of it built."""
    with started(tmp_path_factory.mktemp("runbooks")) as platform:
        began, fleet = datetime.now(UTC), platform.state_dir / "fleet"
        fleet_commands.onboard(fleet, devices=DEVICES, tenants=2, sites=2)
        fleet_commands.publish(platform, fleet, "--history", "90m", "--readings", str(READINGS), "--pack", "25")
        live_alerts.wait_for_edge()
        arrivals = hours_between(Hour.of(began), Hour.of(datetime.now(UTC)))
        sent = expected_ledger(fleet / "out").messages
        lake_figures.wait_for_messages(LakeResource().open().athena, arrivals, sent)
        with dg.DagsterInstance.get() as instance:
            judge_arrivals(instance, record_arrivals(instance))
            event_hours, _ = curate_stale_hours(instance)
            snapshot_registry(instance)
            load_unloaded_hours(instance)
            export_alerts(instance)
            build_models(instance, platform.state_dir / "dbt.log")
        yield Scene(platform, fleet, arrivals, sorted(event_hours))


def secret_of(platform: Platform, user: str) -> str:
    """The ARN of a new secret with a user's name and present password."""
    secrets = boto3.client("secretsmanager")
    value = json.dumps({"username": user, "password": platform.postgres.password})
    return str(secrets.create_secret(Name=f"runbooks/{user}/{datetime.now(UTC):%f}", SecretString=value)["ARN"])


@pytest.fixture(scope="module")
def shell(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Runs steps with the deployment's variables, and with those that the runbooks have people set."""
    folder = tmp_path_factory.mktemp("shell")
    first, second = read_devices(scene.fleet / LIST_FILE)[:2]
    hour, today = scene.event_hours[-1], scene.arrivals[0].start
    (folder / "device.csr").write_text(make_csr(second.device_id)[0])
    values = {
        "DEVICE": first.device_id,
        "TENANT": first.tenant_id,
        "SITE": first.site_id,
        "MODEL": first.model_id,
        "SINCE": f"{today:%Y-%m-%d}",
        "SOURCE": "rule",
        "HOUR": f"{hour.start:%Y-%m-%dT%H}",
        "EXPRESSION": " AND ".join(
            f"{k} = '{v}'" for k, v in zip(("year", "month", "day", "hour"), key(hour), strict=True)
        ),
        "FIRST": f"{scene.event_hours[0].start:%Y-%m-%dT%H}",
        "LAST": f"{max(scene.event_hours[-1], scene.arrivals[-1]).start:%Y-%m-%dT%H}",
        "PLAN_FILE": str(folder / "plan"),
        "OUT": str(folder),
        "CSR": str(folder / "device.csr"),
        "CATALOG": str(scene.fleet / CATALOG_FILE),
        "DEVICES": str(_without_the_first(scene.fleet / LIST_FILE)),
        "REGISTRY_ADMIN_SECRET": secret_of(scene.platform, SUPERUSER),
        "WAREHOUSE_ADMIN_SECRET": secret_of(scene.platform, SUPERUSER),
        "REGISTRY_SECRET": secret_of(scene.platform, READER),
        "WAREHOUSE_SECRET": secret_of(scene.platform, "reader"),
    }
    return Shell(folder, {**os.environ, **scene.platform.environment, **values})


def _without_the_first(devices: Path) -> Path:
    """The list without the device that a runbook decommissions; beside it, since the signing requests are."""
    head, _first, *rest = devices.read_text().splitlines(keepends=True)
    others = devices.with_name("others.csv")
    others.write_text(head + "".join(rest))
    return others


def key(hour: Hour) -> tuple[str, str, str, str]:
    """The hour as a partition's values."""
    at = hour.start
    return f"{at:%Y}", f"{at:%m}", f"{at:%d}", f"{at:%H}"
