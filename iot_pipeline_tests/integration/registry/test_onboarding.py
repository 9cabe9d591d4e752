"""Onboarding: everything or nothing, in AWS IoT Core and in the registry, whatever fails at whichever step."""

import signal
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509

from iot_pipeline.registry.bulk import onboard_all
from iot_pipeline.registry.decommission import decommission, recover
from iot_pipeline.registry.devices import change_device, move_device, retire_device
from iot_pipeline.registry.errors import (
    CompensationError,
    DifferentDeviceError,
    OnboardingError,
    RegistryError,
    UnknownReferenceError,
)
from iot_pipeline.registry.onboarding import Onboarded, onboard
from iot_pipeline.registry.registration import Request
from iot_pipeline.registry.things import POLICY, Certificate
from iot_pipeline_tests.support.emulator import LocalAws, eventually, unique
from iot_pipeline_tests.support.registry import OPENED, Connection, World, files, make_csr
from iot_pipeline_tests.support.tripping import (
    CALLS,
    TrippedError,
    Tripping,
    When,
    all_certificates,
    failing,
    leftovers,
    onboard_and_die,
)


def recovered(connection: Connection, iot: Any, device_id: str) -> bool:
    """Recover; whether the device's onboarding was undone: PostgreSQL takes a moment to release a dead one's lock."""
    return [it.outcome for it in recover(connection, iot) if it.device_id == device_id] == ["undone"]


def assert_complete(connection: Connection, iot: Any, request: Request) -> None:
    """The device is whole: thing, one active certificate, its policy, its row."""
    thing = iot.describe_thing(thingName=request.device_id)
    assert thing["thingTypeName"] == "telemetry-sensor"
    assert thing["attributes"] == {"tenant": request.tenant_id, "site": request.site_id, "model": request.model_id}
    (arn,) = iot.list_thing_principals(thingName=request.device_id)["principals"]
    certificate = iot.describe_certificate(certificateId=arn.rpartition("/")[2])["certificateDescription"]
    assert certificate["status"] == "ACTIVE"
    assert [policy["policyName"] for policy in iot.list_attached_policies(target=arn)["policies"]] == [POLICY]
    row = connection.execute(
        "SELECT state, certificate_arn, status FROM registry.onboardings JOIN registry.devices USING (device_id)"
        " WHERE device_id = %s",
        (request.device_id,),
    ).fetchone()
    connection.rollback()
    assert row == ("active", arn, "active")


def test_an_onboarded_device_publishes_with_its_certificate(
    connection: Connection, iot: Any, world: World, local_aws: LocalAws, tmp_path: Path
) -> None:
    request = world.request(firmware="1.4.2")
    onboarded = onboard(connection, iot, request)
    assert_complete(connection, iot, request)
    assert onboarded.device.name == request.device_id
    assert onboarded.device.expected_interval_s == 60
    assert onboarded.certificate is not None
    session = local_aws.connect(request.device_id, *files(onboarded.certificate, tmp_path))
    assert session.publish(f"dt/{request.tenant_id}/a/{request.device_id}/telemetry", b"{}") == "Success"
    session.close()


def test_the_private_key_is_in_no_table_and_in_no_repr(
    connection: Connection, iot: Any, world: World, registry_dsn: str
) -> None:
    onboarded = onboard(connection, iot, world.request())
    assert onboarded.certificate is not None
    assert onboarded.certificate.private_key is not None
    assert "PRIVATE KEY" in onboarded.certificate.private_key
    assert "PRIVATE KEY" not in repr(onboarded)
    for (row,) in connection.execute("SELECT onboardings::text FROM registry.onboardings"):
        assert "KEY" not in row


def test_a_csr_keeps_the_key_with_the_device(connection: Connection, iot: Any, world: World) -> None:
    device_id = unique("device")
    csr, key = make_csr(device_id)
    request = Request(device_id, world.tenant, "a", world.model, csr=csr)
    certificate = onboard(connection, iot, request).certificate
    assert certificate is not None
    assert certificate.private_key is None
    assert x509.load_pem_x509_certificate(certificate.pem.encode()).public_key() == key.public_key()
    assert_complete(connection, iot, request)


def test_a_csr_that_is_none_is_refused_before_anything_is_made(connection: Connection, iot: Any, world: World) -> None:
    before = all_certificates(iot)
    request = world.request(csr="no CSR")
    with pytest.raises(RegistryError, match=f"{request.device_id}: the CSR is no certificate signing request"):
        onboard(connection, iot, request)
    assert leftovers(connection, iot, request.device_id, before) == []


def test_a_key_belongs_to_one_device(connection: Connection, iot: Any, world: World) -> None:
    csr, _ = make_csr("any")
    first, second = world.request(csr=csr), world.request(csr=csr)
    onboard(connection, iot, first)
    before = all_certificates(iot)
    with pytest.raises(
        RegistryError, match=f"{second.device_id}: its CSR is made with the key of device {first.device_id}"
    ):
        onboard(connection, iot, second)
    assert leftovers(connection, iot, second.device_id, before) == []
    decommission(connection, iot, first.device_id)
    onboard(connection, iot, second)


def test_of_two_devices_of_one_key_onboarded_at_once_one_is_refused(
    connection: Connection, iot: Any, world: World, registry_dsn: str
) -> None:
    csr, _ = make_csr("any")
    before, requests = all_certificates(iot), [world.request(csr=csr) for _ in range(8)]

    def one(own: Connection, request: Request) -> Onboarded:
        return onboard(own, iot, request)

    outcomes = onboard_all(partial(psycopg.connect, registry_dsn), requests, one)
    assert Counter(it.result for it in outcomes) == {"created": 1, "failed": 7}
    assert len(all_certificates(iot) - before) == 1


def test_onboarding_twice_is_once_and_a_difference_is_named(connection: Connection, iot: Any, world: World) -> None:
    request = world.request()
    first = onboard(connection, iot, request)
    certificates = all_certificates(iot)
    again = onboard(connection, iot, request)
    assert again.certificate is None
    assert (again.device, again.certificate_id) == (first.device, first.certificate_id)
    other = Request(request.device_id, world.tenant, "b", world.model, firmware="2")
    with pytest.raises(DifferentDeviceError, match="site b asked, a registered; firmware 2 asked, None registered"):
        onboard(connection, iot, other)
    assert all_certificates(iot) == certificates


def test_a_list_may_be_onboarded_again_after_a_device_has_moved(connection: Connection, iot: Any, world: World) -> None:
    request = world.request(firmware="1", installed_at=OPENED)
    onboard(connection, iot, request)
    move_device(connection, request.device_id, "b")
    change_device(connection, request.device_id, firmware="2")
    assert not onboard(connection, iot, request).created
    assert not onboard(connection, iot, replace(request, site_id="b", firmware="2")).created
    with pytest.raises(DifferentDeviceError, match="site c asked, b registered; installed_at 2025-01-02"):
        onboard(connection, iot, replace(request, site_id="c", installed_at=OPENED + timedelta(days=1)))
    retire_device(connection, request.device_id)
    with pytest.raises(DifferentDeviceError, match="it is decommissioned since"):
        onboard(connection, iot, request)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tenant_id": "nobody"}, "tenant 'nobody' is not in the registry"),
        ({"site_id": "nowhere"}, "site 'nowhere' of tenant"),
        ({"model_id": "nothing"}, "model 'nothing' is not in the registry"),
    ],
)
def test_an_unknown_reference_is_named_before_anything_is_made(
    connection: Connection, iot: Any, world: World, wrong: dict[str, str], message: str
) -> None:
    asked = {"device_id": unique("device"), "tenant_id": world.tenant, "site_id": "a", "model_id": world.model}
    watched = Tripping(iot, -1, "before", failing)
    with pytest.raises(UnknownReferenceError, match=message):
        onboard(connection, watched, Request(**(asked | wrong)))  # type: ignore[arg-type]  # behaves as a client
    assert watched.calls == []


def test_somebody_elses_thing_is_neither_taken_nor_removed(connection: Connection, iot: Any, world: World) -> None:
    request = world.request()
    iot.create_thing(thingName=request.device_id)
    with pytest.raises(RegistryError, match="adopt it or delete it"):
        onboard(connection, iot, request)
    assert iot.describe_thing(thingName=request.device_id)["attributes"] == {}


def test_undoing_leaves_others_certificates_alone(
    connection: Connection, iot: Any, world: World, registry_dsn: str, iot_options: dict[str, str], forks: Any
) -> None:
    """Inactive and unattached, made in the same minutes, by somebody who has not come to attach it yet."""
    other = iot.create_keys_and_certificate(setAsActive=False)
    before, request = all_certificates(iot), world.request()
    call = CALLS.index("create_certificate_from_csr")
    killed = forks.Process(target=onboard_and_die, args=(registry_dsn, iot_options, request, call, "after"))
    killed.start()
    killed.join(60)
    assert len(all_certificates(iot) - before) == 1
    assert eventually(lambda: recovered(connection, iot, request.device_id))
    assert all_certificates(iot) == before
    assert other["certificateId"] in before


def test_others_certificates_may_go_while_it_undoes(connection: Connection, iot: Any, world: World) -> None:
    """Of a batch that was killed, several undo at once, each of which sees the others' certificates come and go."""
    request, before = world.request(), all_certificates(iot)
    with pytest.raises(KeyboardInterrupt):
        onboard(connection, Interrupted(iot), request)  # type: ignore[arg-type]  # behaves as a client
    assert leftovers(connection, iot, request.device_id, before) == []


class Interrupted:
    """A client that is interrupted after it made a certificate, and sees others' go as soon as it looks at them."""

    def __init__(self, iot: Any) -> None:
        self._iot = iot
        self.others = {iot.create_keys_and_certificate(setAsActive=False)["certificateId"] for _ in range(2)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iot, name)

    def create_certificate_from_csr(self, **arguments: Any) -> Any:
        self._iot.create_certificate_from_csr(**arguments)
        raise KeyboardInterrupt

    def describe_certificate(self, certificateId: str) -> Any:  # noqa: N803 - as boto3 names it
        if certificateId in self.others:
            self._iot.delete_certificate(certificateId=certificateId)
        return self._iot.describe_certificate(certificateId=certificateId)


def test_it_refuses_a_connection_within_a_transaction(connection: Connection, iot: Any, world: World) -> None:
    connection.execute("SELECT 1")
    with pytest.raises(ValueError, match="commit or roll back"):
        onboard(connection, iot, world.request())


def test_the_calls_walked_below_are_those_that_onboarding_makes(connection: Connection, iot: Any, world: World) -> None:
    watched = Tripping(iot, -1, "before", failing)
    onboard(connection, watched, world.request())  # type: ignore[arg-type]  # behaves as a client
    assert tuple(watched.calls) == CALLS


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, len(CALLS)), ids=CALLS[1:])
def test_a_failure_at_any_step_is_undone(connection: Connection, iot: Any, world: World, call: int, when: When) -> None:
    before, request = all_certificates(iot), world.request()
    with pytest.raises(OnboardingError, match="was undone: as asked"):
        onboard(connection, Tripping(iot, call, when, failing), request)  # type: ignore[arg-type]  # behaves as a client
    assert leftovers(connection, iot, request.device_id, before) == []
    onboard(connection, iot, request)
    assert_complete(connection, iot, request)


def test_a_failed_delivery_and_an_interrupt_are_undone(connection: Connection, iot: Any, world: World) -> None:
    before, request = all_certificates(iot), world.request()

    def full(_: Certificate) -> None:
        raise OSError("no space left")

    def interrupted(_: Certificate) -> None:
        raise KeyboardInterrupt

    with pytest.raises(OnboardingError, match=r"'delivery'.*no space left"):
        onboard(connection, iot, request, full)
    with pytest.raises(KeyboardInterrupt):
        onboard(connection, iot, request, interrupted)
    assert leftovers(connection, iot, request.device_id, before) == []


def test_what_cannot_be_undone_is_left_to_recover(connection: Connection, iot: Any, world: World) -> None:
    """AWS IoT fails and stays away: the intent says how far it came."""
    before, request = all_certificates(iot), world.request()

    class Gone(Tripping):
        def __getattr__(self, name: str) -> Any:
            if len(self.calls) > CALLS.index("attach_policy"):
                raise OSError("unreachable")
            return super().__getattr__(name)

    with pytest.raises(CompensationError, match=r"could not be undone.*recover"):
        onboard(connection, Gone(iot, CALLS.index("attach_policy"), "after", failing), request)  # type: ignore[arg-type]  # behaves as a client
    assert "onboardings" in leftovers(connection, iot, request.device_id, before)
    (done,) = [it for it in recover(connection, iot) if it.device_id == request.device_id]
    assert done.outcome == "undone"
    assert leftovers(connection, iot, request.device_id, before) == []


def test_undoing_may_itself_fail_at_any_call_and_recover_ends_it(
    connection: Connection, iot: Any, world: World
) -> None:
    before, request = all_certificates(iot), world.request()

    def lost(_: Certificate) -> None:
        raise KeyboardInterrupt

    calls = 0
    while True:
        failing_undo = Tripping(iot, len(CALLS) + calls, "after", failing)
        try:
            onboard(connection, failing_undo, request, lost)  # type: ignore[arg-type]  # behaves as a client
        except TrippedError:
            calls += 1
        except KeyboardInterrupt:
            break
        assert [it.outcome for it in recover(connection, iot) if it.device_id == request.device_id] == ["undone"]
        assert leftovers(connection, iot, request.device_id, before) == []
    assert calls >= 5


@pytest.mark.parametrize("call", range(1, len(CALLS)), ids=CALLS[1:])
def test_a_database_that_goes_away_at_any_step_leaves_nothing_after_recover(
    connection: Connection, iot: Any, world: World, registry_dsn: str, call: int
) -> None:
    before, request = all_certificates(iot), world.request()
    with psycopg.connect(registry_dsn, autocommit=True) as victim:

        def cut() -> None:
            connection.execute("SELECT pg_terminate_backend(%s)", (victim.info.backend_pid,))
            connection.rollback()

        with pytest.raises(CompensationError, match="could not be undone"):
            onboard(victim, Tripping(iot, call, "after", cut), request)  # type: ignore[arg-type]  # behaves as a client
    assert eventually(lambda: recovered(connection, iot, request.device_id))
    assert leftovers(connection, iot, request.device_id, before) == []


STEPS = [(call, when) for call in range(1, len(CALLS)) for when in ("before", "after")] + [(len(CALLS), "before")]


@pytest.mark.parametrize(("call", "when"), STEPS, ids=[f"{when}-{(*CALLS, 'delivery')[call]}" for call, when in STEPS])
def test_kill_9_at_any_step_leaves_nothing_after_recover(
    connection: Connection,
    iot: Any,
    world: World,
    registry_dsn: str,
    iot_options: dict[str, str],
    forks: Any,
    call: int,
    when: When,
) -> None:
    before, request = all_certificates(iot), world.request()
    killed = forks.Process(target=onboard_and_die, args=(registry_dsn, iot_options, request, call, when))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL

    assert eventually(lambda: recovered(connection, iot, request.device_id))
    assert leftovers(connection, iot, request.device_id, before) == []
    assert recover(connection, iot) == []


def test_recover_leaves_an_onboarding_alone_whose_process_lives(
    connection: Connection, iot: Any, world: World, registry_dsn: str
) -> None:
    request = world.request()

    def meanwhile(_: Certificate) -> None:
        with psycopg.connect(registry_dsn) as other:
            assert [(it.device_id, it.outcome) for it in recover(other, iot)] == [(request.device_id, "busy")]

    onboard(connection, iot, request, meanwhile)
    assert_complete(connection, iot, request)
