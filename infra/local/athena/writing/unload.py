"""UNLOAD (query) TO 's3://...' WITH (...) (AWS Athena user guide, "UNLOAD")."""

import re
from typing import Any

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.types import split_top

_START = re.compile(r"\s*unload\s*\(", re.IGNORECASE)
_END = re.compile(r"\s*to\s+'([^']+)'(?:\s*with\s*\((.*)\))?\s*$", re.IGNORECASE | re.DOTALL)


def parse_unload(sql: str) -> tuple[str, str, dict[str, Any]] | None:
    """(query, location, options with lower-case names), or None when the statement is no UNLOAD."""
    start = _START.match(sql)
    if not start:
        return None
    close = closing(sql, start.end() - 1)
    rest = _END.match(sql[close + 1 :])
    if not rest or not rest[2]:
        raise QueryError("SYNTAX_ERROR: UNLOAD needs TO 's3://...' WITH (format = '...')")
    options: dict[str, Any] = {}
    for pair in split_top(rest[2]):
        name, _, value = pair.partition("=")
        texts = re.findall(r"'((?:[^']++|'')*+)'?", value)
        options[name.strip().lower()] = texts if value.strip().lower().startswith("array") else texts[0]
    if "format" not in options:
        raise QueryError("SYNTAX_ERROR: UNLOAD needs the property format")
    return sql[start.end() : close], rest[1], options


def closing(text: str, opening: int, *, escapes: bool = False) -> int:
    """Position of the bracket that closes the one at `opening`; quotes are passed over.

    `escapes` says whether a backslash escapes what follows it in a text, as in Hive's grammar and not in Trino's.
    """
    depth, quoted, escaped = 0, "", False
    for position in range(opening, len(text)):
        char = text[position]
        if quoted and escaped:
            escaped = False
        elif quoted:
            escaped = escapes and char == "\\" and quoted != "`"
            quoted = "" if char == quoted else quoted
        elif char in "'\"`":
            quoted = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return position
    raise QueryError("SYNTAX_ERROR: a closing bracket is missing")
