"""The end of a device, devices from the factory, many devices at once, and the command line."""

import csv
import json
import signal
import stat
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from infra.local.postgres.process import Postgres
from iot_pipeline import settings
from iot_pipeline.registry.adoption import adopt
from iot_pipeline.registry.bulk import Outcome, onboard_all
from iot_pipeline.registry.cli import app
from iot_pipeline.registry.decommission import decommission, recover
from iot_pipeline.registry.devices import history
from iot_pipeline.registry.errors import CompensationError, DifferentDeviceError, RegistryError, UnknownReferenceError
from iot_pipeline.registry.onboarding import Onboarded, onboard
from iot_pipeline.registry.registration import Request, add_device
from iot_pipeline.registry.sites import apply
from iot_pipeline.registry.things import POLICY
from iot_pipeline_tests.integration.emulator_fixture import LocalAws, local_aws, unique
from iot_pipeline_tests.integration.registry_fixture import (
    Connection,
    World,
    catalog,
    connection,
    files,
    forks,
    iot,
    iot_options,
    make_csr,
    registry_dsn,
    registry_server,
    world,
)
from iot_pipeline_tests.integration.registry_trips import Tripping, all_certificates, failing, onboard_many_and_die

__all__ = ["connection", "forks", "iot", "iot_options", "local_aws", "registry_dsn", "registry_server", "world"]


def assert_ended(connection: Connection, iot: Any, device_id: str, arn: str) -> None:
    """No thing, a revoked certificate without policy or thing, a history that ends with decommissioned."""
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_thing(thingName=device_id)
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
    assert [v.status for v in history(connection, request.device_id)] == ["active", "decommissioned", "active"]
    assert not onboard(connection, iot, request).created
    before = history(connection, request.device_id)
    with pytest.raises(RegistryError, match="was onboarded again after that time"):
        decommission(connection, iot, request.device_id, at=first.device.valid_from)
    assert history(connection, request.device_id) == before
    certificate = iot.describe_certificate(certificateId=second.certificate_id)["certificateDescription"]
    assert certificate["status"] == "ACTIVE"


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


@pytest.fixture
def factory_device(iot: Any, world: World) -> Request:
    """A device that provisioned itself by claim: thing, active certificate, policy."""
    request = world.request()
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.create_thing(thingName=request.device_id, attributePayload={"attributes": {"batch": "7"}})
    iot.attach_policy(policyName=POLICY, target=made["certificateArn"])
    iot.attach_thing_principal(thingName=request.device_id, principal=made["certificateArn"])
    return request


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


def test_a_bad_device_costs_only_itself_and_a_second_call_does_what_is_missing(
    connection: Connection, iot: Any, world: World, registry_dsn: str
) -> None:
    csr, _ = make_csr("any")  # saves the time that AWS takes to make 60 keys
    requests = [world.request(csr=csr) for _ in range(60)]
    requests[7] = world.request(site="nowhere", csr=csr)
    requests[30] = world.request(csr="no CSR")
    told: list[Outcome] = []
    connect = partial(psycopg.connect, registry_dsn)

    def one(own: Connection, request: Request) -> Onboarded:
        return onboard(own, iot, request)

    outcomes = onboard_all(connect, requests, one, told.append)
    assert [outcome.device_id for outcome in outcomes] == [request.device_id for request in requests]
    assert sorted(told, key=lambda it: it.device_id) == sorted(outcomes, key=lambda it: it.device_id)
    failed = {outcome.device_id: outcome.reason for outcome in outcomes if outcome.result == "failed"}
    assert failed.keys() == {requests[7].device_id, requests[30].device_id}
    assert "site 'nowhere'" in failed[requests[7].device_id]
    assert "CSR" in failed[requests[30].device_id]
    certificates = all_certificates(iot)
    requests[7] = world.request(csr=csr)
    again = onboard_all(connect, requests, one)
    assert [it.result for it in again] == ["created" if n == 7 else "failed" if n == 30 else "kept" for n in range(60)]
    assert len(all_certificates(iot) - certificates) == 1


def test_many_devices_killed_on_the_way_are_completed_by_a_second_call(
    connection: Connection, iot: Any, world: World, registry_dsn: str, iot_options: dict[str, str], forks: Any
) -> None:
    csr, _ = make_csr("any")
    requests = [world.request(csr=csr) for _ in range(24)]
    before = all_certificates(iot)
    killed = forks.Process(target=onboard_many_and_die, args=(registry_dsn, iot_options, requests, 6))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    connect = partial(psycopg.connect, registry_dsn)
    outcomes = Counter(it.result for it in onboard_all(connect, requests, lambda own, it: onboard(own, iot, it)))
    assert outcomes["kept"] >= 6
    assert outcomes["created"] >= 1
    assert outcomes["failed"] == 0
    made = all_certificates(iot) - before
    held = "SELECT certificate_id FROM registry.onboardings WHERE state = 'active' AND device_id = ANY(%s)"
    rows = connection.execute(held, ([request.device_id for request in requests],))
    assert sorted(made) == sorted(certificate for (certificate,) in rows)
    connection.commit()
    assert recover(connection, iot) == []


def test_an_interrupt_ends_what_is_begun_and_begins_no_more(
    connection: Connection, iot: Any, world: World, registry_dsn: str
) -> None:
    requests = [world.request() for _ in range(30)]

    def interrupt(_: Outcome) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        onboard_all(
            partial(psycopg.connect, registry_dsn),
            requests,
            lambda own, it: onboard(own, iot, it),
            interrupt,
            workers=2,
        )
    ids = [request.device_id for request in requests]
    rows = connection.execute(
        "SELECT state, count(*) FROM registry.onboardings WHERE device_id = ANY(%s) GROUP BY 1", (ids,)
    )
    ((state, count),) = rows.fetchall()
    assert state == "active"
    assert 1 <= count < 30


@pytest.fixture
def command(registry_server: Postgres, local_aws: LocalAws, iot: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run `python -m iot_pipeline.registry`, in this process, with the environment of the local services."""
    server = conninfo_to_dict(registry_server.dsn("registry"))
    for name in ("host", "port", "user", "password"):
        monkeypatch.setenv(f"IOT_REGISTRY_{name.upper()}", str(server[name]))
    monkeypatch.setenv("IOT_REGISTRY_SSLMODE", "disable")
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.emulator.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", iot.meta.region_name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    settings.registry.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])
    settings.registry.cache_clear()


def test_the_first_round_of_the_help_works(command: Any, tmp_path: Path) -> None:
    tenant = unique("tenant")
    (tmp_path / "catalog.json").write_text(catalog(tenant).model_dump_json())
    devices = [unique("device") for _ in range(3)]
    lines = ["device_id,tenant,site,model", *(f"{device},{tenant},a,{tenant}-model" for device in devices)]
    (tmp_path / "devices.csv").write_text("\n".join(lines))
    assert "is at revision 0001" in command("migrate").output
    assert "1 tenants, 1 customers, 3 sites, 1 models" in command("apply", tmp_path / "catalog.json").output
    done = command("onboard-all", tmp_path / "devices.csv", "--out", tmp_path / "keys")
    assert done.exit_code == 0, done.output
    assert "3 devices: 3 created, 0 kept, 0 failed" in done.output
    for device in devices:
        assert "PRIVATE KEY" in (tmp_path / "keys" / f"{device}.key").read_text()
        assert stat.S_IMODE((tmp_path / "keys" / f"{device}.key").stat().st_mode) == 0o600
        assert "BEGIN CERTIFICATE" in (tmp_path / "keys" / f"{device}.crt").read_text()
    assert "3 kept" in command("onboard-all", tmp_path / "devices.csv", "--out", tmp_path / "keys").output
    assert "is at site b since" in command("move", devices[0], "--site", "b").output
    told = command("history", devices[0]).output.splitlines()
    assert [" a " in told[1], " b " in told[2]] == [True, True]
    assert "certificate_id" in command("show", devices[0]).output
    assert "is decommissioned since" in command("decommission", devices[0]).output
    assert "decommissioned" in command("show", devices[0]).output
    assert command("recover").exit_code == 0


def test_a_move_is_seen_at_the_thing(command: Any, iot: Any, world: World, tmp_path: Path) -> None:
    device = unique("device")
    options = ["--tenant", world.tenant, "--site", "a", "--model", world.model, "--out", tmp_path]
    made = command("onboard", device, *options)
    assert made.exit_code == 0, made.output
    assert "kept" in command("onboard", device, *options).output
    command("move", device, "--site", "c")
    assert iot.describe_thing(thingName=device)["attributes"]["site"] == "c"


def test_outcomes_are_written_and_a_failure_is_the_exit_code(command: Any, world: World, tmp_path: Path) -> None:
    good, bad = unique("device"), unique("device")
    (tmp_path / "devices.csv").write_text(
        f"device_id,tenant,site,model\n{good},{world.tenant},a,{world.model}\n{bad},{world.tenant},z,{world.model}\n"
    )
    done = command("onboard-all", tmp_path / "devices.csv", "--out", tmp_path / "keys")
    assert done.exit_code == 1
    assert f"{bad}: site 'z' of tenant" in done.output
    with (tmp_path / "keys" / "outcomes.csv").open() as file:
        rows = {row["device_id"]: row["result"] for row in csv.DictReader(file)}
    assert rows == {good: "created", bad: "failed"}


def test_factory_devices_are_adopted_from_a_file(command: Any, factory_device: Request, tmp_path: Path) -> None:
    it = factory_device
    (tmp_path / "devices.csv").write_text(
        f"device_id,tenant,site,model\n{it.device_id},{it.tenant_id},{it.site_id},{it.model_id}\n"
    )
    done = command("onboard-all", tmp_path / "devices.csv", "--out", tmp_path / "keys", "--adopt")
    assert "1 created" in done.output
    assert not (tmp_path / "keys" / f"{it.device_id}.key").exists()


def test_an_error_is_one_line_that_says_what_to_do(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps({"tenants": [{"tenant_id": "a b", "name": "x"}]}))
    for arguments, message in [
        (("show", "nothing"), "error: device 'nothing' is not in the registry; onboard it first\n"),
        (("move", "nothing", "--site", "a", "--at", "noon"), "error: Invalid isoformat string: 'noon'\n"),
    ]:
        done = command(*arguments)
        assert (done.exit_code, done.output) == (2, message)
    assert "tenants.0.tenant_id" in command("apply", tmp_path / "catalog.json").output
    monkeypatch.delenv("IOT_REGISTRY_PASSWORD")
    settings.registry.cache_clear()
    assert command("recover").output == "error: set in the environment: IOT_REGISTRY_PASSWORD (Field required)\n"


def test_a_device_without_onboarding_is_ended_too(connection: Connection, iot: Any, world: World) -> None:
    request = world.request()
    add_device(connection, request)
    assert decommission(connection, iot, request.device_id).status == "decommissioned"
    stranger = unique("tenant")
    apply(connection, catalog(stranger))
    with pytest.raises(DifferentDeviceError, match=f"belonged to tenant {world.tenant}"):
        onboard(connection, iot, Request(request.device_id, stranger, "a", world.model))
