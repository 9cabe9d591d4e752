"""Raw objects in Parquet: records come back to the byte, and without those that are taken out."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from iot_pipeline import raw_parquet
from iot_pipeline.contract.raw_columns import raw_columns

RECORDS = [b'{"iot_device": "d-1", "readings": []}', b"\xff no UTF-8 \x00", b"", b'{"iot_device": "d-2"}']


def raw_object(records: list[bytes]) -> bytes:
    """As Firehose writes it, of the columns that matter here."""
    rows = [raw_columns(record) for record in records]
    names = ("line", "line_base64", "iot_device")
    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}), out)
    return out.getvalue()


def test_records_come_back_to_the_byte() -> None:
    body = raw_object(RECORDS)
    assert raw_parquet.is_parquet(body)
    assert raw_parquet.lines_of(body) == RECORDS


def test_others_stay_as_they_are_with_all_their_columns() -> None:
    gone, left = raw_parquet.without(raw_object(RECORDS), lambda line: b"d-1" in line)
    assert gone == 1
    assert raw_parquet.lines_of(left) == RECORDS[1:]
    assert pq.read_table(io.BytesIO(left))["iot_device"].to_pylist() == [None, None, "d-2"]


def test_an_object_of_which_nothing_is_left_stays_one() -> None:
    gone, left = raw_parquet.without(raw_object(RECORDS), lambda _line: True)
    assert gone == len(RECORDS)
    assert raw_parquet.lines_of(left) == []


def test_what_is_cut_off_is_refused() -> None:
    with pytest.raises(pa.ArrowInvalid):
        raw_parquet.lines_of(raw_object(RECORDS)[:-20])
