"""JSON as the transformation's engine reads and writes it: strict, keys sorted, numbers in their shortest form."""

import json
import re
from decimal import Decimal
from json.encoder import encode_basestring
from math import isinf
from typing import Any


class NotJsonError(ValueError):
    """A text that is not JSON by RFC 8259, or nested deeper than Python reads (about 1,000 levels)."""


class VastNumberError(ValueError):
    """The text of a number is asked for that is beyond a DOUBLE's range: `parsed(text, vast=True)` keeps it."""


class VastNumber(float):
    """A number with its text as sent: an infinite one, or a whole one of more digits than int() takes."""

    __slots__ = ("text",)
    text: str


def parsed(text: str, *, vast: bool = False) -> Any:
    """The value of a JSON text. Of a key that comes twice the last counts, as on Athena. Raises NotJsonError.

    `vast` keeps the texts of numbers that only an infinite float can hold, which takes twice the time.
    """
    try:
        value = (_VAST if vast else _PLAIN).decode(text)
    except (RecursionError, json.JSONDecodeError) as error:
        raise NotJsonError(text[:80]) from error
    except NotJsonError:
        raise
    except ValueError:
        # A whole number of more than 4,300 digits, which int() does not take.
        value = _VAST.decode(text)
    if "\\u" in text:
        _refuse_half_characters(value)
    return value


def scalar_text(value: Any) -> str | None:
    """What json_extract_scalar gives of a parsed value: a string itself, another scalar's text; else None."""
    if type(value) is str:
        return value
    if value is None or isinstance(value, dict | list):
        return None
    return _number_text(value)


def json_text(value: Any) -> str:
    """What json_format gives of a parsed value."""
    if type(value) is str:
        return _string_text(value)
    if value is None:
        return "null"
    return canonical(value) if isinstance(value, dict | list) else _number_text(value)


def _refuse_constant(name: str) -> Any:
    raise NotJsonError(f"{name} is not JSON")


def _refuse_half_characters(value: Any) -> None:
    """Half of a character is what one escape of a surrogate pair says alone."""
    try:
        canonical(value).encode()
    except UnicodeEncodeError as error:
        raise NotJsonError("half of a surrogate pair") from error


def _string_text(value: str) -> str:
    text = encode_basestring(value)
    # The engine writes \u001B where Python writes \u001b.
    return text if "\\u00" not in text else _CONTROL.sub(lambda match: match[0][:2] + match[0][2:].upper(), text)


def _number_text(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is VastNumber:
        return value.text
    text = repr(value)
    if "e" not in text:
        if "n" in text:
            raise VastNumberError
        return text
    digits, _, exponent = text.partition("e")
    if -7 < int(exponent) < 21:
        text = format(Decimal(text), "f")
        return text if "." in text else text + ".0"
    return f"{digits}e{int(exponent)}"


def _vast_float(text: str) -> float:
    value = float(text)
    return _vast(value, text) if isinf(value) else value


def _vast_int(text: str) -> float | int:
    return int(text) if len(text) < 4_300 else _vast(float(text), text)


def _vast(value: float, text: str) -> VastNumber:
    number = VastNumber(value)
    number.text = text
    return number


_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*\\u00[01][0-9a-f]")
_PLAIN = json.JSONDecoder(parse_constant=_refuse_constant)
_VAST = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_vast_float, parse_int=_vast_int)
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
