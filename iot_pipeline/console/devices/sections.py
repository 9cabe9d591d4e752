"""What is known of one device, each part from where it is kept, and each only as far as the viewer may see it.

A device can pass from one tenant to another, when it is onboarded again: so every row is held against the viewer, and
not the device alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Generic, TypeVar

import psycopg
from pydantic import BaseModel

from iot_pipeline.alerting.episodes import Item
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.console.dependencies import DownError, asking
from iot_pipeline.console.registry_pool import Connect
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.contract import METRICS
from iot_pipeline.contract.event_time import moment
from iot_pipeline.contract.judged_reading import VALID
from iot_pipeline.contract.reasons import Reason
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import subject_of
from iot_pipeline.edge.state_store import StateStore
from iot_pipeline.registry import devices
from iot_pipeline.registry.devices import Device
from iot_pipeline.registry.errors import UnknownReferenceError

MAX_ALERTS = 100
T = TypeVar("T")
REASONS = frozenset(Reason)
_UNITS = {metric.name: metric.unit for metric in METRICS}


class Section(BaseModel, Generic[T]):
    """A part of the answer. `down` says what does not answer, and why; `data` is null then, or where there is none."""

    data: T | None
    down: str | None = None


class Version(BaseModel):
    """The device as it was from `valid_from` to `valid_to`, which is null while it still is so."""

    tenant: str
    site: str
    model: str
    name: str
    status: str
    firmware: str | None
    expected_interval_s: float
    valid_from: datetime
    valid_to: datetime | None


class Latest(BaseModel):
    """A metric's newest value. `at` is its time, or its arrival where the device's clock is ahead."""

    metric: str
    unit: str
    value: float
    at: datetime
    arrived_at: datetime


class State(BaseModel):
    """What the edge keeps. `counts` is of all readings since the device began: by outcome, and late, stale, ahead."""

    tenant: str
    site: str
    firmware: str | None
    last_arrival: datetime
    latest: list[Latest]
    counts: dict[str, int]
    valid: int
    quarantined: int


class Alert(BaseModel):
    """An episode, as the edge has it."""

    id: str
    rule: str
    metric: str | None
    severity: str
    status: str
    opened_at: datetime
    resolved_at: datetime | None
    acknowledged_by: str | None
    acknowledged_reason: str | None
    value: float | None
    limit: float | None
    worst: float | None


@dataclass(frozen=True)
class Sources:
    """Where a device's parts are kept."""

    connect: Connect
    states: StateStore
    alerts: AlertsTable

    def history(self, device: str, viewer: Viewer) -> Section[list[Version]]:
        """The versions of the registry that the viewer may see, the newest first."""
        try:
            with asking("the registry"), self.connect() as connection:
                found = _history(connection, device)
        except DownError as error:
            return Section[list[Version]](data=None, down=str(error))
        seen = [version_of(each) for each in reversed(found) if viewer.sees(each.tenant_id)]
        return Section[list[Version]](data=seen or None)

    def state(self, device: str, viewer: Viewer) -> Section[State]:
        """The edge's state, if its last message was of a tenant that the viewer may see."""
        try:
            with asking("DynamoDB"):
                found = self.states.look([device])[device]
        except DownError as error:
            return Section[State](data=None, down=str(error))
        return Section[State](data=state_of(found) if found.version and viewer.sees(found.tenant) else None)

    def episodes(self, device: str, viewer: Viewer) -> Section[list[Alert]]:
        """The newest alerts that the viewer may see, the newest first."""
        try:
            with asking("DynamoDB"):
                found = list(islice(self._seen(device, viewer), MAX_ALERTS))
        except DownError as error:
            return Section[list[Alert]](data=None, down=str(error))
        return Section[list[Alert]](data=[_alert(each) for each in found])

    def _seen(self, device: str, viewer: Viewer) -> Iterator[Item]:
        return (each for each in self.alerts.history(subject_of(device)) if viewer.sees(each["tenant"]))


def _history(connection: psycopg.Connection[Any], device: str) -> list[Device]:
    try:
        return devices.history(connection, device)
    except UnknownReferenceError:
        return []


def version_of(device: Device) -> Version:
    """A version of the registry, as the answer has it."""
    return Version(
        tenant=device.tenant_id,
        site=device.site_id,
        model=device.model_id,
        name=device.name,
        status=device.status,
        firmware=device.firmware,
        expected_interval_s=device.expected_interval_s,
        valid_from=device.valid_from,
        valid_to=device.valid_to,
    )


def state_of(found: DeviceState) -> State:
    """A state of the edge, as the answer has it."""
    # Besides outcomes the edge counts what readings were besides; those are no readings more.
    quarantined = sum(count for name, count in found.counts.items() if name in REASONS)
    return State(
        tenant=found.tenant,
        site=found.site,
        firmware=found.firmware,
        last_arrival=moment(found.arrival_ms),
        latest=[
            Latest(
                metric=name,
                unit=_UNITS[name],
                value=series.value,
                at=moment(series.at_ms),
                arrived_at=moment(series.arrival_ms),
            )
            for name, series in sorted(found.series.items())
            if name in _UNITS
        ],
        counts=found.counts,
        valid=found.counts.get(VALID, 0),
        quarantined=quarantined,
    )


def _alert(item: Item) -> Alert:
    severity, resolved = Severity(int(item["severity"])), item.get("resolved_ms")
    return Alert(
        id=item["id"],
        rule=item["rule"],
        metric=item.get("metric") or None,
        severity=severity.label,
        status=item["status"],
        opened_at=moment(int(item["opened_ms"])),
        resolved_at=None if resolved is None else moment(int(resolved)),
        acknowledged_by=item.get("acknowledged_by"),
        acknowledged_reason=item.get("acknowledged_reason"),
        value=_number(item.get("value")),
        limit=_number(item.get("limit")),
        worst=_number(item.get("worst")),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
