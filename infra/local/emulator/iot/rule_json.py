"""JSON as the rules engine reads and writes it: fast, and without changing a number's value.

AWS IoT SQL numbers have up to 34 digits (developer guide, "AWS IoT SQL reference", "Data types"). Python's float
has 17 and orjson's integers 64 bits, so the few payloads with longer numbers or exponents take a slower path that
keeps their text. Shorter numbers keep their value, not their spelling: 1.10 leaves as 1.1.
"""

import json
import re
from typing import Any

import orjson

_LONG_NUMBER = re.compile(rb"[\[:,\s]-?[0-9.]*(?:[0-9][eE]|[0-9.]{17})")


class NotJsonError(ValueError):
    """The payload is not one JSON document in UTF-8."""


class ExactNumber(float):
    """A number whose text goes out as it came in."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> "ExactNumber":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def decode(payload: bytes) -> Any:
    """The payload's JSON value; raises NotJsonError.

    Also for what no other reader of the lake would take: NaN, a number beyond a double's range, a lone surrogate,
    nesting deeper than 1,024.
    """
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise NotJsonError(str(error)) from error
    if _LONG_NUMBER.search(payload):
        try:
            return json.loads(payload, parse_float=ExactNumber, parse_int=_exact_int)
        except RecursionError as error:
            msg = "nested too deep"
            raise NotJsonError(msg) from error
    return value


def encode(value: Any) -> bytes:
    """The value as one line of compact JSON."""
    return orjson.dumps(value, default=_fragment)


def _exact_int(text: str) -> int | ExactNumber:
    return int(text) if len(text) < 19 else ExactNumber(text)


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    msg = f"{type(value).__name__} is not JSON"
    raise TypeError(msg)
