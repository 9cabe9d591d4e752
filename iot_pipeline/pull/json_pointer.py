"""JSON pointers (RFC 6901): where in a vendor's answer something stands."""

import re
from typing import Any, Final


class _Absent:
    """What stands nowhere; null is a value."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()
_INDEX = re.compile("0|[1-9][0-9]{0,8}")
_LONE_TILDE = re.compile("~(?![01])")


def steps_of(pointer: str) -> tuple[str, ...]:
    """The names and indexes that a pointer goes through; none for "", the whole document. Raises ValueError."""
    if not pointer:
        return ()
    if not pointer.startswith("/") or _LONE_TILDE.search(pointer):
        raise ValueError(f'{pointer!r}: expected a JSON pointer, such as "/data/items", or "" for the whole document')
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


def found_at(document: Any, steps: tuple[str, ...]) -> Any:
    """What stands there in a parsed document; ABSENT where nothing does."""
    for step in steps:
        if isinstance(document, dict):
            document = document.get(step, ABSENT)
        elif isinstance(document, list) and _INDEX.fullmatch(step) and int(step) < len(document):
            document = document[int(step)]
        else:
            return ABSENT
    return document
