"""`parse_time(pattern, milliseconds[, time zone])` of rule SQL, by which actions name folders after the clock.

AWS IoT developer guide, "Functions", `parse_time(String, Long[, String])`: patterns are Joda's, the zone is UTC unless
given. Of Joda's letters those of a date and a time of day in numbers are known; others are refused by name.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CALL = re.compile(r"""parse_time\(\s*"([^"]*)"\s*,([^,]+)(?:,\s*["']([^"',]*)["']\s*)?\)""", re.IGNORECASE)
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])")
_FIELDS: dict[str, Callable[[datetime], int]] = {
    "y": lambda t: t.year,
    "M": lambda t: t.month,
    "d": lambda t: t.day,
    "H": lambda t: t.hour,
    "m": lambda t: t.minute,
    "s": lambda t: t.second,
    "S": lambda t: t.microsecond // 1000,
}


class PatternError(ValueError):
    """A pattern or a zone that is not known here; the text says which, and what is."""


def formatter(pattern: str, zone: str | None) -> Callable[[int], str]:
    """What makes text of milliseconds since 1970 by a pattern. Raises PatternError."""
    where = _zone(zone)
    parts: list[str | tuple[Callable[[datetime], int], int]] = []
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise PatternError(f"parse_time: the pattern {pattern!r} has an apostrophe that nothing closes")
        position = token.end()
        quoted, letter, mark = token.groups()
        if letter is None:
            parts.append(mark if quoted is None else quoted.replace("''", "'") or "'")
        else:
            parts.append((_field(pattern, letter, len(token[0])), len(token[0])))

    def text(milliseconds: int) -> str:
        # A division in whole numbers: a float of this size has no exact milliseconds.
        seconds, rest = divmod(milliseconds, 1000)
        moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000).astimezone(where)
        return "".join(part if isinstance(part, str) else f"{part[0](moment):0{part[1]}d}" for part in parts)

    return text


def _field(pattern: str, letter: str, width: int) -> Callable[[datetime], int]:
    # Two letters of a year are its last two digits, three of a month its name, and fewer of S cut digits off.
    numbers = {"y": (4,), "M": (1, 2), "S": (3,)}.get(letter, (1, 2))
    if letter not in _FIELDS or width not in numbers:
        known = "yyyy, M, MM, d, dd, H, HH, m, mm, s, ss, SSS"
        raise PatternError(f"parse_time: the local AWS knows no {letter * width!r} in {pattern!r}; it knows {known}")
    return _FIELDS[letter]


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PatternError(f"parse_time: there is no time zone {name!r}") from error
