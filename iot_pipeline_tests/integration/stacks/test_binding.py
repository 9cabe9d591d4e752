"""Tenant and site are bound to the thing: by the deployed policy, on the real broker, before and after a move."""

from typing import Any

import pytest

from iot_pipeline.registry import things
from iot_pipeline_tests.support.emulator import LocalAws, Session, unique
from iot_pipeline_tests.support.onboarded import onboarded

pytestmark = pytest.mark.integration


def admitted(running: LocalAws, outputs: dict[str, str], tenant: str, site: str) -> tuple[str, Session]:
    """A device as onboarding makes it in AWS IoT, connected."""
    device = onboarded(running, outputs, unique("sensor"), tenant, site)
    return device.name, running.connect_device(device)


def answers(session: Session, *topics: str) -> list[str]:
    return [session.publish(topic, b"{}") for topic in topics]


def test_a_device_publishes_for_its_tenant_and_site_alone(aws: tuple[LocalAws, dict[str, str]]) -> None:
    running, outputs = aws
    name, session = admitted(running, outputs, "acme", "oslo")
    assert answers(session, f"dt/acme/oslo/{name}/telemetry") == ["Success"]
    others = (f"dt/globex/oslo/{name}/telemetry", f"dt/acme/lima/{name}/telemetry", f"dt/acme/oslo/{name}x/telemetry")
    assert answers(session, *others) == ["Not authorized"] * 3
    session.close()


def test_a_moved_device_publishes_under_its_new_site_and_no_longer_under_the_old(
    aws: tuple[LocalAws, dict[str, str]],
) -> None:
    """Within the session: on AWS a few minutes pass, here the next message is judged by the new attribute."""
    running, outputs = aws
    name, session = admitted(running, outputs, "acme", "oslo")
    old, new = (f"dt/acme/{site}/{name}/telemetry" for site in ("oslo", "lima"))
    assert answers(session, old, new) == ["Success", "Not authorized"]
    things.label_site(running.client("iot"), name, "lima")
    assert answers(session, old, new) == ["Not authorized", "Success"]
    assert session.of("disconnect") == []
    session.close()


def test_a_thing_without_attributes_publishes_nothing(aws: tuple[LocalAws, dict[str, str]]) -> None:
    running, outputs = aws
    name, session = admitted(running, outputs, "acme", "oslo")
    iot: Any = running.client("iot")
    iot.update_thing(thingName=name, attributePayload={"attributes": {}, "merge": False})
    assert answers(session, f"dt/acme/oslo/{name}/telemetry", f"dt///{name}/telemetry") == ["Not authorized"] * 2
    session.close()
