"""Long texts made of a regular expression's own parts, and the expression run over them."""

import ast
import re
import sys
from collections.abc import Iterator
from re import _constants as op  # type: ignore[attr-defined]  # the parser that `re` itself uses has no stubs
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from iot_pipeline_tests.support.backtracking import chars_of

SIZE = 100_000
_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_END = "\x00\n\ufffd"


def texts(pattern: str | bytes, flags: int) -> Iterator[str]:
    """For each loop: what leads to it, its turn again and again, an end that fits nowhere. And all of it, repeated."""
    parsed = parser.parse(pattern, flags)
    sample = "".join(_sample(parsed, flags, []))
    turns: list[tuple[str, str]] = []
    _sample(parsed, flags, turns)
    for lead, turn in dict.fromkeys(turns):
        if turn:
            yield lead + turn * (SIZE // len(turn)) + _END
            yield turn * (SIZE // len(turn)) + _END
            yield (lead + turn) * (SIZE // len(lead + turn)) + _END
    if sample:
        yield sample * (SIZE // len(sample)) + _END
        yield sample[:-1] * (SIZE // max(len(sample) - 1, 1)) + _END


def _sample(items: Any, flags: int, turns: list[tuple[str, str]], lead: str = "") -> list[str]:
    """A text that the items match, by its parts; notes each loop's (lead, turn) on the way."""
    made: list[str] = []
    for kind, value in items:
        before = lead + "".join(made)
        if kind in _REPEATS:
            turn = "".join(_sample(value[2], flags, turns, before))
            turns.append((before, turn))
            made.append(turn * max(value[0], 1))
        elif kind is op.BRANCH:
            made += next(iter([_sample(branch, flags, turns, before) for branch in value[1]]))
        elif kind is op.SUBPATTERN:
            made += _sample(value[3], flags, turns, before)
        elif kind is op.ATOMIC_GROUP:
            made += _sample(value, flags, turns, before)
        elif kind not in (op.ASSERT, op.ASSERT_NOT, op.AT, op.GROUPREF):
            made.append(min(chars_of(kind, value, flags), key=lambda char: (not char.isalnum(), char)))
    return made


def main() -> None:
    """Run the cases of standard input ([(pattern, flags, [use, ...])]); print how many texts were tried."""
    tried = 0
    for pattern, flags, uses in ast.literal_eval(sys.stdin.read()):
        compiled = re.compile(pattern, flags)
        for text in texts(pattern, compiled.flags):
            given = text if isinstance(pattern, str) else text.encode("utf-8")
            for use in uses:
                _run(compiled, use, given)
            tried += 1
    print(tried)


def _run(compiled: "re.Pattern[Any]", use: str, text: str | bytes) -> None:
    if use in ("sub", "subn"):
        getattr(compiled, use)(lambda found: found[0], text)
    elif use == "finditer":
        for _ in compiled.finditer(text):
            pass
    else:
        getattr(compiled, use)(text)


if __name__ == "__main__":
    main()
