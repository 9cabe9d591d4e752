"""Glue's exclude patterns, matched in one pass over a key whatever the pattern is.

AWS Glue developer guide, "Include and exclude patterns". As a regular expression, twenty `*` that match nothing would
keep the crawler, and with it the whole emulator, for years. Here all the places that the pattern can be at are followed
together, so that a key costs at most its length times the pattern's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class _Step:
    """A character to read, or none, and the steps that can follow."""

    accepts: Callable[[str], object] | None
    following: list[int] = field(default_factory=list)


class Glob:
    """A glob: `*` and `?` stay within a folder, `**` does not; `[a-z]`, `[!x]` and `{a,b}`.

    Raises ValueError for a brace without its other one, and for brackets that hold no characters or ranges.
    """

    def __init__(self, glob: str) -> None:
        self._steps: list[_Step] = []
        self._groups: list[tuple[_Step, list[_Step]]] = []
        for part in _parts(glob):
            self._add(part)
        if self._groups:
            msg = f"The glob {glob!r} has an open brace"
            raise ValueError(msg)
        self._steps.append(_Step(None))

    def fullmatch(self, text: str) -> bool:
        """Whether the glob stands for the whole text."""
        places = self._reached([0])
        for char in text:
            steps = (self._steps[place] for place in places)
            places = self._reached([n for step in steps if step.accepts and step.accepts(char) for n in step.following])
            if not places:
                return False
        return len(self._steps) - 1 in places

    def _add(self, part: str) -> None:
        here = len(self._steps)
        if part in ("*", "**"):
            self._steps.append(_Step(None, [here + 1, here + 2]))
            self._steps.append(_Step(_anything if part == "**" else _no_slash, [here]))
        elif part == "{":
            self._steps.append(_Step(None, [here + 1]))
            self._groups.append((self._steps[here], []))
        elif part == "," and self._groups:
            self._steps.append(_Step(None))
            begin, ends = self._groups[-1]
            begin.following.append(here + 1)
            ends.append(self._steps[here])
        elif part == "}":
            self._close(here)
        else:
            self._steps.append(_Step(_one(part), [here + 1]))

    def _close(self, here: int) -> None:
        if not self._groups:
            msg = "A glob has a closing brace without an opening one"
            raise ValueError(msg)
        for end in self._groups.pop()[1]:
            end.following.append(here)

    def _reached(self, places: list[int]) -> set[int]:
        """These steps, and those that can be reached from them without reading a character."""
        found: set[int] = set()
        while places:
            place = places.pop()
            if place not in found:
                found.add(place)
                if self._steps[place].accepts is None:
                    places += self._steps[place].following
        return found


def _parts(glob: str) -> Iterator[str]:
    index, last = 0, glob.rfind("]")
    while index < len(glob):
        end = index + 1
        if glob.startswith("**", index):
            end += 1
        elif glob[index] == "[" and index < last:
            end = glob.index("]", index) + 1
        yield glob[index:end]
        index = end


def _one(part: str) -> Callable[[str], object]:
    if part == "?":
        return _no_slash
    if len(part) > 1:
        body = part[1:-1]
        try:
            return re.compile(f"[^{body[1:]}]" if body.startswith("!") else f"[{body}]").fullmatch
        except re.error as error:
            msg = f"The brackets {part!r} of a glob are no characters or ranges: {error}"
            raise ValueError(msg) from error
    return part.__eq__


def _no_slash(char: str) -> bool:
    return char != "/"


def _anything(_char: str) -> bool:
    return True
