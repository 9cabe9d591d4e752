"""Numbers as a CSV file writes them, with a decimal point or a decimal comma."""

import math
import re

from simulator.replay.flaws import CellError, shown

POINT, COMMA = ".", ","
_NUMBER = {
    mark: re.compile(rf"[+-]?(?:[0-9]+(?:{re.escape(mark)}[0-9]*)?|{re.escape(mark)}[0-9]+)(?:[eE][+-]?[0-9]+)?")
    for mark in (POINT, COMMA)
}
_WHOLE = re.compile(r"[+-]?[0-9]+(?:[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_ANY_MARK = re.compile(r"[.,]")


def number(text: str, mark: str | None) -> float:
    """A number with the decimal mark `mark`; None if the file has shown none.

    Raises CellError for anything else: no thousands separators, underscores, hexadecimal, `nan`, `inf` or digits of
    other scripts, and nothing that a double cannot hold.
    """
    if not (_NUMBER[mark] if mark else _WHOLE).fullmatch(text):
        raise CellError(f"{shown(text)}, expected {_expected(mark)}{_remedy(text, mark)}")
    value = float(text.replace(COMMA, POINT))
    if math.isinf(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", text)[0])):
        raise CellError(f"{shown(text)}, expected a number that a 64-bit float can hold; correct the value")
    return value


def plain_number(text: str, mark: str | None) -> float | None:
    """As `number`; None for what that refuses."""
    try:
        return number(text, mark)
    except CellError:
        return None


def _expected(mark: str | None) -> str:
    names = {POINT: "a number with a decimal point", COMMA: "a number with a decimal comma", None: "a number"}
    return f"{names[mark]}, or nothing"


def _remedy(text: str, mark: str | None) -> str:
    if _ANY_MARK.search(text) and re.search("[0-9]", text):
        other = "comma" if mark == POINT else "point"
        return f"; give --decimal-mark {other} if the file has one throughout, and remove thousands separators"
    return f"; if it stands for no value, give --missing {text[:20]!r}, otherwise correct it"


def mark_of(text: str, delimiter: str) -> str | None:
    """The decimal mark that a number proves by its form; None where it has none, or might group thousands.

    In a file with commas between its fields a point is taken for the decimal mark: where points group thousands,
    the comma is the decimal mark and does not separate fields.
    """
    if delimiter == COMMA and POINT in text and _NUMBER[POINT].fullmatch(text):
        return POINT
    if is_ambiguous(text):
        return None
    found = _ANY_MARK.search(text)
    return found[0] if found and _NUMBER[found[0]].fullmatch(text) else None


def is_ambiguous(text: str) -> bool:
    """Whether a number such as `1,234` may have a decimal mark or group thousands."""
    return _THOUSANDS.fullmatch(text) is not None
