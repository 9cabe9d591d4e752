"""Many devices in one call, and the command line."""

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

from iot_pipeline import settings
from iot_pipeline.registry.bulk import Outcome, onboard_all
from iot_pipeline.registry.commands import app
from iot_pipeline.registry.decommission import recover
from iot_pipeline.registry.devices import history
from iot_pipeline.registry.onboarding import Onboarded, onboard
from iot_pipeline.registry.registration import Request
from iot_pipeline_tests.support.aws_environment import pointing_to
from iot_pipeline_tests.support.emulator import LocalAws, unique
from iot_pipeline_tests.support.registry import Connection, World, catalog
from iot_pipeline_tests.support.tripping import all_certificates, onboard_many_and_die


def test_a_bad_device_costs_only_itself_and_a_second_call_does_what_is_missing(
    connection: Connection, iot: Any, world: World, registry_dsn: str
) -> None:
    requests = [world.request() for _ in range(60)]
    requests[7] = world.request(site="nowhere")
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
    requests[7] = world.request()
    again = onboard_all(connect, requests, one)
    assert [it.result for it in again] == ["created" if n == 7 else "failed" if n == 30 else "kept" for n in range(60)]
    assert len(all_certificates(iot) - certificates) == 1


def test_many_devices_killed_on_the_way_are_completed_by_a_second_call(
    connection: Connection, iot: Any, world: World, registry_dsn: str, iot_options: dict[str, str], forks: Any
) -> None:
    requests = [world.request() for _ in range(24)]
    before = all_certificates(iot)
    killed = forks.Process(target=onboard_many_and_die, args=(registry_dsn, iot_options, requests, 6))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    connect = partial(psycopg.connect, registry_dsn)
    outcomes = onboard_all(connect, requests, lambda own, it: onboard(own, iot, it))
    assert [it for it in outcomes if it.result == "failed"] == []
    results = Counter(it.result for it in outcomes)
    assert results["kept"] >= 6
    assert results["created"] >= 1
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
def command(registry_dsn: str, local_aws: LocalAws, iot: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Run `python -m iot_pipeline.registry`, in this process, with the environment of the local services."""
    server = conninfo_to_dict(registry_dsn)
    for name in ("host", "port", "user", "password"):
        monkeypatch.setenv(f"IOT_REGISTRY_{name.upper()}", str(server[name]))
    monkeypatch.setenv("IOT_REGISTRY_SSLMODE", "disable")
    settings.registry.cache_clear()
    with pointing_to(local_aws.emulator.environment):
        yield lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])
    settings.registry.cache_clear()


def test_the_first_round_of_the_help_works(command: Any, tmp_path: Path) -> None:
    tenant = unique("tenant")
    (tmp_path / "catalog.json").write_text(catalog(tenant).model_dump_json())
    devices = [unique("device") for _ in range(3)]
    lines = ["device_id,tenant,site,model", *(f"{device},{tenant},a,{tenant}-model" for device in devices)]
    (tmp_path / "devices.csv").write_text("\n".join(lines))
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


def test_a_move_over_a_recorded_one_is_asked_or_needs_the_flag(
    command: Any, connection: Connection, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, since, earlier = unique("device"), "2026-11-20T12:00:00+00:00", "2026-11-20T11:00:00Z"
    options = ["--tenant", world.tenant, "--site", "a", "--model", world.model, "--out", tmp_path]
    command("onboard", device, *options, "--installed-at", "2026-10-01T00:00:00Z")
    command("move", device, "--site", "b", "--at", since)
    refused = command("move", device, "--site", "b", "--at", earlier)
    assert refused.exit_code == 2
    assert f"would overwrite what is recorded already (device_id {device}: site_id b since {since})" in refused.output
    assert "give --overwrite" in refused.output
    stands = history(connection, device)

    def answered(answer: str) -> Any:
        # The runner gives a command a standard input of its own, which is no terminal.
        with monkeypatch.context() as patched:
            patched.setattr("iot_pipeline.registry.commands.support.is_interactive", lambda: True)
            return CliRunner().invoke(app, ["move", device, "--site", "b", "--at", earlier], input=answer)

    declined = answered("n\n")
    assert (declined.exit_code, "nothing was changed" in declined.output) == (2, True)
    assert f"site_id b since {since}" in declined.output
    assert history(connection, device) == stands
    assert "is at site b since 2026-11-20T11:00:00" in answered("y\n").output
    assert (
        "is at site c since 2026-11-20T11:00:00"
        in command("move", device, "--site", "c", "--at", earlier, "--overwrite").output
    )
    assert [version.site_id for version in history(connection, device)] == ["a", "c"]


def test_a_catalog_over_recorded_changes_needs_the_flag(command: Any, tmp_path: Path) -> None:
    tenant, at = unique("tenant"), "2026-11-20T12:00:00Z"
    for lat, options, code in ((1.5, (), 0), (2.5, (), 2), (2.5, ("--overwrite",), 0)):
        (tmp_path / "catalog.json").write_text(catalog(tenant).model_dump_json() if lat == 1.5 else "{}")
        command("apply", tmp_path / "catalog.json")
        (tmp_path / "catalog.json").write_text(catalog(tenant, lat=lat).model_dump_json())
        done = command("apply", tmp_path / "catalog.json", "--at", at, *options)
        assert done.exit_code == code, done.output
        assert code == 0 or f"site_id c: lat 1.5 since {at.removesuffix('Z')}" in done.output


def test_a_device_is_changed_and_calibrated(command: Any, connection: Connection, world: World, tmp_path: Path) -> None:
    device, since = unique("device"), "2026-11-01T12:00:00+00:00"
    options = ["--tenant", world.tenant, "--site", "a", "--model", world.model, "--out", tmp_path]
    made = command("onboard", device, *options, "--installed-at", "2026-10-01T00:00:00Z")
    assert made.exit_code == 0, made.output
    changed = command("change", device, "--firmware", "2.0", "--interval", "30", "--at", since)
    assert f"has a version since {since}" in changed.output
    first, second = history(connection, device)
    assert (first.firmware, second.firmware, second.expected_interval_s) == (None, "2.0", 30.0)
    assert (second.name, second.valid_from.isoformat()) == (first.name, since)
    assert "nothing to change: give --name" in command("change", device).output
    for interval in ("0", "nan"):
        refused = command("change", device, "--interval", interval)
        assert (refused.exit_code, "must be a number of seconds above 0" in refused.output) == (2, True)

    given = ["calibrate", device, "temperature", "--offset", "-0.4", "--by", "lab", "--at", since]
    assert "calibration of temperature recorded" in command(*given).output
    assert command(*given).exit_code == 0, "the same again changes nothing"
    assert "another calibration" in command(*given, "--gain", "1.1").output
    for gain in ("0", "inf"):
        assert "must be numbers, and gain not 0" in command(*given, "--gain", gain).output
    rows = connection.execute(
        "SELECT metric, offset_value, gain, calibrated_by FROM registry.calibrations WHERE device_id = %s", [device]
    ).fetchall()
    assert rows == [("temperature", -0.4, 1.0, "lab")]


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
    assert "permission denied for database registry; `migrate` and" in command("migrate").output
    monkeypatch.delenv("IOT_REGISTRY_HOST")
    settings.registry.cache_clear()
    assert command("recover").output == "error: in the environment: IOT_REGISTRY_HOST (Field required)\n"
