"""`:name` in a statement, and the parameter it stands for.

Redshift management guide, "Running SQL statements with parameters when calling the Amazon Redshift Data API": a value
is text, which Redshift converts to the type that is wanted; it may be used more than once, and for no name of a table,
column or schema. Each parameter that is given must be used.
"""

import re
from collections.abc import Sequence

from infra.local.emulator.redshift_data.api_errors import invalid

# What no parameter is within: texts, quoted names, comments, casts (::). A text that does not end is left to Redshift.
_PARTS = re.compile(
    r"""
    '[^']*+' | "[^"]*+" | --[^\n]*+ | (?P<comment>/\*) | (?P<dollar>\$[A-Za-z_]*+\$) | ::
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*+)
    """,
    re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")


def positional(sql: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """(the statement with `$1`, `$2`, ..., the names of the parameters in that order)."""
    pieces: list[str] = []
    used: list[str] = []
    start = 0
    while found := _PARTS.search(sql, start):
        end = _end(sql, found)
        pieces.append(sql[start : found.start()])
        name = found["name"]
        if name in names:
            if name not in used:
                used.append(name)
            pieces.append(f"${used.index(name) + 1}")
        else:
            pieces.append(sql[found.start() : end])
        start = end
    return "".join(pieces) + sql[start:], used


def _end(sql: str, found: re.Match[str]) -> int:
    """Where the part ends that begins here: comments may hold comments, a dollar quote ends with its own tag."""
    if found["dollar"]:
        at = sql.find(found["dollar"], found.end())
        return len(sql) if at < 0 else at + len(found["dollar"])
    if not found["comment"]:
        return found.end()
    depth, at = 1, found.end()
    for mark in _COMMENT_MARK.finditer(sql, at):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(sql)


def check_used(given: Sequence[str], texts: Sequence[str]) -> None:
    """Raise ValidationException for a parameter that is given twice, or that no statement uses."""
    if len(set(given)) != len(given):
        raise invalid("Parameters contains duplicate names.")
    used = {name for text in texts for name in positional(text, given)[1]}
    if missing := [name for name in given if name not in used]:
        raise invalid(f"Parameters list contains unused parameters. Unused parameters: [{', '.join(missing)}]")
