"""Who is erased: which lines are theirs, and where their names stand."""

import base64
import gzip
import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from iot_pipeline.erasure import whose_rows
from iot_pipeline.erasure.found import Found, summary
from iot_pipeline.erasure.stored import text_of
from iot_pipeline.erasure.subject import Subject
from iot_pipeline.registry.erasures import digest_of
from iot_pipeline_tests.support.messages import Sender, line, message, reading

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEVICE = Subject("device", "meter-1", frozenset({"meter-1"}))
TENANT = Subject("tenant", "acme", frozenset({"meter-1", "a:b"}))


def sent(device: str, tenant: str = "acme", payload: bytes = message(reading(NOON, 1))) -> bytes:
    return line(payload, NOON, Sender(device, tenant))


@pytest.mark.parametrize(
    ("raw", "of_device", "of_tenant"),
    [
        (sent("meter-1"), True, True),
        (sent("meter-10"), False, True),
        (sent("meter-1", tenant="other"), True, True),
        (sent("meter-2", tenant="other"), False, False),
        (sent("meter-2", tenant="other", payload=message(reading(NOON, 1), note="meter-1")), False, False),
        (sent("meter-1", payload=b"no telemetry"), True, True),
        (sent("meter-1")[:-5], True, True),
        (sent("meter-10")[:-5], False, True),
        (b'{"readings": [], "device_id": "meter-1"}', True, True),
        (b"meter-1", True, True),
        (b"[1]", False, False),
        (b"", False, False),
    ],
)
def test_the_envelope_says_whose_a_line_is_and_a_mention_where_it_has_none(
    raw: bytes, of_device: bool, of_tenant: bool
) -> None:
    assert (DEVICE.owns(raw), TENANT.owns(raw)) == (of_device, of_tenant)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"meter-1", True),
        (b"device/meter-1.", True),
        (b"meter-10", False),
        (b"my-meter-1", False),
        (b"meter-1_a", False),
        (json.dumps({"iot_payload": base64.b64encode(b'{"id": "meter-1"}').decode()}).encode(), True),
        (json.dumps({"iot_payload": base64.b64encode(b'{"id": "meter-10"}').decode()}).encode(), False),
    ],
)
def test_a_name_is_found_as_a_whole_word_and_in_what_the_platform_packs(text: bytes, found: bool) -> None:
    assert DEVICE.mentions(text) is found


def test_a_name_is_found_in_a_batch_that_a_function_gave_up() -> None:
    record = {"kinesis": {"data": base64.b64encode(sent("meter-1")).decode()}}
    held = {"requestContext": {}, "payload": json.dumps({"Records": [record]})}
    assert DEVICE.mentions(json.dumps(held).encode())


def test_redaction_takes_the_names_alone() -> None:
    assert DEVICE.redacted('{"a": "meter-1", "b": "meter-10"}') == '{"a": "[erased]", "b": "meter-10"}'


def test_rows_are_theirs_by_device_and_tenant_or_where_none_is_named_by_a_mention() -> None:
    table = pa.table(
        {
            "device_id": ["meter-1", "meter-2", None, None],
            "tenant": ["acme", "acme", None, None],
            "record": [None, "meter-1 said so", "of meter-1", "of nobody"],
            "extras": pa.array([None, [("k", "v")], None, None], pa.map_(pa.string(), pa.string())),
        }
    )
    assert whose_rows.owned(table, DEVICE) == [True, False, True, False]
    assert whose_rows.mentioning(table, DEVICE) == [True, True, True, False]
    assert whose_rows.owned(table, TENANT) == [True, True, True, False]
    left = whose_rows.without(table, whose_rows.owned(table, DEVICE))
    again = whose_rows.read_table(whose_rows.written(left))
    assert again.to_pylist() == left.to_pylist()
    assert again["record"].to_pylist() == ["meter-1 said so", "of nobody"]


def test_of_a_gzip_that_is_cut_off_what_can_be_read_is_read() -> None:
    text = b"\n".join(b"line %d of many that differ" % n for n in range(2000))
    whole = gzip.compress(text[:30000]) + gzip.compress(text[30000:])
    assert text_of(whole) == text
    cut = text_of(whole[:-200])
    assert 30000 <= len(cut) < len(text)
    assert text.startswith(cut)
    assert text_of(b"plain") == b"plain"


def test_a_summary_tells_what_is_theirs_from_what_mentions_them_and_what_expires() -> None:
    found = [Found("raw", "a", 2, 10), Found("raw", "b", 1, 5), Found("raw", "c", 1, is_mention=True)]
    found.append(Found("logs", "d", 3, expires="90 days after each line"))
    assert summary(found) == [
        ("logs", "expires: 90 days after each line", 1, 3, 0),
        ("raw", "mentioned by another", 1, 1, 0),
        ("raw", "theirs", 2, 3, 15),
    ]


def test_a_salted_hash_tells_nothing_without_the_name() -> None:
    assert digest_of("salt", "meter-1") == digest_of("salt", "meter-1")
    assert len({digest_of("salt", "meter-1"), digest_of("other", "meter-1"), digest_of("salt", "meter-2")}) == 3
