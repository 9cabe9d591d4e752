"""A record as a row: the line to the byte, the columns as sent, whatever a device sends."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.emulator.firehose.hive_rows import kind_of, struct
from iot_pipeline.contract import CONTRACT, raw_as_parquet, tables
from iot_pipeline.contract.raw_columns import raw_columns
from iot_pipeline_tests.support.messages import METER
from iot_pipeline_tests.support.payloads import Payloads

ROW = struct({column.name: kind_of(column.type) for column in raw_as_parquet()[0].columns})


def line_of(columns: dict[str, object]) -> bytes:
    encoded = columns.get("line_base64")
    return base64.b64decode(encoded) if isinstance(encoded, str) else str(columns["line"]).encode()


@given(st.binary(max_size=200))
def test_any_bytes_come_back_to_the_byte(record: bytes) -> None:
    assert line_of(raw_columns(record)) == record.removesuffix(b"\n")


def test_whatever_a_device_sends_is_a_row_of_the_table() -> None:
    """Firehose refuses a row that is none: nothing may end there. The line is the record."""
    for record in Payloads(11, CONTRACT, datetime(2026, 3, 1, tzinfo=UTC)).lines(5_000, METER):
        columns = raw_columns(record)
        row = ROW.value(json.loads(json.dumps(columns, ensure_ascii=False).encode()))
        assert columns.keys() <= row.keys()
        assert line_of(columns) == record


def test_values_are_as_sent() -> None:
    record = (
        b'{"v": 1, "device_id": "d-1", "Device_ID": "other", "fw": 1.50, "readings": [{"ts": 1e3, "seq": 007'[:-3]
        + b'7, "temperature": 21.40, "humidity": true, "battery": null, "unit": {"temperature": "F"},'
        b' "location": {"lat": 1.0, "lon": "x", "alt": 3}}, 5], "v": 2, "iot_tenant": "acme",'
        b' "iot_received_at": 1700000000000}'
    )
    assert raw_columns(record) == {
        "line": record.decode(),
        "v": "2",
        "device_id": "d-1",
        "fw": "1.50",
        "readings": [
            {
                "ts": "1e3",
                "seq": "7",
                "temperature": "21.40",
                "humidity": "true",
                "unit": {"temperature": "F"},
                "location": {"lat": "1.0", "lon": "x"},
            },
            {},
        ],
        "iot_tenant": "acme",
        "iot_received_at": 1700000000000,
    }


NO_COLUMNS = {"text": b"hello", "a list": b"[1]", "nothing": b"", "too deep": b"[" * 100_000, "half": b'{"v": '}


@pytest.mark.parametrize("record", NO_COLUMNS.values(), ids=NO_COLUMNS.keys())
def test_what_is_no_object_is_its_line_alone(record: bytes) -> None:
    assert raw_columns(record) == {"line": record.decode()}


def test_a_time_that_is_no_bigint_is_left_out() -> None:
    for value in ("1e3", "1.0", '"5"', "99999999999999999999", "true"):
        assert "iot_received_at" not in raw_columns(f'{{"iot_received_at": {value}}}'.encode())


def test_both_raw_tables_keep_their_columns() -> None:
    people, line = raw_as_parquet()
    lake = tables()
    assert people.columns[: len(lake.raw_telemetry.columns)] == lake.raw_telemetry.columns
    assert line.columns == lake.raw_lines.columns
    assert (people.prefix, line.prefix) == (lake.raw_telemetry.prefix, lake.raw_lines.prefix)
