"""Aggregated records of a Kinesis stream: several user records in one, as the Kinesis Producer Library writes them.

awslabs/amazon-kinesis-producer, `aggregation-format.md`: a magic number, a protocol buffers message (proto2), and the
MD5 of that message. The message has a table of partition keys and the records, each with its key's place in the table:

    AggregatedRecord: repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2;
                      repeated Record records = 3
    Record: required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2;
            required bytes data = 3; repeated Tag tags = 4

Standard library alone, since the edge's Lambda carries it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAGIC = b"\xf3\x89\x9a\xc2"
_MD5_BYTES = 16
# What an aggregate has beside its tables and records.
FRAME_BYTES = len(MAGIC) + _MD5_BYTES
# Wire types of protocol buffers ("Encoding", "Message Structure"); the format uses the first and the third.
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_KEYS, _RECORDS = 1, 3
_KEY_INDEX, _DATA = 1, 3
_LONGEST_VARINT = 10


@dataclass(frozen=True, slots=True)
class UserRecord:
    """What somebody sent, with the partition key that he gave it."""

    partition_key: str
    data: bytes


class _NotAggregatedError(ValueError):
    """Bytes that begin as an aggregate and are none."""


def user_records(partition_key: str, data: bytes) -> list[UserRecord]:
    """The user records of a record of a stream, in their order: itself, where it is no aggregate.

    What begins as an aggregate and breaks the format, or has the wrong checksum, is taken as it came, as Amazon's own
    consumer library does (amazon-kinesis-client, `AggregatorUtil.deaggregate`).
    """
    if data.startswith(MAGIC) and len(data) >= FRAME_BYTES:
        message = data[len(MAGIC) : -_MD5_BYTES]
        if hashlib.md5(message, usedforsecurity=False).digest() == data[-_MD5_BYTES:]:
            try:
                return _parsed(message)
            except _NotAggregatedError:
                pass
    return [UserRecord(partition_key, data)]


def aggregated(records: Sequence[UserRecord]) -> bytes:
    """One record of a stream that holds these, in their order."""
    places: dict[str, int] = {}
    body = bytearray()
    for record in records:
        place = places.setdefault(record.partition_key, len(places))
        inner = _tag(_KEY_INDEX, _VARINT) + _varint(place) + _field(_DATA, record.data)
        body += _field(_RECORDS, inner)
    message = b"".join(_field(_KEYS, key.encode()) for key in places) + bytes(body)
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def _parsed(message: bytes) -> list[UserRecord]:
    keys: list[str] = []
    found: list[tuple[int, bytes]] = []
    for number, value in _fields(message):
        if number == _KEYS and isinstance(value, bytes):
            keys.append(_text(value))
        elif number == _RECORDS and isinstance(value, bytes):
            found.append(_record(value))
    if not found or any(place >= len(keys) for place, _data in found):
        raise _NotAggregatedError
    return [UserRecord(keys[place], data) for place, data in found]


def _record(message: bytes) -> tuple[int, bytes]:
    fields = dict(_fields(message))
    place, data = fields.get(_KEY_INDEX), fields.get(_DATA)
    if not isinstance(place, int) or not isinstance(data, bytes):
        raise _NotAggregatedError
    return place, data


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _read_varint(message, at)
            yield number, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _LENGTH:
            size, at = _read_varint(message, at)
        if size is None or size > len(message) - at:
            raise _NotAggregatedError
        yield number, message[at : at + size]
        at += size


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise _NotAggregatedError


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise _NotAggregatedError from error


def _field(number: int, value: bytes) -> bytes:
    return _tag(number, _LENGTH) + _varint(len(value)) + value


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
