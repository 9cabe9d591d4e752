"""From a backend's role to the books: what a producer sends is in the ledger, under the identity its stream proves."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.session.platform import Platform
from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.producer.client import Producer
from iot_pipeline_tests.support.emulator import eventually, unique
from iot_pipeline_tests.support.messages import build
from iot_pipeline_tests.support.producers import (
    PRODUCER,
    SITES,
    client_as,
    gzipped,
    lines_of,
    message,
    refused,
    register,
    throttled,
)

DEVICES, EACH = 40, 50


def _now_ms() -> int:
    return int(time.time() * 1000)


def test_every_acknowledged_message_is_in_the_ledger_though_streams_throttle(
    platform: Platform, lake: Lake, tmp_path: Path
) -> None:
    name, since = unique("load"), datetime.now(UTC)
    hours = [Hour.of(since), Hour.of(since) + 1]
    devices = [f"{name}-{number}" for number in range(DEVICES)]
    register(devices[::2], site=SITES[0])
    register(devices[1::2], site=SITES[1])
    base = _now_ms() - 3_600_000
    with throttled([PRODUCER, platform.deployed.outputs["StreamName"]], 5):
        with Producer(PRODUCER, tmp_path / "spool.db", kinesis=client_as(PRODUCER, "kinesis")) as producer:
            for seq in range(EACH):
                producer.send_many((each, message(each, base + seq * 1000, seq)) for each in devices)
            producer.flush(60)
            assert producer.acknowledged == DEVICES * EACH
            assert producer.repeated > 0, "some records were throttled"
        assert eventually(lambda: len(lines_of(lake, hours, name)) >= DEVICES * EACH, 90)
    lines = lines_of(lake, hours, name)
    places = {(each["iot_device"], each["iot_tenant"], each["iot_site"]) for each in lines}
    assert places == {(each, "acme", SITES[number % 2]) for number, each in enumerate(devices)}
    assert {each["iot_client"] for each in lines} == {"producer:gateway"}
    build(lake, hours)
    assert all(balance.balances for balance in lake.arrival_balances(hours))
    sql = f"SELECT device_id, seq, temperature FROM curated_telemetry WHERE device_id LIKE '{name}-%'"
    rows = lake.athena.run(sql).rows
    assert Counter((row[0], int(row[1])) for row in rows) == Counter((d, s) for d in devices for s in range(EACH))


def test_every_encoding_becomes_the_line_of_its_message(platform: Platform, lake: Lake) -> None:
    name, hours = unique("code"), [Hour.of(datetime.now(UTC)), Hour.of(datetime.now(UTC)) + 1]
    register([name])
    at_ms = _now_ms()
    sent = [message(name, at_ms, seq, temperature=20.5 + seq) for seq in range(4)]
    cbor = bytes.fromhex("a3617601696465766963655f6964") + bytes([0x60 | len(name)]) + name.encode()
    cbor += (
        bytes.fromhex("6872656164696e677381a3627473 1b")
        + at_ms.to_bytes(8)
        + bytes.fromhex("6373657103 6b74656d7065726174757265f94de0")
    )
    both = aggregated([UserRecord(name, json.dumps(sent[0]).encode()), UserRecord(name, gzipped(sent[1]))])
    zstd = pytest.importorskip("backports.zstd")
    records = [both, zstd.compress(json.dumps(sent[2]).encode()), cbor]
    kinesis = client_as(PRODUCER, "kinesis")
    kinesis.put_records(StreamName=PRODUCER, Records=[{"PartitionKey": name, "Data": each} for each in records])
    assert eventually(lambda: len(lines_of(lake, hours, name)) >= 4, 60)
    found = sorted(lines_of(lake, hours, name), key=lambda each: int(each["readings"][0]["seq"]))
    assert [each["readings"] for each in found] == [each["readings"] for each in sent]


def test_what_cannot_be_decoded_is_in_quarantine_and_what_is_nobodys_is_kept_by_name(
    platform: Platform, lake: Lake
) -> None:
    name, hours = unique("bad"), [Hour.of(datetime.now(UTC)), Hour.of(datetime.now(UTC)) + 1]
    register([f"{name}-own"])
    register([f"{name}-theirs"], tenant="globex")
    register([f"{name}-elsewhere"], site="atlantis")
    payload = json.dumps(message(f"{name}-own", _now_ms(), 1)).encode()
    bomb = gzipped({"v": 1, "readings": [], "x": " " * 10_000_000})
    records = [
        (f"{name}-own", bomb),
        (f"{name}-own", gzipped({})[:-4]),
        (f"{name}-own", b"\xa2\x61v\x01"),
        (f"{name}-own", b" " * 140_000),
        (f"{name}-theirs", payload),
        (f"{name}-elsewhere", payload),
        (f"{name}-unregistered", payload),
        (f"{name} or '1'='1", payload),
    ]
    client_as(PRODUCER, "kinesis").put_records(
        StreamName=PRODUCER, Records=[{"PartitionKey": key, "Data": data} for key, data in records]
    )
    bucket = platform.deployed.outputs["IntakeBucket"]
    assert eventually(lambda: len(refused(bucket, name)) >= 5, 60)
    reasons = {each.device.removeprefix(name): each.reason for each in refused(bucket, name)}
    assert reasons == {
        "-own": "payload_too_large",
        "-theirs": "foreign_tenant",
        "-elsewhere": "foreign_site",
        "-unregistered": "unknown_device",
        " or '1'='1": "unknown_device",
    }
    assert eventually(lambda: len(lines_of(lake, hours, name)) >= 3, 60)
    build(lake, hours)
    sql = f"SELECT reason FROM quarantined_telemetry WHERE device_id = '{name}-own'"
    assert [row[0] for row in lake.athena.run(sql).rows] == ["malformed_json"] * 3
    assert all(balance.balances for balance in lake.arrival_balances(hours))


def test_a_producer_can_put_to_its_own_stream_alone(platform: Platform) -> None:
    mine = client_as(PRODUCER, "kinesis")
    another = unique("telemetry-producer")
    boto3.client("kinesis").create_stream(StreamName=another, ShardCount=1)
    streams = [platform.deployed.outputs["StreamName"], another]
    records = [{"PartitionKey": "d1", "Data": b"{}"}]
    for stream in streams:
        with pytest.raises(ClientError, match="AccessDenied"):
            mine.put_records(StreamName=stream, Records=records)
        with pytest.raises(ClientError, match="AccessDenied"):
            mine.put_record(StreamName=stream, PartitionKey="d1", Data=b"{}")
    with pytest.raises(ClientError, match=r"AccessDenied.*AssumeRole"):
        client_as(PRODUCER, "kinesis", tag="another")
    with pytest.raises(ClientError, match="AccessDenied"):
        mine.list_shards(StreamName=PRODUCER)
    boto3.client("kinesis").delete_stream(StreamName=another)
