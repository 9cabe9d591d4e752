"""What is left of objects beside the tables when a subject's part of them is taken out."""

import base64
import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline.erasure import kept_objects
from iot_pipeline.erasure.bucket_search import FAILURES, IMPORTS, REFUSED, RESULTS, UNDELIVERED
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.intake.refusals import Refusal
from iot_pipeline.intake.sent import Sent

DEVICE = Subject("device", "meter-1", frozenset({"meter-1"}))
TENANT = Subject("tenant", "acme", frozenset({"meter-1", "meter-2"}))
MESSAGE = b'{"v": 1, "device_id": "%s", "readings": []}'
# The same in CBOR: a map of three; each text has its length before it, which reads as a letter.
CBOR = b"\xa3\x61v\x01\x69device_id\x67%s\x68readings\x80"


def refusal(device: str, data: bytes) -> str:
    return Refusal(Sent(0, "1", 0, 0, UserRecord(device, data)), "unknown_device").line


@pytest.mark.parametrize(
    "packed",
    [
        lambda text: MESSAGE % text,
        lambda text: gzip.compress(MESSAGE % text),
        lambda text: CBOR % text,
        lambda text: gzip.compress(CBOR % text),
        lambda text: aggregated([UserRecord("a", MESSAGE % b"other-1"), UserRecord("b", CBOR % text)]),
    ],
)
def test_a_refused_record_is_theirs_however_it_was_packed(packed: Callable[[bytes], bytes]) -> None:
    """Under another's partition key, too."""
    theirs, others = refusal("x", packed(b"meter-1")), refusal("meter-10", packed(b"meter-9"))
    body = f"{theirs}\n{others}\n".encode()
    assert DEVICE.mentions(body)
    assert not DEVICE.mentions(f"{others}\n".encode())
    assert kept_objects.without(DEVICE, REFUSED, "refused/gateway/1.jsonl", body) == f"{others}\n".encode()
    assert kept_objects.without(DEVICE, REFUSED, "refused/gateway/1.jsonl", f"{theirs}\n".encode()) == b""


def test_what_was_compressed_stays_compressed() -> None:
    body = gzip.compress(b'{"device": "meter-1"}\n{"device": "meter-2"}\n')
    left = kept_objects.without(DEVICE, UNDELIVERED, "failed-delivery/a.gz", body)
    assert gzip.decompress(left) == b'{"device": "meter-2"}\n'


def test_a_failed_batch_keeps_the_records_of_others() -> None:
    records = [
        {"kinesis": {"partitionKey": name, "data": base64.b64encode(CBOR % name.encode()).decode()}}
        for name in ("meter-1", "meter-2")
    ]
    body = json.dumps({"payload": json.dumps({"Records": records})}).encode()
    left = json.loads(kept_objects.without(DEVICE, FAILURES, "aws/lambda/1", body))
    assert json.loads(left["payload"])["Records"] == records[1:]


def rejects(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([("file", "row", "column", "reason", "value"), *rows])
    return out.getvalue().encode()


def test_rejected_rows_of_an_import_go_by_row_and_their_file_loses_its_name() -> None:
    body = rejects(
        ("s3://history/meter-1/a.csv", "1", "t", "expected a number", "x"),
        ("s3://history/all.csv", "2", "device", "no such device", "first line\nmeter-1"),
        ("s3://history/all.csv", "3", "device", "no such device", "first line\nmeter-10"),
    )
    left = kept_objects.without(DEVICE, IMPORTS, "imports/old/rejects/run-000000.csv.gz", gzip.compress(body))
    assert gzip.decompress(left) == rejects(
        ("s3://history/[erased]/a.csv", "1", "t", "expected a number", "x"),
        ("s3://history/all.csv", "3", "device", "no such device", "first line\nmeter-10"),
    )


def test_the_places_of_an_import_lose_devices_and_of_a_tenant_what_was_its_own() -> None:
    places: dict[str, list[list[Any]]] = {
        "meter-1": [[0, 5, "acme", "a"]],
        "meter-3": [[0, 5, "acme", "a"], [5, None, "other", "b"]],
        "meter-4": [[0, None, "other", "acme"]],
    }
    body = json.dumps(places).encode()
    key = "imports/old/registry.json"
    of_device = json.loads(kept_objects.without(DEVICE, IMPORTS, key, body))
    assert of_device == {name: places[name] for name in ("meter-3", "meter-4")}
    of_tenant = json.loads(kept_objects.without(TENANT, IMPORTS, key, body))
    assert of_tenant == {"meter-3": places["meter-3"][1:], "meter-4": places["meter-4"]}


@pytest.mark.parametrize(("zone", "key"), [(IMPORTS, "imports/acme/finished.json"), (RESULTS, "athena-results/1.csv")])
def test_what_is_named_after_them_and_what_can_be_asked_again_goes_whole(zone: str, key: str) -> None:
    assert kept_objects.without(TENANT, zone, key, b'{"files": {"acme": 1}}') == b""


def test_a_journal_loses_the_names_of_files() -> None:
    body = json.dumps({"source": "s3://history/acme/", "files": {"s3://history/acme/a.csv": {"rows": 1}}}).encode()
    left = json.loads(kept_objects.without(TENANT, IMPORTS, "imports/acme-2019/finished.json", body))
    assert left == {"source": "s3://history/[erased]/", "files": {"s3://history/[erased]/a.csv": {"rows": 1}}}
