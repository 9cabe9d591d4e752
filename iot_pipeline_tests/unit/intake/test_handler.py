"""One batch of the intake, with services that answer as AWS does."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline.contract.aggregation import UserRecord, aggregated, user_records
from iot_pipeline.contract.judge import Judge
from iot_pipeline.intake.devices import KEPT_SECONDS, UNKNOWN_KEPT_SECONDS, Devices, Place
from iot_pipeline.intake.environment import IntakeSettings, Producer, WrongSettingError, intake_settings
from iot_pipeline.intake.handler import Intake

ARN = "arn:aws:kinesis:eu-west-1:000000000000:stream/telemetry-producer-gateway"
NOON_MS = 1_764_504_000_000
SETTINGS = IntakeSettings("platform", "kept", "N", {ARN: Producer("gateway", "acme", frozenset({"hamburg"}))})
THINGS = {
    "d1": {"tenant": "acme", "site": "hamburg"},
    "d2": {"tenant": "acme", "site": "hamburg"},
    "moved": {"tenant": "acme", "site": "atlantis"},
    "theirs": {"tenant": "globex", "site": "hamburg"},
    "buried": {"decommissioned": "true"},
}


class Aws:
    """IoT, S3 and Kinesis."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.throttled = False
        self.closed: set[str] = set()

    def describe_thing(self, *, thingName: str) -> dict[str, Any]:  # noqa: N803  boto3's names
        self.asked.append(thingName)
        if self.throttled or thingName not in THINGS:
            code = "ThrottlingException" if self.throttled else "ResourceNotFoundException"
            raise ClientError({"Error": {"Code": code, "Message": code}}, "DescribeThing")
        return {"attributes": THINGS[thingName]}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803  boto3's names
        assert Bucket == "kept"
        self.objects[Key] = [json.loads(line) for line in Body.splitlines()]

    def put_records(self, *, StreamName: str, Records: Any) -> dict[str, Any]:  # noqa: N803  boto3's names
        assert StreamName == "platform"
        results: list[dict[str, str]] = []
        for each in Records:
            if each["PartitionKey"] in self.closed:
                results.append({"ErrorCode": "InternalFailure"})
            else:
                inside = user_records(each["PartitionKey"], each["Data"])
                self.put += [{"PartitionKey": user.partition_key, "Data": user.data} for user in inside]
                results.append({"SequenceNumber": "1"})
        return {"FailedRecordCount": sum("ErrorCode" in each for each in results), "Records": results}


@pytest.fixture
def aws() -> Aws:
    return Aws()


def _event(*records: tuple[str, bytes], arn: str = ARN) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSourceARN": arn,
                "kinesis": {
                    "partitionKey": key,
                    "sequenceNumber": str(100 + number),
                    "approximateArrivalTimestamp": NOON_MS / 1000,
                    "data": base64.b64encode(data).decode(),
                },
            }
            for number, (key, data) in enumerate(records)
        ]
    }


def _message(device: str, **more: Any) -> bytes:
    readings = [{"ts": NOON_MS - 1000, "seq": 1, "temperature": 21.5}]
    return json.dumps({"v": 1, "device_id": device, "readings": readings, **more}).encode()


def test_identity_is_the_streams_and_the_things_whatever_the_payload_says(aws: Aws) -> None:
    forged = {"iot_tenant": "globex", "iot_site": "x", "iot_device": "theirs", "iot_client": "c", "iot_received_at": 1}
    assert Intake(SETTINGS, aws, aws, aws).take(_event(("d1", _message("d1", **forged)))) == {"batchItemFailures": []}
    (put,) = aws.put
    line = json.loads(put["Data"])
    found = {name.removeprefix("iot_"): value for name, value in line.items() if name.startswith("iot_")}
    assert found == {
        "tenant": "acme",
        "site": "hamburg",
        "device": "d1",
        "received_at": NOON_MS,
        "client": "producer:gateway",
        "trace": "100-0",
    }
    assert put["PartitionKey"] == "d1"
    (reading,) = Judge().line(put["Data"])
    assert (str(reading.outcome), reading.message.tenant, reading.message.device_id) == ("valid", "acme", "d1")


def test_a_payload_of_another_device_is_a_mismatch_as_from_mqtt(aws: Aws) -> None:
    Intake(SETTINGS, aws, aws, aws).take(_event(("d1", _message("d2"))))
    assert str(Judge().line(aws.put[0]["Data"])[0].outcome) == "device_mismatch"


def test_each_user_record_of_an_aggregate_is_judged_by_itself(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    sent = [UserRecord(key, _message(key)) for key in ("d1", "theirs", "d2", "moved", "buried", "nobody", "d1")]
    sent[-1] = UserRecord("d1", b"\x1f\x8bbroken")
    batch = _event(("theirs", aggregated(sent)), ("no thing's name", b"{}"))
    assert Intake(SETTINGS, aws, aws, aws).take(batch) == {"batchItemFailures": []}
    assert [each["PartitionKey"] for each in aws.put] == ["d1", "d1", "d2"]
    assert [str(Judge().line(each["Data"])[0].outcome) for each in aws.put] == ["valid", "malformed_json", "valid"]
    first, second = (
        aws.objects["refused/gateway/2025/11/30/100.jsonl"],
        aws.objects["refused/gateway/2025/11/30/101.jsonl"],
    )
    assert [(each["reason"], each["device"], each["part"]) for each in first] == [
        ("foreign_tenant", "theirs", 1),
        ("foreign_site", "moved", 3),
        ("unknown_device", "buried", 4),
        ("unknown_device", "nobody", 5),
    ]
    assert base64.b64decode(first[0]["payload"]) == _message("theirs")
    assert [each["reason"] for each in second] == ["unknown_device"]
    assert "no thing's name" not in aws.asked
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("received", "forwarded", "refused", "unreadable", "producer")} == {
        "received": 8,
        "forwarded": 3,
        "refused": 5,
        "unreadable": 1,
        "producer": "gateway",
    }
    assert told["reasons"] == {"unknown_device": 3, "foreign_tenant": 1, "foreign_site": 1, "broken_gzip": 1}


def test_what_waits_is_given_again_from_its_record_on(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iot_pipeline.intake.handler._FORWARD_SECONDS", 0.2)
    aws.closed = {"d2"}
    batch = _event(("d1", _message("d1")), ("d2", _message("d2")), ("d1", _message("d1")))
    answer = Intake(SETTINGS, aws, aws, aws).take(batch)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}]}
    assert [each["PartitionKey"] for each in aws.put] == ["d1", "d1"]


def test_a_stream_that_is_nobodys_fails_by_name(aws: Aws) -> None:
    with pytest.raises(WrongSettingError, match="IOT_PRODUCERS has no arn:other"):
        Intake(SETTINGS, aws, aws, aws).take(_event(("d1", b"{}"), arn="arn:other"))
    assert aws.put == []


def test_a_throttled_look_up_refuses_nobody(aws: Aws) -> None:
    aws.throttled = True
    with pytest.raises(ClientError, match="Throttling"):
        Intake(SETTINGS, aws, aws, aws).take(_event(("d1", _message("d1"))))
    assert (aws.put, aws.objects) == ([], {})


def test_a_device_is_looked_up_once_and_again_later(aws: Aws) -> None:
    now = [0.0]
    devices = Devices(aws, lambda: now[0])
    assert devices.places(["d1", "nobody", "d1"]) == {"d1": Place("acme", "hamburg"), "nobody": None}
    devices.places(["d1", "nobody"])
    assert aws.asked == ["d1", "nobody"]
    now[0] = UNKNOWN_KEPT_SECONDS
    devices.places(["d1", "nobody"])
    assert aws.asked == ["d1", "nobody", "nobody"]
    now[0] = KEPT_SECONDS
    devices.places(["d1"])
    assert aws.asked[-1] == "d1"


def test_settings_are_named_where_they_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    intake_settings.cache_clear()
    with pytest.raises(WrongSettingError, match="set IOT_STREAM"):
        intake_settings()
    for name in ("STREAM", "REFUSED_BUCKET", "METRIC_NAMESPACE"):
        monkeypatch.setenv(f"IOT_{name}", "x")
    monkeypatch.setenv("IOT_PRODUCERS", '{"arn": {"name": "a"}}')
    with pytest.raises(WrongSettingError, match="IOT_PRODUCERS is"):
        intake_settings()
    monkeypatch.setenv("IOT_PRODUCERS", '{"arn": {"name": "a", "tenant": "t", "sites": ["s"]}}')
    assert intake_settings().producers == {"arn": Producer("a", "t", frozenset({"s"}))}
    intake_settings.cache_clear()
