"""The devices' live state: the table emptied, and rebuilt from the raw zone by the edge's own command."""

import subprocess
import sys
from collections.abc import Sequence

import boto3

from infra.local.drill.outcome import LIVE_STATE, Outcome, timed
from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.local_server import LocalError
from iot_pipeline import settings
from iot_pipeline.connections.edge import open_states
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.lake.hours import Hour


def drill(arrivals: Sequence[Hour]) -> list[Outcome]:
    """Remove all states, rebuild them; each device must say what it said, the number of its record apart."""
    before = _states()
    _remove_all()
    first, last = (hour.start.isoformat() for hour in (min(arrivals), max(arrivals)))
    with timed() as watch:
        command = [sys.executable, "-m", "iot_pipeline.edge", "rebuild-state", first, last]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalError(f"rebuild-state ended with exit code {done.returncode}: {done.stderr[-2000:]}")
    after = _states()
    wrong = tuple(
        f"{device}: {_said(after.get(device))} instead of {_said(state)}"
        for device, state in before.items()
        if _said(after.get(device)) != _said(state)
    )
    ends = [max((state.arrival_ms for state in states.values()), default=0) for states in (before, after)]
    early = (ends[0] - ends[1]) / 1000
    return [
        Outcome("live state", "raw zone", watch.seconds, _readings(before), _readings(after), early, LIVE_STATE, wrong)
    ]


def _states() -> dict[str, DeviceState]:
    return {state.device: state for state in open_states().seen(0, 1) if not state.device.startswith("site/")}


def _said(state: DeviceState | None) -> tuple[str, str, int, int] | None:
    return None if state is None else (state.tenant, state.site, state.arrival_ms, sum(state.counts.values()))


def _readings(states: dict[str, DeviceState]) -> int:
    return sum(sum(state.counts.values()) for state in states.values())


def _remove_all() -> None:
    dynamodb, table = boto3.client("dynamodb"), settings.edge().device_state_table
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="device"):
        for item in page["Items"]:
            dynamodb.delete_item(TableName=table, Key={"device": item["device"]})
