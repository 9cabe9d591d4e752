"""What a device is in AWS IoT Core: a thing, a certificate, and the policy that ties the one to the other.

Undoing is written so that it may be repeated, and begun at any point: what is gone already counts as done.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from iot_pipeline.registry.errors import RegistryError
from iot_pipeline.registry.registration import Request

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

THING_TYPE = "telemetry-sensor"
POLICY = "telemetry-device"

# "This call is asynchronous. It might take several seconds for the detachment to propagate." (AWS IoT API reference,
# DetachThingPrincipal); until then DeleteThing and DeleteCertificate are refused.
_DETACH_SECONDS = 30


@dataclass(frozen=True)
class Certificate:
    """A new certificate (PEM); with its private key if AWS made that, which returns it this once and never again."""

    certificate_id: str
    arn: str
    pem: str
    private_key: str | None = field(repr=False)


def exists(iot: "IoTClient", device_id: str) -> bool:
    """Whether there is a thing of that name."""
    try:
        iot.describe_thing(thingName=device_id)
    except iot.exceptions.ResourceNotFoundException:
        return False
    return True


def create_thing(iot: "IoTClient", request: Request) -> None:
    """Create the thing, with the attributes by which the fleet can be searched."""
    iot.create_thing(
        thingName=request.device_id, thingTypeName=THING_TYPE, attributePayload={"attributes": _attributes(request)}
    )


def label(iot: "IoTClient", request: Request) -> None:
    """Give an existing thing the type and attributes that `create_thing` gives; others it has stay."""
    iot.update_thing(
        thingName=request.device_id,
        thingTypeName=THING_TYPE,
        attributePayload={"attributes": _attributes(request), "merge": True},
    )


def active_certificate(iot: "IoTClient", device_id: str) -> str:
    """The ARN of a thing's one active certificate. Raises RegistryError saying what thing or certificate lacks."""
    if not exists(iot, device_id):
        raise RegistryError(f"{device_id} is no thing in AWS IoT Core; onboard it")
    arns = [arn for arn in iot.list_thing_principals(thingName=device_id)["principals"] if _is_active(iot, arn)]
    if len(arns) != 1:
        raise RegistryError(f"the thing {device_id} has {len(arns)} active certificates; to adopt it, leave it one")
    policies = [policy["policyName"] for policy in iot.list_attached_policies(target=arns[0])["policies"]]
    if POLICY not in policies:
        raise RegistryError(f"the certificate of {device_id} lacks the policy {POLICY}; attach it and adopt again")
    return arns[0]


def require_platform(iot: "IoTClient") -> None:
    """Raise RegistryError if the thing type or the policy of devices is missing: the platform's stacks deploy them."""
    try:
        iot.describe_thing_type(thingTypeName=THING_TYPE)
        iot.get_policy(policyName=POLICY)
    except iot.exceptions.ResourceNotFoundException as error:
        raise RegistryError(
            f"thing type {THING_TYPE} or policy {POLICY} is not in region {iot.meta.region_name}; deploy the platform"
        ) from error


def create_certificate(iot: "IoTClient", csr: str | None) -> Certificate:
    """An inactive certificate: of the CSR's key, or of a key that AWS makes."""
    if csr is not None:
        signed = iot.create_certificate_from_csr(certificateSigningRequest=csr, setAsActive=False)
        return Certificate(signed["certificateId"], signed["certificateArn"], signed["certificatePem"], None)
    made = iot.create_keys_and_certificate(setAsActive=False)
    return Certificate(
        made["certificateId"], made["certificateArn"], made["certificatePem"], made["keyPair"]["PrivateKey"]
    )


def label_site(iot: "IoTClient", device_id: str, site_id: str) -> None:
    """Set the thing's attribute `site`, by which the fleet can be searched."""
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
    """Revoke every certificate of a thing, and the given one, take their policies, and delete the thing.

    The revoked certificates stay, as evidence and so that AWS refuses them by name. The thing goes: one that is left
    would count as part of the fleet, and would be found in the way when its device id is onboarded again.
    """
    arns = {arn} if arn else set()
    with _gone_is_fine():
        arns |= set(iot.list_thing_principals(thingName=device_id)["principals"])
    for principal in sorted(arns):
        _disarm(iot, device_id, principal, "REVOKED")
    remove_thing(iot, device_id)


def remove_unclaimed(iot: "IoTClient", since: datetime, until: datetime, known: Collection[str]) -> None:
    """Delete certificates made in a period that never became anything: inactive, without thing, policy or registry row.

    AWS has no client token for making a certificate: whoever dies before it has read the answer leaves one behind, of
    which nobody holds the id. All pages are read; AWS documents no default order (API reference, ListCertificates).
    """
    for page in iot.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 250}):
        for certificate in page["certificates"]:
            made, arn = certificate["creationDate"], certificate["certificateArn"]
            if certificate["status"] != "INACTIVE" or not since <= made <= until:
                continue
            if certificate["certificateId"] in known or iot.list_principal_things(principal=arn)["things"]:
                continue
            if not iot.list_attached_policies(target=arn)["policies"]:
                iot.delete_certificate(certificateId=certificate["certificateId"])


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
        for policy in iot.list_attached_policies(target=arn)["policies"]:
            iot.detach_policy(policyName=policy["policyName"], target=arn)
    with _gone_is_fine():
        iot.detach_thing_principal(thingName=device_id, principal=arn)
        _wait(lambda: arn not in iot.list_thing_principals(thingName=device_id)["principals"], device_id)


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
