"""Every encoding gives the message back; what is broken, or a bomb, is refused by name and costs no memory."""

import gzip
import json
import random
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.contract.aggregation import MAGIC, UserRecord, aggregated
from iot_pipeline.contract.contract import MAX_MESSAGE_BYTES
from iot_pipeline.intake.payloads import Flaw, UnreadablePayloadError, payload_of

zstd = pytest.importorskip("backports.zstd")
MESSAGE = json.dumps({"v": 1, "device_id": "d1", "readings": [{"ts": 1, "seq": 2, "temperature": 21.4}]}).encode()
# {"v": 1} in CBOR.
CBOR = bytes.fromhex("a1617601")


READABLE = [MESSAGE, gzip.compress(MESSAGE, mtime=0), zstd.compress(MESSAGE), b"", b"\xff\xfe", b"17"]


@pytest.mark.parametrize("data", READABLE, ids=range(len(READABLE)))
def test_what_is_readable(data: bytes) -> None:
    assert payload_of(data) == (MESSAGE if data.startswith((b"\x1f", b"\x28")) else data)


@pytest.mark.parametrize(
    "data",
    [CBOR, b"\xd9\xd9\xf7" + CBOR, gzip.compress(CBOR, mtime=0), zstd.compress(CBOR)],
    ids=["plain", "tagged", "gzip", "zstd"],
)
def test_cbor_compressed_or_not(data: bytes) -> None:
    assert payload_of(data) == b'{"v":1}'


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        (gzip.compress(MESSAGE, mtime=0)[:-3], Flaw.BROKEN_GZIP),
        (gzip.compress(MESSAGE, mtime=0) + b"x", Flaw.BROKEN_GZIP),
        (gzip.compress(MESSAGE, mtime=0) * 2, Flaw.BROKEN_GZIP),
        (b"\x1f\x8b" + b"\0" * 30, Flaw.BROKEN_GZIP),
        (zstd.compress(MESSAGE)[:-3], Flaw.BROKEN_ZSTD),
        (zstd.compress(MESSAGE) + b"x", Flaw.BROKEN_ZSTD),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 30, Flaw.BROKEN_ZSTD),
        (CBOR + b"\0", Flaw.BROKEN_CBOR),
        (CBOR[:-1], Flaw.BROKEN_CBOR),
        (b" " * (MAX_MESSAGE_BYTES + 1), Flaw.TOO_LARGE),
        (gzip.compress(b" " * (MAX_MESSAGE_BYTES + 1), mtime=0), Flaw.TOO_LARGE),
        (zstd.compress(b" " * (MAX_MESSAGE_BYTES + 1)), Flaw.TOO_LARGE),
        (MAGIC + b"\0" * 40, Flaw.BROKEN_AGGREGATE),
        (aggregated([UserRecord("d", b"{}")]), Flaw.BROKEN_AGGREGATE),
    ],
    ids=range(14),
)
def test_what_is_not(data: bytes, flaw: Flaw) -> None:
    with pytest.raises(UnreadablePayloadError) as caught:
        payload_of(data)
    assert caught.value.flaw is flaw


def test_the_largest_message_is_readable() -> None:
    largest = random.Random(1).randbytes(MAX_MESSAGE_BYTES // 2).hex().encode()
    assert len(largest) == MAX_MESSAGE_BYTES
    assert payload_of(gzip.compress(largest, mtime=0)) == payload_of(zstd.compress(largest)) == largest


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(b"\0" * 200_000_000, 9, mtime=0),
        zstd.compress(b"\0" * 200_000_000),
        # Arrays in arrays, and a count that no bytes stand behind.
        b"\xa1\x61a" + b"\x81" * 100_000,
        b"\xa1\x61a\x9b" + b"\xff" * 8,
        b"\xa1\x61a\x7b" + b"\xff" * 8,
    ],
    ids=["gzip", "zstd", "depth", "array", "text"],
)
def test_a_bomb_takes_no_memory(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UnreadablePayloadError):
            payload_of(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_frame_with_a_huge_window_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    frame = compressor.compress(b"{}") + compressor.flush()
    with pytest.raises(UnreadablePayloadError) as caught:
        payload_of(frame)
    assert caught.value.flaw is Flaw.BROKEN_ZSTD


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xbf", b"\xa3", MAGIC]))
def test_any_bytes_are_read_or_refused_by_name(data: bytes, start: bytes) -> None:
    with suppress(UnreadablePayloadError):
        assert len(payload_of(start + data)) <= MAX_MESSAGE_BYTES


def test_zlib_itself_agrees_on_what_a_whole_member_is() -> None:
    assert zlib.decompress(gzip.compress(MESSAGE, mtime=0), 31) == payload_of(gzip.compress(MESSAGE, mtime=0))
