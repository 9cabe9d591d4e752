"""JSON as the transformation's engine reads and writes it: strict, keys sorted, numbers as Java writes them."""

import json
import re
from itertools import chain
from json.encoder import encode_basestring
from math import isinf
from typing import Any

from iot_pipeline.contract.number_text import double_text

# A reader may set a limit (RFC 8259, section 9). Beyond 1,000 levels a Trino 476 fails the whole query, TRY or not.
MAX_DEPTH = 100
BEYOND_DOUBLE = ("Infinity", "-Infinity")
"""What the engine makes of a number with a fraction or an exponent that is beyond a DOUBLE: these texts."""


class NotJsonError(ValueError):
    """A text that is not JSON by RFC 8259, or says half of a character: one escape of a surrogate pair alone."""


class VastNumber(float):
    """A whole number of more digits than int() takes, with its text."""

    __slots__ = ("text",)
    text: str


def parsed(text: str) -> Any:
    """The value of a JSON text. Of a key that comes twice the last counts, as on Athena. Raises NotJsonError.

    A number with a fraction or an exponent that is beyond a DOUBLE is an infinite float.
    """
    if "\\u" in text and HALF.search(WHOLE.sub("", text)):
        raise NotJsonError("half of a surrogate pair")
    try:
        return _PLAIN.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(text[:80]) from error
    except NotJsonError:
        raise
    except ValueError:
        pass  # a whole number of more than 4,300 digits, which int() does not take
    try:
        return _VAST.decode(text)
    except json.JSONDecodeError as error:
        raise NotJsonError(text[:80]) from error


def parsed_within_depth(text: str) -> Any:
    """As `parsed`; raises NotJsonError as well for a text that is nested deeper than MAX_DEPTH."""
    brackets = text.count("[") + text.count("{")
    # One that comes after another was closed takes its level: so do the readings of a message, in either usual form.
    if brackets <= MAX_DEPTH or brackets - text.count("},{") - text.count("}, {") <= MAX_DEPTH:
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
    if isinstance(value, dict):
        members = (f"{_string_text(name)}:{json_text(value[name])}" for name in sorted(value, key=_utf16))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return _scalar_text(value)


def _utf16(name: str) -> bytes:
    """Java's order of texts: by UTF-16 code units."""
    return name.encode("utf-16-be")


def _refuse_constant(name: str) -> Any:
    raise NotJsonError(f"{name} is not JSON")


def _string_text(value: str) -> str:
    text = encode_basestring(value)
    if "\\u00" in text:
        # The engine writes \u001B where Python writes \u001b.
        text = _CONTROL.sub(lambda match: match[0][:-4] + match[0][-4:].upper(), text)
    return text if text.isascii() else _BEYOND_BMP.sub(_surrogates, text)


def _surrogates(match: re.Match[str]) -> str:
    """A character beyond the basic multilingual plane as the two escapes that the engine writes."""
    units = match[0].encode("utf-16-be").hex().upper()
    return f"\\u{units[:4]}\\u{units[4:]}"


def _scalar_text(value: Any) -> str:
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is VastNumber:
        return value.text
    text = double_text(value)
    return f'"{text}"' if isinf(value) else text


def _vast_int(text: str) -> float | int:
    if len(text) < _LONGEST_INT:
        return int(text)
    number = VastNumber(text)
    number.text = text
    return number


_LONGEST_INT = 4_300
_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")
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
_VAST = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_vast_int)
