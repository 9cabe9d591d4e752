"""CBOR to JSON, within bounds: what a telemetry message can say in RFC 8949, and nothing else.

A map's keys are texts, each once. Integers, floats of all three widths, texts, arrays, maps, booleans, null and the tag
of self-described CBOR are read; byte strings, other tags and other simple values are refused, since JSON cannot say
them. A float keeps its value (a single's as the double that is equal to it). NaN and the infinities become texts, for
which the contract refuses the one reading that has them (`invalid_value`), and not the message.

No library: the intake's package has no requirements (infra/stacks/bundles.py), and cbor2, the usual one, would have
to be tamed: it makes dates, decimals, big numbers and shared or cyclic values of tags, and of a key that comes twice
keeps one. What is read here is less than it reads, and everything else is refused by the byte at which it stands.
"""

import json
import math
import struct
from typing import Any

from iot_pipeline.contract.json_text import MAX_DEPTH

SELF_DESCRIBED = b"\xd9\xd9\xf7"
_UNSIGNED, _NEGATIVE, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 1, 3, 4, 5, 6, 7
_SELF_DESCRIBED_TAG = 55799
_FALSE, _TRUE, _NULL, _UNDEFINED, _HALF, _SINGLE, _DOUBLE = 20, 21, 22, 23, 25, 26, 27
_FLOATS = {_HALF: (">e", 2), _SINGLE: (">f", 4), _DOUBLE: (">d", 8)}
_INDEFINITE, _BREAK = 31, 0xFF
# Additional information of a head: this and the three above it say in how many bytes its argument follows.
_ONE_BYTE = 24


class NotCborError(ValueError):
    """Bytes that are not CBOR, or that say what a telemetry message cannot."""


def is_cbor(data: bytes) -> bool:
    """Whether bytes begin as a CBOR map does, which no JSON and no other UTF-8 text can."""
    return data.startswith(SELF_DESCRIBED) or (bool(data) and data[0] >> 5 == _MAP)


def json_of(data: bytes) -> bytes:
    """The JSON of one CBOR data item. Raises NotCborError that says at which byte, and what was expected."""
    reader = _Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise NotCborError(f"byte {reader.at}: {len(data) - reader.at} bytes follow the message")
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def item(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH} levels")
        began = self.at
        head = self._take(1)[0]
        major, info = head >> 5, head & 0x1F
        if major == _SIMPLE:
            return self._simple(info)
        if major == _ARRAY:
            return [self.item(depth + 1) for _ in self._elements(info)]
        if major == _MAP:
            return self._map(info, depth)
        if major == _TEXT:
            return self._text(info)
        argument = self._argument(info)
        if major == _UNSIGNED:
            return argument
        if major == _NEGATIVE:
            return -1 - argument
        if major == _TAG and argument == _SELF_DESCRIBED_TAG and began == 0:
            return self.item(depth + 1)
        raise self._error("a byte string or a tag, which JSON cannot say", began)

    def _map(self, info: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in self._elements(info):
            began = self.at
            key = self.item(depth + 1)
            if not isinstance(key, str):
                raise self._error("a map's key that is no text", began)
            if key in found:
                raise self._error(f"the key {key[:40]!r} for the second time", began)
            found[key] = self.item(depth + 1)
        return found

    def _elements(self, info: int) -> Any:
        """Something to iterate over once an element; an element has a byte at least, so that no count is believed."""
        if info == _INDEFINITE:
            return iter(self._is_broken, True)
        count = self._argument(info)
        if count > len(self._data) - self.at:
            raise self._error(f"{count} elements, for which the bytes do not suffice")
        return range(count)

    def _is_broken(self) -> bool:
        if self._peek() != _BREAK:
            return False
        self.at += 1
        return True

    def _text(self, info: int) -> str:
        if info != _INDEFINITE:
            return self._decoded(self._take(self._argument(info)))
        parts = []
        while not self._is_broken():
            head = self._take(1)[0]
            if head >> 5 != _TEXT or head & 0x1F == _INDEFINITE:
                raise self._error("a part of a text that is no text of a known length")
            parts.append(self._decoded(self._take(self._argument(head & 0x1F))))
        return "".join(parts)

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise self._error("a text that is no UTF-8") from error

    def _simple(self, info: int) -> Any:
        if info in _FLOATS:
            form, size = _FLOATS[info]
            number: float = struct.unpack(form, self._take(size))[0]
            return number if math.isfinite(number) else str(number)
        named = {_FALSE: False, _TRUE: True, _NULL: None, _UNDEFINED: None}
        if info not in named:
            raise self._error(f"the simple value {info}")
        return named[info]

    def _argument(self, info: int) -> int:
        if info < _ONE_BYTE:
            return info
        if info > _ONE_BYTE + 3:
            raise self._error(f"a head with the additional information {info}")
        return int.from_bytes(self._take(1 << (info - _ONE_BYTE)))

    def _peek(self) -> int:
        if self.at >= len(self._data):
            raise self._error("the end of the bytes within an item")
        return self._data[self.at]

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.at:
            raise self._error("the end of the bytes within an item")
        self.at += size
        return self._data[self.at - size : self.at]

    def _error(self, found: str, at: int | None = None) -> NotCborError:
        return NotCborError(f"byte {self.at if at is None else at}: {found}")
