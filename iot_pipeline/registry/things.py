"""What a device is in AWS IoT Core: a thing, a certificate, and the policy that ties the one to the other.

Undoing is written so that it may be repeated, and begun at any point: what is gone already counts as done.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from iot_pipeline.registry import keys
from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.registration import Request

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

THING_TYPE = "telemetry-sensor"
POLICY = "telemetry-device"
# The attribute that a thing has of which nothing but the name is left, so that nobody can register it again.
_TOMBSTONE = {"decommissioned": "true"}

# "This call is asynchronous. It might take several seconds for the detachment to propagate." (AWS IoT API reference,
# DetachThingPrincipal); until then DeleteThing and DeleteCertificate are refused.
_DETACH_SECONDS = 30


@dataclass(frozen=True)
class DeviceKind:
    """What an environment's stacks call the type of its things and the policy of their certificates."""

    thing_type: str = THING_TYPE
    policy: str = POLICY


@dataclass(frozen=True)
class Certificate:
    """A new certificate (PEM); with its private key if the device brought none, which is kept nowhere else."""

    certificate_id: str
    arn: str
    pem: str
    private_key: str | None = field(repr=False)


def find(iot: "IoTClient", device_id: str) -> Literal["none", "device", "tombstone"]:
    """What there is by that name: no thing, a device's, or one that `bury` has left."""
    try:
        thing = iot.describe_thing(thingName=device_id)
    except iot.exceptions.ResourceNotFoundException:
        return "none"
    return "tombstone" if thing.get("attributes") == _TOMBSTONE else "device"


def create_thing(iot: "IoTClient", request: Request, kind: DeviceKind) -> None:
    """Create the thing, with the attributes that bind its topic and by which the fleet can be searched."""
    iot.create_thing(
        thingName=request.device_id,
        thingTypeName=kind.thing_type,
        attributePayload={"attributes": _attributes(request)},
    )


def revive(iot: "IoTClient", request: Request, kind: DeviceKind) -> None:
    """Make a tombstone the thing that `create_thing` makes."""
    iot.update_thing(
        thingName=request.device_id,
        thingTypeName=kind.thing_type,
        attributePayload={"attributes": _attributes(request), "merge": False},
    )


def label(iot: "IoTClient", request: Request, kind: DeviceKind) -> None:
    """Give an existing thing the type and attributes that `create_thing` gives; others it has stay."""
    iot.update_thing(
        thingName=request.device_id,
        thingTypeName=kind.thing_type,
        attributePayload={"attributes": _attributes(request), "merge": True},
    )


def active_certificate(iot: "IoTClient", device_id: str, kind: DeviceKind) -> str:
    """The ARN of a thing's one active certificate. Raises RegistryError saying what thing or certificate lacks."""
    if find(iot, device_id) != "device":
        raise RegistryError(f"{device_id} is no thing in AWS IoT Core; onboard it")
    arns = [arn for arn in principals(iot, device_id) if _is_active(iot, arn)]
    if len(arns) != 1:
        raise RegistryError(f"the thing {device_id} has {len(arns)} active certificates; to adopt it, leave it one")
    if kind.policy not in _policies(iot, arns[0]):
        raise RegistryError(f"the certificate of {device_id} lacks the policy {kind.policy}; attach it and adopt again")
    return arns[0]


def require_platform(iot: "IoTClient", kind: DeviceKind) -> None:
    """Raise RegistryError if the thing type or the policy of devices is missing: the platform's stacks deploy them."""
    try:
        iot.describe_thing_type(thingTypeName=kind.thing_type)
        iot.get_policy(policyName=kind.policy)
    except iot.exceptions.ResourceNotFoundException as error:
        raise RegistryError(
            f"thing type {kind.thing_type} or policy {kind.policy} is not in region {iot.meta.region_name}; deploy the "
            "platform"
        ) from error


def create_certificate(iot: "IoTClient", key: keys.DeviceKey) -> Certificate:
    """An inactive certificate of a device's key."""
    signed = iot.create_certificate_from_csr(certificateSigningRequest=key.csr, setAsActive=False)
    return Certificate(signed["certificateId"], signed["certificateArn"], signed["certificatePem"], key.private_key)


def label_site(iot: "IoTClient", device_id: str, site_id: str) -> None:
    """Set the thing's attribute `site`: its certificate may publish under that site from then on, and no other.

    AWS IoT takes "up to a few minutes" to apply it to a session (developer guide, "AWS IoT Core policies").
    """
    iot.update_thing(thingName=device_id, attributePayload={"attributes": {"site": site_id}, "merge": True})


def remove_certificate(iot: "IoTClient", device_id: str, arn: str) -> None:
    """Take a certificate from its thing and delete it."""
    _disarm(iot, device_id, arn, "INACTIVE")
    with _gone_is_fine():
        iot.delete_certificate(certificateId=_certificate_id(arn))


def remove_thing(iot: "IoTClient", device_id: str) -> None:
    """Delete a thing that no certificate is attached to any more."""
    with _gone_is_fine():
        iot.delete_thing(thingName=device_id)


def revoke(iot: "IoTClient", device_id: str, arn: str | None) -> None:
    """Revoke every certificate of a thing, and the given one, take their policies, and bury the thing.

    The revoked certificates stay, as evidence and so that AWS refuses them by name.
    """
    arns = {arn} if arn else set()
    with _gone_is_fine():
        arns |= set(principals(iot, device_id))
    for principal in sorted(arns):
        _disarm(iot, device_id, principal, "REVOKED")
    bury(iot, device_id)


def bury(iot: "IoTClient", device_id: str) -> None:
    """Leave of a thing its name alone: no type, so that it is not of the fleet, and no attribute but the tombstone's.

    A claim certificate registers new things only. If the thing were gone, whoever holds one could take the name, and
    with it the history, of a decommissioned device.
    """
    try:
        iot.create_thing(thingName=device_id, attributePayload={"attributes": _TOMBSTONE})
    except iot.exceptions.ResourceAlreadyExistsException:
        iot.update_thing(
            thingName=device_id, removeThingType=True, attributePayload={"attributes": _TOMBSTONE, "merge": False}
        )


def remove_unclaimed(iot: "IoTClient", since: datetime, until: datetime, public_key: str) -> None:
    """Delete a certificate of a period that never became anything: of that key, inactive, without thing and policy.

    AWS has no client token for making a certificate: whoever dies before it has read the answer leaves one behind, of
    which nobody holds the id. The key, noted before, proves whose it is; others' certificates are left alone.
    All pages are read; AWS documents no default order (API reference, ListCertificates).
    """
    for page in iot.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 250}):
        for certificate in page["certificates"]:
            made, arn = certificate["creationDate"], certificate["certificateArn"]
            if certificate["status"] != "INACTIVE" or not since <= made <= until:
                continue
            with _gone_is_fine():  # another's certificate may be removed while we look at it
                described = iot.describe_certificate(certificateId=certificate["certificateId"])
                if keys.of_certificate(described["certificateDescription"]["certificatePem"]) != public_key:
                    continue
                if iot.list_principal_things(principal=arn)["things"]:
                    continue
                if not _policies(iot, arn):
                    iot.delete_certificate(certificateId=certificate["certificateId"])


def principals(iot: "IoTClient", device_id: str) -> list[str]:
    """The ARNs of all certificates of a thing, of however many pages. Raises botocore's errors: no thing is one."""
    pages = iot.get_paginator("list_thing_principals").paginate(thingName=device_id)
    return [arn for page in pages for arn in page["principals"]]


def _policies(iot: "IoTClient", arn: str) -> list[str]:
    pages = iot.get_paginator("list_attached_policies").paginate(target=arn)
    return [policy["policyName"] for page in pages for policy in page["policies"]]


def _attributes(request: Request) -> dict[str, str]:
    return {"tenant": request.tenant_id, "site": request.site_id, "model": request.model_id}


def _is_active(iot: "IoTClient", arn: str) -> bool:
    certificate = iot.describe_certificate(certificateId=_certificate_id(arn))
    return certificate["certificateDescription"]["status"] == "ACTIVE"


def _certificate_id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _disarm(iot: "IoTClient", device_id: str, arn: str, status: Literal["INACTIVE", "REVOKED"]) -> None:
    """Switch a certificate off, then take its policies and its thing, as DeleteCertificate and DeleteThing require."""
    with _gone_is_fine():
        iot.update_certificate(certificateId=_certificate_id(arn), newStatus=status)
        for policy in _policies(iot, arn):
            iot.detach_policy(policyName=policy, target=arn)
    with _gone_is_fine():
        iot.detach_thing_principal(thingName=device_id, principal=arn)
        _wait(lambda: arn not in principals(iot, device_id), device_id)


def _wait(detached: Callable[[], bool], device_id: str) -> None:
    deadline = time.monotonic() + _DETACH_SECONDS
    while not detached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{device_id}: AWS IoT has not detached the certificate in {_DETACH_SECONDS} s")
        time.sleep(0.5)


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
