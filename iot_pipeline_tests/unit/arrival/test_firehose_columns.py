"""Firehose's transformation: each record is answered for, and none fails another."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from iot_pipeline.arrival.firehose_columns import MAX_ANSWER_BYTES, NO_TENANT, handle
from iot_pipeline.edge.dead_letters import DeadLetter, lines_of_firehose
from iot_pipeline_tests.support.messages import METER, line, message, reading

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LINE = line(message(reading(NOW, 1)), NOW, METER, trace="t-1")


def answers(*records: bytes) -> list[dict[str, Any]]:
    event = [{"recordId": str(n), "data": base64.b64encode(record).decode()} for n, record in enumerate(records)]
    found: list[dict[str, Any]] = handle({"records": event}, None)["records"]
    assert [each["recordId"] for each in found] == [str(n) for n in range(len(records))]
    return found


def test_a_record_becomes_its_columns_and_its_tenants() -> None:
    (answer,) = answers(LINE)
    assert answer["result"] == "Ok"
    assert answer["metadata"] == {"partitionKeys": {"tenant": "acme"}}
    assert json.loads(base64.b64decode(answer["data"]))["line"] == LINE.decode()


@pytest.mark.parametrize("tenant", ["../../x", "a=b", "", "x" * 65, "acme "])
def test_a_tenant_that_is_no_folder_has_none(tenant: str) -> None:
    (answer,) = answers(json.dumps({"iot_tenant": tenant, "readings": []}).encode())
    assert answer["metadata"]["partitionKeys"] == {"tenant": NO_TENANT}


def test_a_record_that_does_not_fit_costs_only_itself() -> None:
    """A megabyte of control characters is six of JSON, and more than Lambda answers with."""
    found = answers(LINE, b"\x01" * 1_000_000, LINE)
    assert [each["result"] for each in found] == ["Ok", "ProcessingFailed", "Ok"]
    assert len(json.dumps({"records": found})) < MAX_ANSWER_BYTES


def failed(record: bytes, **names: str) -> DeadLetter:
    """A line of Firehose's error prefix."""
    body = json.dumps({"rawData": base64.b64encode(record).decode(), **names}).encode()
    return DeadLetter("firehose", "k", NOW, "", body)


@pytest.mark.parametrize("record", [LINE, b'{"line": "a device says so", "readings": []}', b"\xff\xfe", b"[]"])
def test_what_failed_before_and_after_the_transformation_is_replayed_as_it_came(record: bytes) -> None:
    transformed = base64.b64decode(answers(record)[0]["data"])
    for each in (record, transformed):
        ((_, replayed),) = lines_of_firehose(failed(each))
        assert replayed == record
