"""The deployed stacks at work: a device's message becomes one line of the raw zone, whatever it holds."""

import base64
import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline_tests.support.emulator import LocalAws, Session, eventually, unique

pytestmark = pytest.mark.integration

GOOD = {"v": 1, "device_id": "sensor-1", "readings": [{"ts": "2026-01-01T00:00:00Z", "seq": 1, "temperature": 21.4}]}
MALFORMED = {
    "truncated": b'{"v": 1, "readings": [{"ts"',
    "newlines": b"one\ntwo\n\nthree",
    "not UTF-8": b"\xff\xfe\x00\x80",
    "empty": b"",
    "no object": b"[1, 2]",
    "no readings": b'{"v": 1}',
}


@pytest.fixture(scope="module")
def device(aws: tuple[LocalAws, dict[str, str]]) -> Iterator[Session]:
    """sensor-1, connected with a certificate that carries the deployed policy."""
    running, outputs = aws
    session = running.connect("sensor-1", *onboarded(running, outputs, "sensor-1"))
    yield session
    session.close()


def onboarded(running: LocalAws, outputs: dict[str, str], name: str) -> tuple[Path, Path]:
    """The certificate and key of a new thing of the deployed type and policy."""
    iot = running.client("iot")
    attributes = {"tenant": "acme", "site": "oslo"}
    iot.create_thing(
        thingName=name, thingTypeName=outputs["DeviceThingType"], attributePayload={"attributes": attributes}
    )
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=outputs["DevicePolicy"], target=made["certificateArn"])
    iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
    certificate, key = running.folder / f"{name}.pem", running.folder / f"{name}.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    return certificate, key


def test_every_message_becomes_one_line_with_its_origin(aws: tuple[LocalAws, dict[str, str]], device: Session) -> None:
    running, outputs = aws
    payloads = [json.dumps(GOOD).encode(), *MALFORMED.values()]
    for payload in payloads:
        assert device.publish("dt/acme/oslo/sensor-1/telemetry", payload) == "Success"

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in running.lines(outputs["LakeBucket"], "raw/telemetry/")]
        return found if len(found) >= len(payloads) else []

    found = eventually(lines)
    assert len(found) == len(payloads)
    origin = {"iot_tenant": "acme", "iot_site": "oslo", "iot_device": "sensor-1", "iot_client": "sensor-1"}
    for line in found:
        assert origin.items() <= line.items()
        assert isinstance(line["iot_received_at"], int)
        assert line["iot_trace"]
    (good,) = (line for line in found if "readings" in line)
    assert GOOD.items() <= good.items()
    wrapped = [base64.b64decode(line["iot_payload"]) for line in found if "iot_payload" in line]
    assert sorted(wrapped) == sorted(MALFORMED.values())


def test_raw_objects_lie_by_arrival_hour_and_are_announced(
    aws: tuple[LocalAws, dict[str, str]], device: Session
) -> None:
    running, outputs = aws
    device.publish("dt/acme/oslo/sensor-1/telemetry", json.dumps(GOOD).encode())
    keys = eventually(lambda: running.keys(outputs["LakeBucket"], "raw/telemetry/"))
    for key in keys:
        folders = key.removeprefix("raw/telemetry/").split("/")
        assert [folder.split("=")[0] for folder in folders[:4]] == ["year", "month", "day", "hour"]
    announced = eventually(lambda: running.messages(outputs["RawQueueUrl"]))
    assert announced
    assert running.messages(outputs["RuleErrorQueueUrl"], 0) == []


@pytest.mark.parametrize(
    "topic",
    [
        "dt/acme/oslo/sensor-2/telemetry",
        "dt/globex/oslo/sensor-1/telemetry",
        "dt/acme/berlin/sensor-1/telemetry",
        "dt/acme/sensor-1/telemetry",
        "dt/acme/oslo/sensor-1/other",
        "$aws/things/sensor-1/shadow/update",
    ],
)
def test_a_device_may_publish_nothing_but_its_own_telemetry(
    aws: tuple[LocalAws, dict[str, str]], device: Session, topic: str
) -> None:
    running, outputs = aws
    name = unique("probe")
    probe = running.connect(name, *onboarded(running, outputs, name))
    assert probe.of("connack") == ["Success"]
    assert probe.publish(topic.replace("sensor-1", name), b"{}") != "Success"


def test_a_device_may_not_connect_as_another(aws: tuple[LocalAws, dict[str, str]], device: Session) -> None:
    running, outputs = aws
    intruder = running.connect("sensor-1", *onboarded(running, outputs, "intruder"))
    assert "Success" not in intruder.of("connack")


def last_crawl(glue: Any, crawler: str) -> Any:
    return glue.get_crawler(Name=crawler)["Crawler"].get("LastCrawl")


def test_crawlers_make_one_table_a_zone_and_leave_the_served_ones_alone(
    aws: tuple[LocalAws, dict[str, str]], device: Session
) -> None:
    running, outputs = aws
    glue, s3 = running.client("glue"), running.client("s3")
    device.publish("dt/acme/oslo/sensor-1/telemetry", json.dumps(GOOD).encode())
    eventually(lambda: running.keys(outputs["LakeBucket"], "raw/telemetry/"))
    parquet = io.BytesIO()
    pq.write_table(pa.table({"device_id": ["sensor-1"], "temperature": [21.4]}), parquet)
    for version in ("v=1", "v=2"):
        key = f"curated/telemetry/{version}/year=2026/month=01/day=01/hour=00/part.parquet"
        s3.put_object(Bucket=outputs["LakeBucket"], Key=key, Body=parquet.getvalue())

    def served() -> dict[str, Any]:
        found = glue.get_tables(DatabaseName=outputs["GlueDatabase"])["TableList"]
        return {
            table["Name"]: (
                table["StorageDescriptor"]["Columns"],
                glue.get_partitions(DatabaseName=outputs["GlueDatabase"], TableName=table["Name"])["Partitions"],
            )
            for table in found
        }

    before = served()
    for crawler in (outputs["RawCrawler"], outputs["CuratedCrawler"]):
        glue.start_crawler(Name=crawler)
        last = eventually(partial(last_crawl, glue, crawler))
        assert last["Status"] == "SUCCEEDED", last

    found = {t["Name"]: t for t in glue.get_tables(DatabaseName="telemetry_crawled")["TableList"]}
    assert set(found) == {"raw_telemetry", "curated_telemetry"}
    assert [k["Name"] for k in found["raw_telemetry"]["PartitionKeys"]] == ["year", "month", "day", "hour"]
    assert [k["Name"] for k in found["curated_telemetry"]["PartitionKeys"]] == ["v", "year", "month", "day", "hour"]
    assert served() == before
