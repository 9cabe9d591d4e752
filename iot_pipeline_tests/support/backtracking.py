"""Which regular expressions may take more than linear time, told from the expression alone.

Python's `re` tries one way after the other. That is more than linear where two loops can share a stretch of text in
many ways: one loop after another (`a*a*b`: quadratic), a loop in a loop (`(a+)+b`) or of turns that can be read in two
ways (`(a|a)*b`: exponential), and a search, which begins anew at every place, before a loop that takes all that stands
before it (`a*b` searched in a's). The way from one loop to the other, and a turn of each, must be passable by
characters of both, something after them must be able to fail, and the first must not be possessive or atomic. What is
refused here may be harmless: the characters are compared as sets, not as words.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from re import _constants as op  # type: ignore[attr-defined]  # the parser that `re` itself uses has no stubs
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

# Loops with fewer turns than this are no loops.
FEWEST_TURNS = 64
_ALPHABET = frozenset([*map(chr, range(128)), "é", "€", "\u2003", "٣", "\U0001f600"])
_WORD = frozenset(char for char in _ALPHABET if re.match(r"\w", char))
_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)


@dataclass(eq=False)
class _Loop:
    chars: frozenset[str]
    entry: int
    exit: int
    possessive: bool
    atomic: tuple[int, ...]


@dataclass
class _Machine:
    """States, and edges (from, to, characters or None); `anchor` edges take no character and may fail."""

    flags: int
    edges: list[tuple[int, int, frozenset[str] | None]] = field(default_factory=list)
    anchors: set[tuple[int, int]] = field(default_factory=set)
    loops: list[_Loop] = field(default_factory=list)
    asides: list[Any] = field(default_factory=list)
    states: int = 0
    groups: int = 0
    twice: bool = False
    at_word: bool = False

    def state(self) -> int:
        self.states += 1
        return self.states

    def edge(self, start: int, end: int, chars: frozenset[str] | None = None) -> None:
        self.edges.append((start, end, chars))

    def sequence(self, items: Any, start: int, atomic: tuple[int, ...]) -> int:
        for kind, value in items:
            start = self._item(kind, value, start, atomic)
        return start

    def _item(self, kind: Any, value: Any, start: int, atomic: tuple[int, ...]) -> int:
        end = self.state()
        if kind in _REPEATS:
            return self._repeat(kind, value, start, end, atomic)
        if kind is op.BRANCH:
            self.twice |= sum(branch.getwidth()[0] == 0 for branch in value[1]) > 1
            for branch in value[1]:
                self.edge(self.sequence(branch, start, atomic), end)
        elif kind is op.SUBPATTERN:
            self.edge(self.sequence(value[3], start, atomic), end)
        elif kind is op.ATOMIC_GROUP:
            self.groups += 1
            self.edge(self.sequence(value, start, (*atomic, self.groups)), end)
        elif kind in (op.ASSERT, op.ASSERT_NOT, op.AT):
            if kind is not op.AT:
                self.asides.append(value[1])
            self.edge(start, end)
            self.anchors.add((start, end))
        elif kind is op.GROUPREF:
            self.edge(start, end)
            self.edge(start, end, _ALPHABET)
        else:
            self.edge(start, end, chars_of(kind, value, self.flags))
        return end

    def _repeat(self, kind: Any, value: Any, start: int, end: int, atomic: tuple[int, ...]) -> int:
        least, most, body = value
        possessive = kind is op.POSSESSIVE_REPEAT
        inner = atomic
        if possessive:
            self.groups += 1
            inner = (*atomic, self.groups)
        entry = self.state()
        self.edge(start, entry)
        first = len(self.edges)
        after = self.sequence(body, entry, inner)
        taken = [chars for _, _, chars in self.edges[first:] if chars is not None]
        self.edge(after, end)
        if least == 0:
            self.edge(start, end)
        if most >= FEWEST_TURNS:
            self.loops.append(
                _Loop(frozenset().union(*taken), entry, after, possessive, inner if possessive else atomic)
            )
        if most > 1 and not possessive:
            self.edge(after, entry)
        return end

    def reach(self, start: int, chars: frozenset[str], *, anchors: bool = True) -> set[int]:
        """The states to which a way leads that takes these characters alone."""
        leaving: dict[int, list[int]] = {}
        for begin, end, taken in self.edges:
            if (taken & chars) if taken is not None else (anchors or (begin, end) not in self.anchors):
                leaving.setdefault(begin, []).append(end)
        return {start, *_reached([start], lambda at: leaving.get(at, []))}


def chars_of(kind: Any, value: Any, flags: int) -> frozenset[str]:
    """The characters, of a small alphabet and the item's own, that one item takes."""
    if kind is op.ANY:
        return _ALPHABET if flags & re.DOTALL else _ALPHABET - {"\n"}
    if kind is op.LITERAL:
        return frozenset({chr(value).lower(), chr(value).upper()} if flags & re.IGNORECASE else {chr(value)})
    if kind is op.NOT_LITERAL:
        return _ALPHABET - chars_of(op.LITERAL, value, flags)
    if kind is op.RANGE:
        inside = {char for char in _ALPHABET if value[0] <= ord(char) <= value[1]} | {chr(value[0]), chr(value[1])}
        cased = {other for char in inside for other in (char.lower(), char.upper())}
        return frozenset(cased if flags & re.IGNORECASE else inside)
    if kind is op.CATEGORY:
        return frozenset(char for char in _ALPHABET if re.fullmatch(_CATEGORIES[value], char))
    if kind is op.IN:
        taken = frozenset().union(*(chars_of(one, of, flags) for one, of in value if one is not op.NEGATE))
        return _ALPHABET - taken if value[0][0] is op.NEGATE else taken
    raise AssertionError(f"unknown part of a regular expression: {kind}")


def more_than_linear(pattern: str | bytes, flags: int = 0, *, searched: bool = True, whole: bool = False) -> str | None:
    """Why the pattern may take more than linear time, or None.

    `searched`: it may begin at any place (search, sub, split, findall, finditer); `whole`: used with fullmatch.
    """
    parsed = parser.parse(pattern, flags)
    return _judged(parsed, parsed.state.flags, searched=searched, whole=whole)


def _judged(items: Any, flags: int, *, searched: bool, whole: bool) -> str | None:
    machine = _Machine(flags)
    start = machine.state()
    accept = machine.sequence(items, start, ())
    for aside in machine.asides:
        if why := _judged(aside, flags, searched=False, whole=True):
            return f"in a lookaround: {why}"
    machine.at_word = len(items) > 0 and items[0] == (op.AT, op.AT_BOUNDARY)
    anchored = items[:1] and items[0] in [(op.AT, op.AT_BEGINNING), (op.AT, op.AT_BEGINNING_STRING)]
    loops = machine.loops
    if searched and not (anchored and not flags & re.MULTILINE):
        loops = [_Loop(_ALPHABET, -1, start, False, ()), *loops]
    for later in machine.loops:
        sure = not whole and accept in machine.reach(later.exit, frozenset(), anchors=False)
        for earlier in [] if sure else loops:
            if why := _shared(machine, earlier, later):
                return why
    return "turns of a loop that can be read in two ways" if machine.twice or _ambiguous(machine) else None


def _shared(machine: _Machine, earlier: _Loop, later: _Loop) -> str | None:
    both = earlier.chars & later.chars
    if earlier.possessive or not both or set(earlier.atomic) - set(later.atomic):
        return None
    if earlier is later:
        nested = any(other is not later and _inside(machine, later, other) for other in machine.loops)
        return "a loop in a loop" if nested and later.entry in _left(machine, later, both) else None
    if earlier.entry < 0 and machine.at_word and both <= _WORD:
        return None
    if later.entry not in machine.reach(earlier.exit, both) or not all(
        loop.entry < 0 or loop.exit in machine.reach(loop.entry, both) for loop in (earlier, later)
    ):
        return None
    sample = "".join(sorted(both))[:12]
    return f"{'a search' if earlier.entry < 0 else 'a loop'} before a loop over the same characters {sample!r}"


def _inside(machine: _Machine, inner: _Loop, outer: _Loop) -> bool:
    """Whether a way leads out of the outer loop's entry into the inner loop and back to it."""
    return inner.entry in machine.reach(outer.entry, _ALPHABET) and outer.entry in machine.reach(inner.exit, _ALPHABET)


def _left(machine: _Machine, loop: _Loop, chars: frozenset[str]) -> set[int]:
    """Where one comes after the loop without the edge that is the loop's own."""
    own = (loop.exit, loop.entry, None)
    machine.edges.remove(own)
    try:
        return machine.reach(loop.exit, chars)
    finally:
        machine.edges.append(own)


def _ambiguous(machine: _Machine) -> bool:
    """Whether a text leads from an item to the same item in two ways: what takes exponential time."""
    items = [(start, end, chars) for start, end, chars in machine.edges if chars]
    free = {end: machine.reach(end, frozenset()) for _, end, _ in items}
    after = [[n for n, other in enumerate(items) if other[0] in free[item[1]]] for item in items]

    def together(pair: tuple[int, int]) -> list[tuple[int, int]]:
        ways = [(one, two) for one in after[pair[0]] for two in after[pair[1]] if items[one][2] & items[two][2]]
        return [(min(way), max(way)) for way in ways]

    cyclic = [n for n in range(len(items)) if n in _reached([n], lambda at: after[at])]
    parts = _parts([(n, n) for n in cyclic], together)
    return any(len({one == two for one, two in part}) == 2 for part in parts)


def _parts(start: list[Any], following: Callable[[Any], list[Any]]) -> Iterator[set[Any]]:
    """The strongly connected parts of a graph (Kosaraju)."""
    forward: dict[Any, list[Any]] = {}
    left: list[Any] = []
    waiting = [(node, False) for node in start]
    while waiting:
        node, done = waiting.pop()
        if done:
            left.append(node)
        elif node not in forward:
            forward[node] = following(node)
            waiting.append((node, True))
            waiting += [(other, False) for other in forward[node]]
    backward: dict[Any, list[Any]] = {}
    for node, others in forward.items():
        for other in others:
            backward.setdefault(other, []).append(node)
    seen: set[Any] = set()

    def unseen(at: Any) -> list[Any]:
        return [one for one in backward.get(at, []) if one not in seen]

    for node in reversed(left):
        if node not in seen:
            part = {node, *_reached([node], unseen)}
            seen |= part
            yield part


def _reached(start: list[Any], following: Callable[[Any], list[Any]]) -> set[Any]:
    """What one comes to after one step or more."""
    found: set[Any] = set()
    waiting = list(start)
    while waiting:
        for other in following(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found
