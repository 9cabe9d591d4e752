"""Onboarding: a device exists in AWS IoT Core and in the registry, or in neither.

    intent noted -> thing -> certificate (inactive) -> policy -> thing and certificate tied -> activated
                 -> credentials delivered -> registry row and "active", in one transaction

Whatever fails, everything is undone in reverse order. If the process dies instead, its intent says how far it came,
and `recover`, or the next onboarding of that device, undoes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from psycopg import Connection
from psycopg import Error as DatabaseError

from iot_pipeline.registry import intents, keys, registration, things
from iot_pipeline.registry.devices import Device, history
from iot_pipeline.registry.errors import CompensationError, DifferentDeviceError, OnboardingError, RegistryError
from iot_pipeline.registry.intents import Intent
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import Certificate, DeviceKind

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

# Around the noted step: how far AWS's clock may be off, and how long a retried call may take.
_CLOCKS = timedelta(minutes=5)
_CALL = timedelta(minutes=10)


@dataclass(frozen=True)
class Onboarded:
    """An onboarded device; `created` is false if all was as asked before. `certificate` is there if it is new."""

    device: Device
    created: bool
    certificate_id: str
    certificate_arn: str
    certificate: Certificate | None = None


def onboard(
    connection: Connection[Any],
    iot: "IoTClient",
    request: Request,
    deliver: Callable[[Certificate], None] = lambda _: None,
    kind: DeviceKind | None = None,
) -> Onboarded:
    """Let a device in: thing, active certificate with the devices' policy, and the registry's row, or none of them.

    `deliver` gets the certificate, with its private key if the request brought no CSR, before the onboarding counts as
    done; keep the key there, for it is stored nowhere. A device that is onboarded already, just so, is left alone.
    `kind` names the environment's thing type and policy, by default those of the default environment.

    Before anything is created, raises UnknownReferenceError naming a missing tenant, site or model,
    DifferentDeviceError naming how the device differs, and RegistryError for a CSR that is none or has the key of
    another device. Raises OnboardingError after a failure that was undone; CompensationError after one that could not
    be undone and is left to `recover`; ValueError if the connection is within a transaction.
    """
    intents.require_idle(connection)
    registration.check_references(connection, request)
    with intents.device_lock(connection, request.device_id):
        held = intents.find(connection, request.device_id)
        if held and held.state == "active":
            return kept(connection, request, held)
        if held and held.state == "decommissioning":
            raise RegistryError(f"device {request.device_id} is being decommissioned; recover, then onboard it again")
        if held:
            undo(connection, iot, held)
        registration.check_free(connection, request)
        found = things.find(iot, request.device_id)
        if found == "device":
            raise RegistryError(
                f"{request.device_id} is a thing in AWS IoT Core that the registry did not make; adopt it or delete it"
            )
        key = keys.for_device(request.device_id, request.csr)
        onboarding_id = intents.begin(connection, request.device_id, "creating", key.fingerprint)
        try:
            certificate = _create(connection, iot, request, key, onboarding_id, kind or DeviceKind(), found)
            intents.note(connection, onboarding_id, step="delivery")
            deliver(certificate)
            with connection.transaction():
                device = registration.add_device(connection, request)
                intents.note(connection, onboarding_id, state="active", step="done")
        except BaseException as error:
            _undo_after(connection, iot, request.device_id, error)
            raise
    return Onboarded(device, True, certificate.certificate_id, certificate.arn, certificate)


def undo(connection: Connection[Any], iot: "IoTClient", intent: Intent) -> None:
    """Remove all that an interrupted onboarding has made, and its intent last; the caller holds the device's lock."""
    intents.note(connection, intent.onboarding_id, state="undoing")
    if intent.certificate_arn:
        things.remove_certificate(iot, intent.device_id, intent.certificate_arn)
    elif intent.public_key and intent.step == "certificate":
        since, until = intent.updated_at - _CLOCKS, intent.updated_at + _CALL + _CLOCKS
        things.remove_unclaimed(iot, since, until, intent.public_key)
    if intent.step != "begun":
        if intents.was_decommissioned(connection, intent.device_id):
            things.bury(iot, intent.device_id)
        else:
            things.remove_thing(iot, intent.device_id)
    intents.forget(connection, intent.onboarding_id)


def _create(
    connection: Connection[Any],
    iot: "IoTClient",
    request: Request,
    key: keys.DeviceKey,
    onboarding_id: int,
    kind: DeviceKind,
    found: Literal["none", "tombstone"],
) -> Certificate:
    device_id = request.device_id
    intents.note(connection, onboarding_id, step="thing")
    try:
        if found == "tombstone":
            things.revive(iot, request, kind)
        else:
            things.create_thing(iot, request, kind)
    except iot.exceptions.ResourceAlreadyExistsException:  # made by another since we looked: not ours to remove
        intents.note(connection, onboarding_id, step="begun")
        raise
    intents.note(connection, onboarding_id, step="certificate")
    certificate = things.create_certificate(iot, key)
    intents.note(connection, onboarding_id, certificate_id=certificate.certificate_id, certificate_arn=certificate.arn)
    intents.note(connection, onboarding_id, step="policy")
    iot.attach_policy(policyName=kind.policy, target=certificate.arn)
    intents.note(connection, onboarding_id, step="principal")
    iot.attach_thing_principal(thingName=device_id, principal=certificate.arn)
    intents.note(connection, onboarding_id, step="activation")
    iot.update_certificate(certificateId=certificate.certificate_id, newStatus="ACTIVE")
    return certificate


def _undo_after(connection: Connection[Any], iot: "IoTClient", device_id: str, error: BaseException) -> None:
    """Undo, and raise what the caller is to see instead of the error; return for one that it is to see as it is."""
    intent = None
    try:
        intent = intents.find(connection, device_id)
        if intent:
            undo(connection, iot, intent)
    except (ClientError, BotoCoreError, DatabaseError, OSError, RegistryError) as again:
        raise CompensationError(
            f"{device_id}: onboarding failed ({error}) and could not be undone ({again}); recover it"
        ) from error
    if isinstance(error, Exception):
        step = intent.step if intent else "registry"
        raise OnboardingError(f"{device_id}: onboarding failed at step {step!r} and was undone: {error}") from error


def kept(connection: Connection[Any], request: Request, held: Intent) -> Onboarded:
    """The device as it is onboarded. Raises DifferentDeviceError naming how the request differs."""
    if differences := registration.difference(connection, request):
        raise DifferentDeviceError(
            f"device {request.device_id} is onboarded otherwise: {differences}; correct the request, or move or change "
            "the device"
        )
    device = history(connection, request.device_id)[-1]
    return Onboarded(device, False, held.certificate_id or "", held.certificate_arn or "")
