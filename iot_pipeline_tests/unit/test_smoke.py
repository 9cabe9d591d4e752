"""The smoke test's own parts: the device it makes and removes, and what it counts in the raw zone."""

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import smoke
from infra.stacks.config import PlatformConfig

NOW = datetime(2026, 11, 29, 12, 59, 50, tzinfo=UTC)


class Iot:
    """Notes its calls; one of them may fail."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[str] = []
        self.fails = fails

    def __getattr__(self, name: str) -> Any:
        def call(**_asked: Any) -> dict[str, str]:
            self.calls.append(name)
            if name == self.fails:
                raise RuntimeError(name)
            return {"certificateArn": "arn", "certificateId": "id", "certificatePem": "PEM"}

        return call


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    smoke.one_device(tmp_path, "staging-smoke-1")
    return tmp_path


def test_the_device_has_a_name_and_a_tenant_of_its_own(fleet: Path) -> None:
    (device,) = json.loads((fleet / "fleet.json").read_bytes())["devices"]
    assert (device["device_id"], device["tenant"], device["site"]) == ("staging-smoke-1", "smoke", "smoke")
    assert {path.name for path in (fleet / "devices").iterdir()} == {"staging-smoke-1.key", "staging-smoke-1.csr"}


def test_what_was_registered_is_removed_in_the_opposite_order(fleet: Path) -> None:
    iot = Iot()
    with smoke.registered(iot, PlatformConfig(name="staging"), "staging-smoke-1", fleet):
        assert (fleet / "devices" / "staging-smoke-1.crt").read_text() == "PEM"
    assert iot.calls[4:] == [
        "detach_thing_principal",
        "detach_policy",
        "delete_thing",
        "update_certificate",
        "delete_certificate",
    ]


def test_what_was_begun_is_removed_where_registering_fails(fleet: Path) -> None:
    iot = Iot(fails="attach_policy")
    with (
        pytest.raises(RuntimeError, match="attach_policy"),
        smoke.registered(iot, PlatformConfig(name="staging"), "staging-smoke-1", fleet),
    ):
        pass
    assert iot.calls[3:] == ["delete_thing", "update_certificate", "delete_certificate"]


def test_a_removal_that_fails_keeps_none_of_the_others_from_being_made(fleet: Path) -> None:
    iot = Iot(fails="detach_policy")
    with (
        pytest.raises(RuntimeError, match="detach_policy"),
        smoke.registered(iot, PlatformConfig(name="staging"), "staging-smoke-1", fleet),
    ):
        pass
    assert iot.calls[5:] == ["detach_policy", "delete_thing", "update_certificate", "delete_certificate"]


def test_an_environment_that_is_not_written_down_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        smoke.main(["nowhere"])
    assert "invalid choice: 'nowhere' (choose from 'telemetry', 'trial'" in capsys.readouterr().err


class S3:
    """Objects by key, each with its body and its time."""

    def __init__(self, objects: dict[str, tuple[bytes, datetime]]) -> None:
        self.objects = objects

    def get_paginator(self, _name: str) -> "S3":
        return self

    def paginate(self, **asked: str) -> list[dict[str, Any]]:
        found = [k for k in self.objects if k.startswith(asked["Prefix"])]
        return [{"Contents": [{"Key": key, "LastModified": self.objects[key][1]} for key in found]}]

    def get_object(self, **asked: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[asked["Key"]][0])}


def line(device: str, readings: int) -> bytes:
    return json.dumps({"iot_device": device, "readings": [{}] * readings}).encode() + b"\n"


def test_readings_are_counted_over_the_hour_s_end_and_only_the_device_s() -> None:
    folder = "raw/telemetry/year=2026/month=11/day=29"
    later = NOW + timedelta(minutes=2)
    objects = {
        f"{folder}/hour=12/a.gz": (gzip.compress(line("d", 25) + line("other", 25)), later),
        f"{folder}/hour=13/b.json": (line("d", 5), later),
        f"{folder}/hour=12/older.gz": (gzip.compress(line("d", 7)), NOW - timedelta(minutes=1)),
        f"{folder}/hour=11/elsewhere.gz": (gzip.compress(line("d", 7)), later),
    }
    assert smoke.arrived(S3(objects), PlatformConfig(), "d", NOW) == 30


def test_patience_has_an_end() -> None:
    slept: list[float] = []
    counts = iter([0, 10, 30])
    assert smoke.wait_for(30, lambda: next(counts), slept.append) == 30
    assert slept == [10, 10]
    slept.clear()
    assert smoke.wait_for(30, lambda: 29, slept.append) == 29
    assert sum(slept) == smoke.PATIENCE_S
