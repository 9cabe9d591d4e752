"""The format of the Kinesis Producer Library, against bytes that Amazon's own aggregator wrote."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract.aggregation import FRAME_BYTES, MAGIC, UserRecord, aggregated, user_records

# aws-kinesis-agg 1.2.3, `RecordAggregator`: site/a {"v":1}, site/b nothing, site/a 00 ff.
AMAZONS = bytes.fromhex(
    "f3899ac20a06736974652f610a06736974652f621a0b08001a077b2276223a317d1a0408011a001a0608001a0200ff"
    "a53f41d36863ae82d338889207abb30a"
)
RECORDS = [UserRecord("site/a", b'{"v":1}'), UserRecord("site/b", b""), UserRecord("site/a", b"\x00\xff")]


def _framed(message: bytes) -> bytes:
    return MAGIC + message + hashlib.md5(message).digest()


def test_amazons_aggregate_is_read_and_written() -> None:
    assert user_records("outer", AMAZONS) == RECORDS
    assert aggregated(RECORDS) == AMAZONS


def test_amazons_aggregate_with_explicit_hash_keys_is_read() -> None:
    # The same writer, given the hash keys 1, 2 and 1, as a producer that chooses its shards gives them.
    written = bytes.fromhex(
        "f3899ac20a0770756d702d31370a0770756d702d31381201311201321a0d080010001a077b2276223a317d1a08080110011a021f8b"
        "1a08080010001a027b7d6f66e27b91396fb1a33307e06f0e0e52"
    )
    assert user_records("outer", written) == [
        UserRecord("pump-17", b'{"v":1}'),
        UserRecord("pump-18", b"\x1f\x8b"),
        UserRecord("pump-17", b"{}"),
    ]


def test_tables_and_tags_that_we_do_not_use_are_passed_over() -> None:
    # explicit_hash_key_table "7"; the record with explicit_hash_key_index 0 and a tag {"a"}.
    message = bytes.fromhex("0a0164" + "120137" + "1a0c" + "0800" + "1000" + "1a017b" + "22030a0161")
    assert user_records("outer", _framed(message)) == [UserRecord("d", b"{")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"v": 1}',
        MAGIC,
        AMAZONS[:-1],
        AMAZONS[:-1] + b"\0",
        AMAZONS[:20] + b"x" + AMAZONS[21:],
        _framed(b""),
        _framed(bytes.fromhex("0a0164")),
        _framed(bytes.fromhex("0a0164" + "1a05" + "0801" + "1a017b")),
        _framed(bytes.fromhex("0a0164" + "1a03" + "1a017b")),
        _framed(bytes.fromhex("0a0164" + "1a02" + "0800")),
        _framed(bytes.fromhex("0a01ff" + "1a05" + "0800" + "1a017b")),
        _framed(bytes.fromhex("0aff")),
        _framed(b"\xff" * 11),
        _framed(bytes.fromhex("0b")),
    ],
)
def test_what_is_no_aggregate_is_taken_as_it_came(data: bytes) -> None:
    assert user_records("outer", data) == [UserRecord("outer", data)]


@given(st.lists(st.builds(UserRecord, st.text(min_size=1, max_size=300), st.binary(max_size=400)), min_size=1))
def test_what_is_aggregated_comes_back(records: list[UserRecord]) -> None:
    data = aggregated(records)
    assert user_records("outer", data) == records
    assert len(data) >= FRAME_BYTES + sum(len(each.data) for each in records)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(message: bytes) -> None:
    assert user_records("outer", _framed(message))
