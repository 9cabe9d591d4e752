"""What is let in without an IoT rule is the line that the rules would have made of it."""

import base64
import json

import pytest

from iot_pipeline.contract.raw_line import Origin, raw_line

ORIGIN = Origin("acme", "north", "device-1", 1_772_884_800_000, "backend", "trace-1")
ENVELOPE = {
    "iot_tenant": "acme",
    "iot_site": "north",
    "iot_device": "device-1",
    "iot_received_at": 1_772_884_800_000,
    "iot_client": "backend",
    "iot_trace": "trace-1",
}


def test_a_message_keeps_its_numbers_as_they_were_sent() -> None:
    line = raw_line(b' {"v":1,"readings":[{"temperature":70.50000000000000001}]}\n', ORIGIN)
    assert line.startswith(b'{"v":1,"readings":[{"temperature":70.50000000000000001}],"iot_tenant"')
    assert json.loads(line).items() >= ENVELOPE.items()


def test_a_message_over_several_lines_is_one_line() -> None:
    line = raw_line(b'{\r\n  "v": 1,\n  "readings": []\n}', ORIGIN)
    assert not set(line) & set(b"\r\n")
    assert json.loads(line) == {"v": 1, "readings": [], **ENVELOPE}


def test_a_payload_cannot_say_who_sent_it() -> None:
    forged = b'{"readings":[],"iot_device":"other","iot_payload":"e30=","iot_tenant":"other"}'
    assert json.loads(raw_line(forged, ORIGIN)).items() >= ENVELOPE.items()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'"readings"',
        b'{"v":1}',
        b'{"Readings":[]}',
        b'{"readings":[NaN]}',
        b'{"readings":[Infinity]}',
        b'{"readings":["a\nb"]}',
        b'{"readings":[]',
        b'{"readings":[],}',
        b'{"readings":["\xff"]}',
        b'\xef\xbb\xbf{"readings":[]}',
        '{"readings":[]}'.encode("utf-16"),
        '{"readings":[]}'.encode("utf-16-le"),
        '{"readings":[]}'.encode("utf-32"),
        b'{"readings":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=range(16),
)
def test_what_is_no_telemetry_is_wrapped_whole(payload: bytes) -> None:
    found = json.loads(raw_line(payload, ORIGIN))
    assert base64.b64decode(found.pop("iot_payload")) == payload
    assert found == ENVELOPE


def test_a_number_of_any_length_does_not_cost_the_other_readings() -> None:
    line = raw_line(b'{"v":1,"readings":[{"humidity":' + b"9" * 5000 + b"}]}", ORIGIN)
    assert b'"readings":[{"humidity":9999' in line
