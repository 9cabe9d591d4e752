"""What a producer's record carries, as the payload that a device would have sent: JSON, in an MQTT message's size.

A record is a telemetry message of the contract, in JSON or CBOR, as it is or compressed once by gzip or Zstandard. Its
first bytes say which of them it is: no two of these formats, and no JSON text, can begin alike.
"""

import zlib
from enum import StrEnum
from typing import Protocol

from iot_pipeline.contract.aggregation import MAGIC
from iot_pipeline.contract.contract import MAX_MESSAGE_BYTES
from iot_pipeline.intake.cbor import NotCborError, is_cbor, json_of
from iot_pipeline.producer.zstandard import zstd

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# A frame may ask for a window that its sender chooses; that of level 19 is the largest that a message could profit
# from ("A window of 8 MB is recommended to be supported", RFC 8878, 3.1.1.1.2).
_LARGEST_WINDOW_LOG = 23
# zlib's largest window, and the reading of a header of gzip (zlib manual, `inflateInit2`).
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Flaw(StrEnum):
    """Why a payload could not be read."""

    TOO_LARGE = "payload_too_large"
    """It has, or would have once decompressed, more than the bytes of an MQTT message."""
    BROKEN_GZIP = "broken_gzip"
    BROKEN_ZSTD = "broken_zstd"
    BROKEN_CBOR = "broken_cbor"
    BROKEN_AGGREGATE = "broken_aggregate"
    """It begins as an aggregate of the Kinesis Producer Library and is none, or stands within another."""


class UnreadablePayloadError(ValueError):
    """A payload that cannot be read; `flaw` is its name on the books."""

    def __init__(self, flaw: Flaw, text: str) -> None:
        super().__init__(text)
        self.flaw = flaw


def payload_of(data: bytes) -> bytes:
    """The payload that a user record carries. Raises UnreadablePayloadError.

    No more than MAX_MESSAGE_BYTES and one are ever decompressed, whatever a header says. What is neither compressed nor
    CBOR is returned as it came, for the contract to judge.
    """
    if data.startswith(MAGIC):
        raise UnreadablePayloadError(Flaw.BROKEN_AGGREGATE, "an aggregate that breaks its format, or within another")
    if data.startswith(_GZIP):
        data = _decompressed(zlib.decompressobj(_GZIP_WINDOW), data, Flaw.BROKEN_GZIP)
    elif data.startswith(_ZSTD):
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _LARGEST_WINDOW_LOG}
        data = _decompressed(zstd.ZstdDecompressor(options=options), data, Flaw.BROKEN_ZSTD)
    if is_cbor(data):
        try:
            data = json_of(data)
        except NotCborError as error:
            raise UnreadablePayloadError(Flaw.BROKEN_CBOR, str(error)) from error
    return _within_limit(data)


def _within_limit(data: bytes) -> bytes:
    if len(data) > MAX_MESSAGE_BYTES:
        raise UnreadablePayloadError(Flaw.TOO_LARGE, f"over {MAX_MESSAGE_BYTES} bytes; send several messages")
    return data


class _Stream(Protocol):
    """What the decompressors of zlib and of Zstandard share."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _decompressed(stream: _Stream, data: bytes, broken: Flaw) -> bytes:
    try:
        out = stream.decompress(data, MAX_MESSAGE_BYTES + 1)
    except (zlib.error, zstd.ZstdError) as error:
        raise UnreadablePayloadError(broken, str(error)) from error
    _within_limit(out)
    if not stream.eof or stream.unused_data:
        raise UnreadablePayloadError(broken, "expected one whole gzip member or Zstandard frame, nothing behind it")
    return out
