"""The end of a device, and devices from the factory."""

from pathlib import Path
from typing import Any

import pytest

from iot_pipeline.registry.adoption import adopt
from iot_pipeline.registry.decommission import decommission, recover
from iot_pipeline.registry.devices import history
from iot_pipeline.registry.errors import (
    CompensationError,
    DifferentDeviceError,
    OnboardingError,
    RegistryError,
    UnknownReferenceError,
)
from iot_pipeline.registry.onboarding import onboard
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline.registry.things import POLICY, THING_TYPE, find
from iot_pipeline_tests.support.emulator import LocalAws, unique
from iot_pipeline_tests.support.registry import Connection, World, catalog, files
from iot_pipeline_tests.support.tripping import CALLS, Tripping, all_certificates, failing


def assert_ended(connection: Connection, iot: Any, device_id: str, arn: str) -> None:
    """A thing of its name alone, a revoked certificate without policy or thing, a history that ends decommissioned."""
    thing = iot.describe_thing(thingName=device_id)
    assert (thing.get("thingTypeName"), thing["attributes"]) == (None, {"decommissioned": "true"})
    assert iot.list_thing_principals(thingName=device_id)["principals"] == []
    certificate = iot.describe_certificate(certificateId=arn.rpartition("/")[2])["certificateDescription"]
    assert certificate["status"] == "REVOKED"
    assert iot.list_attached_policies(target=arn)["policies"] == []
    assert iot.list_principal_things(principal=arn)["things"] == []
    assert [version.status for version in history(connection, device_id)] == ["active", "decommissioned"]


def test_a_decommissioned_device_is_put_out_and_refused_at_its_next_connect(
    connection: Connection, iot: Any, world: World, local_aws: LocalAws, tmp_path: Path
) -> None:
    request = world.request()
    onboarded = onboard(connection, iot, request)
    credentials = files(onboarded.certificate, tmp_path)
    session = local_aws.connect(request.device_id, *credentials)
    assert session.of("connack") == ["Success"]
    decommission(connection, iot, request.device_id)
    assert session.closed.wait(10)
    again = local_aws.connect(request.device_id, *credentials)
    assert again.closed.wait(10)
    assert again.of("connack") == []
    assert_ended(connection, iot, request.device_id, onboarded.certificate_arn)


def test_decommissioning_twice_is_once(connection: Connection, iot: Any, world: World) -> None:
    request = world.request()
    onboard(connection, iot, request)
    ended = decommission(connection, iot, request.device_id)
    watched = Tripping(iot, -1, "before", failing)
    assert decommission(connection, watched, request.device_id) == ended  # type: ignore[arg-type]  # behaves as a client
    assert watched.calls == []
    with pytest.raises(UnknownReferenceError, match="device 'nothing' is not in the registry"):
        decommission(connection, iot, "nothing")


def test_every_certificate_of_a_device_is_revoked(connection: Connection, iot: Any, world: World) -> None:
    """A certificate may have been rotated, or the device registered without one."""
    request = world.request()
    onboard(connection, iot, request)
    second = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=POLICY, target=second["certificateArn"])
    iot.attach_thing_principal(thingName=request.device_id, principal=second["certificateArn"])
    decommission(connection, iot, request.device_id)
    assert_ended(connection, iot, request.device_id, second["certificateArn"])


def test_a_decommissioned_device_comes_back_with_a_new_certificate(
    connection: Connection, iot: Any, world: World
) -> None:
    request = world.request()
    first = onboard(connection, iot, request)
    decommission(connection, iot, request.device_id)
    second = onboard(connection, iot, request)
    assert second.created
    assert second.certificate_id != first.certificate_id
    thing = iot.describe_thing(thingName=request.device_id)
    assert thing["thingTypeName"] == THING_TYPE
    assert thing["attributes"] == {"tenant": request.tenant_id, "site": request.site_id, "model": request.model_id}
    assert [v.status for v in history(connection, request.device_id)] == ["active", "decommissioned", "active"]
    assert not onboard(connection, iot, request).created
    before = history(connection, request.device_id)
    with pytest.raises(RegistryError, match="was onboarded again after that time"):
        decommission(connection, iot, request.device_id, at=first.device.valid_from)
    assert history(connection, request.device_id) == before
    certificate = iot.describe_certificate(certificateId=second.certificate_id)["certificateDescription"]
    assert certificate["status"] == "ACTIVE"


def test_a_return_that_fails_leaves_the_tombstone(connection: Connection, iot: Any, world: World) -> None:
    request = world.request()
    arn = onboard(connection, iot, request).certificate_arn
    decommission(connection, iot, request.device_id)
    before = all_certificates(iot)
    for call in range(1, len(CALLS)):
        with pytest.raises(OnboardingError, match="was undone"):
            onboard(connection, Tripping(iot, call, "after", failing), request)  # type: ignore[arg-type]  # behaves as a client
        assert_ended(connection, iot, request.device_id, arn)
        assert all_certificates(iot) == before


def test_decommissioning_that_fails_at_any_call_is_finished_by_recover(
    connection: Connection, iot: Any, world: World
) -> None:
    call = 0
    while True:
        request = world.request()
        arn = onboard(connection, iot, request).certificate_arn
        tripping = Tripping(iot, call, ("before", "after")[call % 2], lambda: (_ for _ in ()).throw(OSError("gone")))
        try:
            decommission(connection, tripping, request.device_id)  # type: ignore[arg-type]  # behaves as a client
            break
        except CompensationError:
            assert len(tripping.calls) == call + 1
        assert [version.status for version in history(connection, request.device_id)] == ["active", "decommissioned"]
        with pytest.raises(RegistryError, match="is being decommissioned; recover"):
            onboard(connection, iot, request)
        assert [(it.device_id, it.outcome) for it in recover(connection, iot)] == [
            (request.device_id, "decommissioned")
        ]
        assert_ended(connection, iot, request.device_id, arn)
        call += 1
    assert call >= 6


def test_a_factory_device_is_adopted_with_its_certificate(
    connection: Connection, iot: Any, factory_device: Request
) -> None:
    before = all_certificates(iot)
    adopted = adopt(connection, iot, factory_device)
    thing = iot.describe_thing(thingName=factory_device.device_id)
    assert thing["attributes"]["batch"] == "7"
    assert thing["attributes"]["tenant"] == factory_device.tenant_id
    assert iot.list_thing_principals(thingName=factory_device.device_id)["principals"] == [adopted.certificate_arn]
    assert all_certificates(iot) == before
    again = adopt(connection, iot, factory_device)
    assert (again.created, again.certificate_id) == (False, adopted.certificate_id)
    decommission(connection, iot, factory_device.device_id)
    assert_ended(connection, iot, factory_device.device_id, adopted.certificate_arn)


def test_what_a_thing_lacks_to_be_adopted_is_named(
    connection: Connection, iot: Any, world: World, factory_device: Request
) -> None:
    with pytest.raises(RegistryError, match="is no thing in AWS IoT Core; onboard it"):
        adopt(connection, iot, world.request())
    (arn,) = iot.list_thing_principals(thingName=factory_device.device_id)["principals"]
    iot.detach_policy(policyName=POLICY, target=arn)
    with pytest.raises(RegistryError, match=f"lacks the policy {POLICY}"):
        adopt(connection, iot, factory_device)
    iot.update_certificate(certificateId=arn.rpartition("/")[2], newStatus="INACTIVE")
    with pytest.raises(RegistryError, match="has 0 active certificates"):
        adopt(connection, iot, factory_device)


def test_a_device_without_onboarding_is_ended_too(connection: Connection, iot: Any, world: World) -> None:
    request = world.request()
    add_device(connection, request)
    assert decommission(connection, iot, request.device_id).status == "decommissioned"
    assert find(iot, request.device_id) == "tombstone"
    stranger = unique("tenant")
    apply(connection, catalog(stranger))
    with pytest.raises(DifferentDeviceError, match=f"belonged to tenant {world.tenant}"):
        onboard(connection, iot, Request(request.device_id, stranger, "a", world.model))
