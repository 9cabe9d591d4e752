"""A device as onboarding makes it in AWS IoT, without the registry's database: thing, certificate, policy, key."""

from collections.abc import Mapping

from iot_pipeline.registry import things
from iot_pipeline.registry.keys import for_device
from iot_pipeline.registry.registration import Request
from iot_pipeline_tests.support.emulator import Device, LocalAws


def onboarded(running: LocalAws, outputs: Mapping[str, str], name: str, tenant: str, site: str) -> Device:
    """A device of a tenant and site, in the environment that these outputs of the stacks name."""
    iot, kind = running.client("iot"), things.DeviceKind(outputs["DeviceThingType"], outputs["DevicePolicy"])
    things.require_platform(iot, kind)
    things.create_thing(iot, Request(name, tenant, site, "climate"), kind)
    made = things.create_certificate(iot, for_device(name, csr=None))
    iot.attach_policy(policyName=kind.policy, target=made.arn)
    iot.attach_thing_principal(thingName=name, principal=made.arn)
    iot.update_certificate(certificateId=made.certificate_id, newStatus="ACTIVE")
    certificate, key = running.folder / f"{name}.pem", running.folder / f"{name}.key"
    certificate.write_text(made.pem)
    key.write_text(made.private_key or "")
    return Device(name, made.certificate_id, made.arn, certificate, key)
