"""JSON as the transformation's engine reads and writes it: strict, keys sorted, numbers in their shortest form."""

import json
import re
from decimal import Decimal
from itertools import chain
from json.encoder import encode_basestring
from math import isinf
from typing import Any

# A reader may set a limit (RFC 8259, section 9). Beyond 1,000 levels a Trino 476 fails the whole query, TRY or not.
MAX_DEPTH = 100


class NotJsonError(ValueError):
    """A text that is not JSON by RFC 8259, or says half of a character: one escape of a surrogate pair alone."""


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
    if "\\u" in text and HALF.search(WHOLE.sub("", text)):
        raise NotJsonError("half of a surrogate pair")
    try:
        return (_VAST if vast else _PLAIN).decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(text[:80]) from error
    except NotJsonError:
        raise
    except ValueError:
        # A whole number of more than 4,300 digits, which int() does not take.
        return parsed(text, vast=True)


def parsed_within_depth(text: str) -> Any:
    """As `parsed`; raises NotJsonError as well for a text that is nested deeper than MAX_DEPTH."""
    brackets = text.count("[") + text.count("{")
    if brackets <= MAX_DEPTH:
        return parsed(text)
    try:
        value = parsed(text)
    except RecursionError:
        raise NotJsonError("nested too deep") from None
    levels, containers = _shape(value)
    # Brackets within texts, and what a later key of the same name has replaced, are in the text alone.
    if levels > MAX_DEPTH or (containers != brackets and is_too_deep(text)):
        raise NotJsonError("nested too deep")
    return value


def _shape(value: Any) -> tuple[int, int]:
    """How many levels of arrays and objects a value has, and how many of them there are."""
    level = [value] if isinstance(value, list | dict) else []
    levels = containers = 0
    while level:
        levels += 1
        containers += len(level)
        inner = chain.from_iterable([each.values() if type(each) is dict else each for each in level])
        level = [each for each in inner if type(each) is dict or type(each) is list]
    return levels, containers


def is_too_deep(text: str) -> bool:
    """Whether a JSON text is nested deeper than MAX_DEPTH; of a text that is no JSON nothing is said."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match[0], 0)
        if depth > MAX_DEPTH:
            return True
    return False


def json_text(value: Any) -> str:
    """What json_format gives of a parsed value."""
    if type(value) is str:
        return _string_text(value)
    if value is None:
        return "null"
    return canonical(value) if isinstance(value, dict | list) else _number_text(value)


def canonical(value: Any) -> str:
    """An array or an object as json_format writes it. Raises VastNumberError."""
    try:
        return _encode(value)
    except ValueError:
        return _written(value)


def _written(value: Any) -> str:
    """The text of a value with numbers beyond a DOUBLE, which Python's writer does not write."""
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{encode_basestring(name)}:{_written(value[name])}' for name in sorted(value))}}}"
    return _number_text(value) if isinstance(value, float) and isinf(value) else _encode(value)


def _refuse_constant(name: str) -> Any:
    raise NotJsonError(f"{name} is not JSON")


def _string_text(value: str) -> str:
    text = encode_basestring(value)
    # The engine writes \u001B where Python writes \u001b.
    return text if "\\u00" not in text else _CONTROL.sub(lambda match: match[0][:-4] + match[0][-4:].upper(), text)


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
# An escape that is a character, or a pair of them that is one; what is left of such escapes then is half of one.
_PAIR = r"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
WHOLE = re.compile(rf'\\(?:["\\/bfnrt]|{_PAIR})')
HALF = re.compile(r"\\u[dD][89a-fA-F]")
# U+0000 in the text of a value: after an even number of backslashes.
NUL = re.compile(r"(?:^|[^\\])(?:\\\\)*\\u0000")
# One that is not closed takes all that is left: each quotation mark in it would else be tried to the end.
_ANY_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_BRACKET = re.compile(rf"{_ANY_STRING}|[\[{{\]}}]", re.DOTALL)
_PLAIN = json.JSONDecoder(parse_constant=_refuse_constant)
_VAST = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_vast_float, parse_int=_vast_int)
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
