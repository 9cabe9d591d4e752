"""Ending a device, and picking up what a crash left half done."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from psycopg import Connection

from iot_pipeline.registry import intents, things
from iot_pipeline.registry.devices import Device, history, retire_device
from iot_pipeline.registry.errors import CompensationError, RegistryError
from iot_pipeline.registry.intents import Intent
from iot_pipeline.registry.onboarding import undo
from iot_pipeline.registry.versions import MayOverwrite, aware, nothing

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient


@dataclass(frozen=True)
class Recovered:
    """What became of an interrupted operation; `reason` says why one is left as it is."""

    device_id: str
    outcome: Literal["undone", "decommissioned", "busy", "failed"]
    reason: str = ""


def decommission(
    connection: Connection[Any],
    iot: "IoTClient",
    device_id: str,
    at: datetime | None = None,
    may_overwrite: MayOverwrite = nothing,
) -> Device:
    """End a device as of `at` (aware; now by default): its version is closed, its certificates are revoked.

    The registry goes first, with a note that AWS IoT is to follow; a crash or failure in between is finished by
    `recover` or by decommissioning again. Every certificate of the thing is revoked and detached, the thing
    keeps its name alone: the device's next connect is refused, and a session is ended "within a few minutes"
    (AWS IoT API reference, UpdateCertificate). Returns the decommissioned version; decommissioning once more changes
    nothing.

    Raises UnknownReferenceError, RegistryError and OverwriteError as `retire_device`, CompensationError when AWS IoT
    failed.
    """
    intents.require_idle(connection)
    with intents.device_lock(connection, device_id):
        held = intents.find(connection, device_id)
        if held and held.state in ("creating", "undoing"):
            undo(connection, iot, held)
            held = None
        with connection.transaction():
            told = history(connection, device_id)
            before = told[-1]
            if at is not None and _comes_back(told, aware(at)):
                raise RegistryError(f"device {device_id} was onboarded again after that time; give a later one")
            device = retire_device(connection, device_id, at, may_overwrite)
            if before.status == "decommissioned" and not held:
                return device
            onboarding_id = held.onboarding_id if held else intents.begin(connection, device_id, "decommissioning")
            intents.note(connection, onboarding_id, state="decommissioning")
        try:
            _finish(connection, iot, device_id)
        except (ClientError, BotoCoreError, OSError) as error:
            raise CompensationError(f"{device_id}: AWS IoT failed to revoke it ({error}); recover it") from error
    return device


def _comes_back(told: list[Device], at: datetime) -> bool:
    """Whether a device was installed again after a moment."""
    return any(
        ended.status == "decommissioned" and again.status == "active" and again.valid_from > at
        for ended, again in pairwise(told)
    )


def recover(connection: Connection[Any], iot: "IoTClient") -> list[Recovered]:
    """Undo interrupted onboardings and finish interrupted decommissionings, except those a live process works on.

    An onboarding is undone, not finished: its private key died with its process.
    """
    intents.require_idle(connection)
    return [_recover(connection, iot, intent) for intent in intents.interrupted(connection)]


def _recover(connection: Connection[Any], iot: "IoTClient", seen: Intent) -> Recovered:
    device_id = seen.device_id
    if intents.is_busy(connection, device_id):
        return Recovered(device_id, "busy", "another process works on it")
    with intents.device_lock(connection, device_id):
        intent = intents.find(connection, device_id)
        if intent is None or intent.state == "active":
            return Recovered(device_id, "busy", "another process has finished it meanwhile")
        try:
            if intent.state == "decommissioning":
                _finish(connection, iot, device_id)
                return Recovered(device_id, "decommissioned")
            undo(connection, iot, intent)
        except (ClientError, BotoCoreError, OSError) as error:
            intents.note(connection, intent.onboarding_id, error=str(error))
            return Recovered(device_id, "failed", str(error))
    return Recovered(device_id, "undone")


def _finish(connection: Connection[Any], iot: "IoTClient", device_id: str) -> None:
    held = intents.find(connection, device_id)
    if held:
        things.revoke(iot, device_id, held.certificate_arn)
        intents.note(connection, held.onboarding_id, state="decommissioned")
