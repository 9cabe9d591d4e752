"""Registering a device: what is asked, whether the registry can take it, and its first version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.errors import UniqueViolation

from iot_pipeline.contract.identifiers import DEVICE_NAME
from iot_pipeline.registry import timeline, versions
from iot_pipeline.registry.devices import Device, check_label, device_of, history, model_interval, require_site, scalars
from iot_pipeline.registry.errors import DifferentDeviceError, RegistryError, UnknownReferenceError
from iot_pipeline.registry.timeline import Value, Version
from iot_pipeline.registry.versions import DEVICES, aware


@dataclass(frozen=True)
class Request:
    """A device to be registered. `name` is by default the device id, `installed_at` (aware) now.

    `csr` is a PEM certificate signing request; without one the key is made here.
    """

    device_id: str
    tenant_id: str
    site_id: str
    model_id: str
    name: str | None = None
    firmware: str | None = None
    csr: str | None = None
    installed_at: datetime | None = None

    def __post_init__(self) -> None:
        """Raise RegistryError for a device id, name or firmware that AWS IoT or the registry cannot hold."""
        if not DEVICE_NAME.fullmatch(self.device_id):
            raise RegistryError(f"device id {self.device_id!r} must be 1 to 128 of the characters a-z A-Z 0-9 : _ -")
        check_label("name", self.name)
        check_label("firmware", self.firmware)
        if self.installed_at is not None:
            aware(self.installed_at)


def check_references(connection: Connection[Any], request: Request) -> None:
    """Raise UnknownReferenceError naming the request's tenant, site or model that the registry does not have."""
    with connection.transaction():
        _initial(connection, request, versions.moment(connection, request.installed_at))


def check_free(connection: Connection[Any], request: Request) -> None:
    """Raise RegistryError if the registry has the request's device already, unless it is decommissioned."""
    with connection.transaction():
        old = versions.read(connection, DEVICES, {"device_id": request.device_id})
        if old:
            _refuse_active(request, old, versions.moment(connection, request.installed_at))


def add_device(connection: Connection[Any], request: Request) -> Device:
    """Open the first version of a device, or a new active one of a device that was decommissioned.

    AWS IoT is not touched: see `onboarding`. Raises UnknownReferenceError as `check_references`, and RegistryError if
    the device is active already or belongs to another tenant.
    """
    with connection.transaction():
        at = versions.moment(connection, request.installed_at)
        attributes = _initial(connection, request, at)
        old = versions.read(connection, DEVICES, {"device_id": request.device_id}, lock=True)
        if not old:
            try:
                connection.execute(
                    "INSERT INTO registry.device_keys (device_id, tenant_id) VALUES (%s, %s)",
                    (request.device_id, request.tenant_id),
                )
            except UniqueViolation:
                raise RegistryError(f"device {request.device_id} was registered by another process meanwhile") from None
            new = [Version(at, None, attributes)]
        else:
            _refuse_active(request, old, at)
            new = timeline.changed(old, at, attributes)
        versions.write(connection, DEVICES, {"device_id": request.device_id}, old, new)
        return device_of(request.device_id, new[-1])


def difference(connection: Connection[Any], request: Request) -> str:
    """What a request says otherwise than the registry of its device; empty if nothing.

    Each attribute may be as it was when the device was onboarded, so that a list of devices can be onboarded again
    after some have moved, or as it is now. What the request leaves open (name, firmware, installed_at) is no
    difference. Raises UnknownReferenceError.
    """
    registered = history(connection, request.device_id)
    now = registered[-1]
    ended = [number for number, device in enumerate(registered, 1) if device.status == "decommissioned"]
    if now.status == "decommissioned":
        return f"it is decommissioned since {now.valid_from.isoformat()}"
    then = registered[max(ended, default=0)]
    pairs = [
        ("tenant", request.tenant_id, then.tenant_id, now.tenant_id),
        ("site", request.site_id, then.site_id, now.site_id),
        ("model", request.model_id, then.model_id, now.model_id),
        ("name", request.name, then.name, now.name),
        ("firmware", request.firmware, then.firmware, now.firmware),
        ("installed_at", request.installed_at, then.valid_from, then.valid_from),
    ]
    told = [
        f"{what} {asked} asked, {held} registered" for what, asked, old, held in pairs if asked not in (None, old, held)
    ]
    return "; ".join(told)


def _refuse_active(request: Request, old: list[Version], at: datetime) -> None:
    tenant = old[-1].attributes["tenant_id"]
    if tenant != request.tenant_id:
        raise DifferentDeviceError(
            f"device {request.device_id} belonged to tenant {tenant}; its history stays there: choose another device id"
        )
    if old[-1].attributes["status"] == "active":
        raise RegistryError(f"device {request.device_id} is registered already; move or change it")
    # At that very moment the end would vanish from the history.
    if at <= old[-1].valid_from:
        raise RegistryError(
            f"device {request.device_id} was decommissioned at {old[-1].valid_from.isoformat()}; it cannot be "
            f"installed again before or at that moment, at {at.isoformat()}; give a later time"
        )


def _initial(connection: Connection[Any], request: Request, at: datetime) -> dict[str, Value]:
    if not scalars(connection, "SELECT 1 FROM registry.tenants WHERE tenant_id = %s", (request.tenant_id,)):
        raise UnknownReferenceError(
            f"device {request.device_id}: tenant {request.tenant_id!r} is not in the registry; apply a catalog with it"
        )
    require_site(connection, request.tenant_id, request.site_id, at)
    return {
        "tenant_id": request.tenant_id,
        "site_id": request.site_id,
        "model_id": request.model_id,
        "name": request.name or request.device_id,
        "status": "active",
        "firmware": request.firmware,
        "expected_interval_s": model_interval(connection, request.model_id),
    }
