"""How a producer writes payloads: JSON, as it is or compressed. The intake tells them apart by their first bytes."""

import gzip
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from iot_pipeline.contract.contract import MAX_MESSAGE_BYTES


class Encoding(StrEnum):
    """Of a payload. ZSTD needs Python 3.14, or the package `backports.zstd` before that."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


def encoded(payload: bytes | Mapping[str, Any], encoding: Encoding) -> bytes:
    """A payload's bytes; the same payload has the same bytes. Raises ValueError for one the intake would refuse,
    and ImportError for ZSTD where it is not installed.

    Bytes are taken as what they are: somebody may have compressed them, or written CBOR.
    """
    if not isinstance(payload, bytes):
        try:
            payload = json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise ValueError(f"the payload is no JSON: {error}") from error
    if len(payload) > MAX_MESSAGE_BYTES:
        raise ValueError(
            f"the payload has {len(payload)} bytes, expected at most {MAX_MESSAGE_BYTES}: send its readings in several"
        )
    if encoding is Encoding.GZIP:
        return gzip.compress(payload, mtime=0)
    if encoding is Encoding.ZSTD:
        return _zstd(payload)
    return payload


def _zstd(payload: bytes) -> bytes:
    try:
        from iot_pipeline.producer.zstandard import zstd
    except ImportError as error:
        raise ImportError("the encoding zstd needs Python 3.14, or the package backports.zstd") from error
    return zstd.compress(payload)
