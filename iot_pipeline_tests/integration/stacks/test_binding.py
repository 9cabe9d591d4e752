"""Tenant and site are bound to the thing: by the deployed policy, on the real broker, before and after a move."""

from pathlib import Path
from typing import Any

import pytest

from iot_pipeline.registry import things
from iot_pipeline.registry.keys import for_device
from iot_pipeline.registry.registration import Request
from iot_pipeline_tests.support.emulator import LocalAws, Session, unique

pytestmark = pytest.mark.integration


def admitted(running: LocalAws, kind: things.DeviceKind, tenant: str, site: str) -> tuple[str, Session]:
    """A device as onboarding makes it in AWS IoT, connected."""
    iot, name = running.client("iot"), unique("sensor")
    things.create_thing(iot, Request(name, tenant, site, "climate"), kind)
    made = things.create_certificate(iot, for_device(name, csr=None))
    iot.attach_policy(policyName=kind.policy, target=made.arn)
    iot.attach_thing_principal(thingName=name, principal=made.arn)
    iot.update_certificate(certificateId=made.certificate_id, newStatus="ACTIVE")
    certificate, key = _files(running.folder, name, made)
    return name, running.connect(name, certificate, key)


def _files(folder: Path, name: str, made: things.Certificate) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_text(made.pem)
    key.write_text(made.private_key or "")
    return certificate, key


def answers(session: Session, *topics: str) -> list[str]:
    return [session.publish(topic, b"{}") for topic in topics]


def test_a_device_publishes_for_its_tenant_and_site_alone(aws: tuple[LocalAws, dict[str, str]]) -> None:
    running, outputs = aws
    kind = things.DeviceKind(outputs["DeviceThingType"], outputs["DevicePolicy"])
    name, session = admitted(running, kind, "acme", "oslo")
    assert answers(session, f"dt/acme/oslo/{name}/telemetry") == ["Success"]
    others = (f"dt/globex/oslo/{name}/telemetry", f"dt/acme/lima/{name}/telemetry", f"dt/acme/oslo/{name}x/telemetry")
    assert answers(session, *others) == ["Not authorized"] * 3
    session.close()


def test_a_moved_device_publishes_under_its_new_site_and_no_longer_under_the_old(
    aws: tuple[LocalAws, dict[str, str]],
) -> None:
    """Within the session: on AWS a few minutes pass, here the next message is judged by the new attribute."""
    running, outputs = aws
    kind = things.DeviceKind(outputs["DeviceThingType"], outputs["DevicePolicy"])
    name, session = admitted(running, kind, "acme", "oslo")
    old, new = (f"dt/acme/{site}/{name}/telemetry" for site in ("oslo", "lima"))
    assert answers(session, old, new) == ["Success", "Not authorized"]
    things.label_site(running.client("iot"), name, "lima")
    assert answers(session, old, new) == ["Not authorized", "Success"]
    assert session.of("disconnect") == []
    session.close()


def test_a_thing_without_attributes_publishes_nothing(aws: tuple[LocalAws, dict[str, str]]) -> None:
    running, outputs = aws
    kind = things.DeviceKind(outputs["DeviceThingType"], outputs["DevicePolicy"])
    name, session = admitted(running, kind, "acme", "oslo")
    iot: Any = running.client("iot")
    iot.update_thing(thingName=name, attributePayload={"attributes": {}, "merge": False})
    assert answers(session, f"dt/acme/oslo/{name}/telemetry", f"dt///{name}/telemetry") == ["Not authorized"] * 2
    session.close()
