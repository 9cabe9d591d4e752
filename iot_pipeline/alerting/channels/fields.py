"""The fields of a JSON object, read one by one; what is wrong is collected, so that a person mends it all at once."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

T = TypeVar("T")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Fields:
    """Reads an object's fields; `where` names it for people, and `faults` gets each fault as a sentence."""

    def __init__(self, where: str, given: Any, faults: list[str], prefix: str = "") -> None:
        self._where, self._faults, self._prefix = where, faults, prefix
        self._read: set[str] = set()
        self._given: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        if not isinstance(given, Mapping):
            what = prefix.removesuffix(".") or "it"
            faults.append(f"{where}: {what} is {_shown(given)}, expected an object in braces")

    def fault(self, name: str, got: Any, expected: str, *, secret: bool = False) -> None:
        """Note what is wrong with a field; the value of a secret one is not told."""
        shown = "a secret that is not shown here" if secret else _shown(got)
        self._faults.append(f"{self._where}: `{self._prefix}{name}` is {shown}, expected {expected}")

    def text(self, name: str, pattern: re.Pattern[str], expected: str, *, secret: bool = False) -> str:
        """A text that matches as a whole; empty after a fault."""
        value = self._value(name, expected)
        if value is None:
            return ""
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        self.fault(name, value, expected, secret=secret)
        return ""

    def url(self, name: str, default: str | None = None, ends: str = "", *, secret: bool = False) -> str:
        """An address of https; empty after a fault. `ends`: what its path ends with."""
        expected = f"an address that begins with https://{f' and ends with {ends}' if ends else ''}"
        value = self._value(name, expected, default)
        if value is None or value == default:
            return default or ""
        if isinstance(value, str) and _is_https(value) and urlsplit(value).path.endswith(ends):
            return value
        self.fault(name, value, expected, secret=secret)
        return ""

    def choice(self, name: str, choices: Mapping[str, T], default: T | None = None) -> T | None:
        """One of some words; None after a fault."""
        expected = f"one of {', '.join(choices)}"
        value = self._value(name, expected, default)
        if value is None or value is default:
            return default
        if isinstance(value, str) and value in choices:
            return choices[value]
        self.fault(name, value, expected + _nearest(value, choices))
        return None

    def names(self, name: str, pattern: re.Pattern[str], expected: str, default: Sequence[str]) -> Sequence[str]:
        """A list of at least one name."""
        value = self._value(name, expected, default)
        if isinstance(value, Sequence) and not isinstance(value, str) and value:
            wrong = [each for each in value if not (isinstance(each, str) and pattern.fullmatch(each))]
            if not wrong:
                return [str(each) for each in value]
            value = wrong[0]
        self.fault(name, value, f"a list of {expected}")
        return ()

    def objects(self, name: str) -> Sequence[Any]:
        """A list."""
        value = self._value(name, "a list of objects, one a channel")
        if value is None or isinstance(value, list):
            return value or []
        self.fault(name, value, "a list of objects, one a channel")
        return []

    def part(self, name: str) -> "Fields | None":
        """An object within this one, if it is there."""
        self._read.add(name)
        if self._given.get(name) is None:
            return None
        return Fields(self._where, self._given[name], self._faults, f"{self._prefix}{name}.")

    def time(self, name: str) -> time | None:
        """A time of day; None after a fault."""
        value = self._value(name, "a time such as 06:30")
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found:
            return time(int(found[1]), int(found[2]))
        if value is not None:
            self.fault(name, value, "a time from 00:00 to 23:59, such as 06:30")
        return None

    def zone(self, name: str) -> ZoneInfo | None:
        """A time zone by its name in the IANA database; None after a fault."""
        expected = "a name of the IANA time zone database, such as Europe/Zurich"
        value = self._value(name, expected)
        if value is None:
            return None
        try:
            return ZoneInfo(value)
        except (ValueError, KeyError, OSError, TypeError, AttributeError):
            # Which of them it is depends on what the text makes of the database's folder.
            self.fault(name, value, expected + _nearest(value, available_timezones()))
            return None

    def leave_out(self, *names: str) -> None:
        """Fields of which nothing can be said, since it is not known what they would be for."""
        self._read.update(names)

    def nothing_else(self) -> None:
        """Note each field that nobody has asked for: a misspelt one would else be without effect."""
        for name in self._given.keys() - self._read:
            near = _nearest(name, self._read)
            known = ", ".join(sorted(self._read))
            self._faults.append(f"{self._where}: `{self._prefix}{name}` is unknown, expected some of {known}{near}")

    def _value(self, name: str, expected: str, default: Any = None) -> Any:
        self._read.add(name)
        value = self._given.get(name)
        if value is None and default is None and self._given:
            self._faults.append(f"{self._where}: `{self._prefix}{name}` is missing, expected {expected}")
        return default if value is None else value


def _is_https(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        return False


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}..."


def _nearest(value: Any, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(value), list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""
