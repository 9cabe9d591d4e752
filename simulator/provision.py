"""Onboard devices into AWS IoT Core: a key and a certificate each, a thing, a policy. Safe to repeat."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from simulator.fleet import Device, Fleet
from simulator.keys import Credentials, credentials, load_key, signing_request, write_whole

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient
    from mypy_boto3_iot.type_defs import AttributePayloadTypeDef

THING_TYPE = "telemetry-sensor"
POLICY = "telemetry-device"
_WORKERS = 8


class Onboarding(StrEnum):
    """What provisioning found or did for a device."""

    KEPT = "kept"
    CREATED = "created"


def iot_client() -> "IoTClient":
    """An AWS IoT client from the ordinary AWS environment, with room for the pool of workers."""
    return boto3.client("iot", config=Config(max_pool_connections=_WORKERS, retries={"mode": "adaptive"}))


def provision(
    fleet: Fleet,
    folder: Path,
    iot: "IoTClient",
    thing_type: str = THING_TYPE,
    policy: str = POLICY,
    on_device: Callable[[], None] = lambda: None,
) -> dict[Onboarding, int]:
    """Bring every device of a fleet to the state: key and active certificate on disk, thing, policy attached.

    Credentials on disk whose certificate is active at AWS are kept; anything missing is completed. Private keys
    never leave the machine: AWS signs a CSR (AWS IoT API reference, CreateCertificateFromCsr). Calls `on_device`
    after each. Returns how many devices were kept and created. Raises ValueError when the policy or the thing
    type does not exist: they belong to the platform, not to the simulator.
    """
    _require_platform(iot, thing_type, policy)
    (folder / "devices").mkdir(parents=True, exist_ok=True, mode=0o700)
    fleet.save(folder)
    counts = dict.fromkeys(Onboarding, 0)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for outcome in pool.map(lambda device: _onboard(device, folder, iot, thing_type, policy), fleet.devices):
            counts[outcome] += 1
            on_device()
    return counts


def _require_platform(iot: "IoTClient", thing_type: str, policy: str) -> None:
    missing = []
    try:
        iot.get_policy(policyName=policy)
    except iot.exceptions.ResourceNotFoundException:
        missing.append(f"IoT policy {policy!r} (--policy)")
    try:
        iot.describe_thing_type(thingTypeName=thing_type)
    except iot.exceptions.ResourceNotFoundException:
        missing.append(f"thing type {thing_type!r} (--thing-type)")
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} not found in region {iot.meta.region_name}; deploy the platform first"
        )


def _onboard(device: Device, folder: Path, iot: "IoTClient", thing_type: str, policy: str) -> Onboarding:
    files = credentials(folder, device.device_id)
    arn = _active_certificate(files, iot)
    outcome = Onboarding.KEPT if arn else Onboarding.CREATED
    if arn is None:
        arn = _sign(device, files, iot)
    # These three do nothing when they are already done, so an interrupted device is completed here.
    _register(device, iot, thing_type)
    iot.attach_policy(policyName=policy, target=arn)
    iot.attach_thing_principal(thingName=device.device_id, principal=arn)
    return outcome


def _register(device: Device, iot: "IoTClient", thing_type: str) -> None:
    attributes = {"tenant": device.tenant, "site": device.site, "kind": str(device.kind)}
    payload: AttributePayloadTypeDef = {"attributes": attributes}
    try:
        iot.create_thing(thingName=device.device_id, thingTypeName=thing_type, attributePayload=payload)
    except iot.exceptions.ResourceAlreadyExistsException:  # from another seed: the same name, another kind
        iot.update_thing(thingName=device.device_id, thingTypeName=thing_type, attributePayload=payload)


def _active_certificate(files: Credentials, iot: "IoTClient") -> str | None:
    """The ARN of the certificate on disk if it fits the key and AWS knows it as active, else None."""
    if not (files.key.exists() and files.certificate.exists()):
        return None
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    key = load_key(files.key)
    if key.public_key() != certificate.public_key():
        return None
    # A certificate's id is the SHA-256 fingerprint of its DER form.
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    try:
        known = iot.describe_certificate(certificateId=fingerprint)["certificateDescription"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return known["certificateArn"] if known["status"] == "ACTIVE" else None


def _sign(device: Device, files: Credentials, iot: "IoTClient") -> str:
    csr = signing_request(device.device_id, files.key)
    signed = iot.create_certificate_from_csr(certificateSigningRequest=csr, setAsActive=True)
    write_whole(files.certificate, signed["certificatePem"].encode(), mode=0o644)
    return signed["certificateArn"]
