"""What of a statement is read at all: told in one pass over its text, before a parser goes through it letter by letter.

Trino's lexical rules (`SqlBase.g4` of Trino's parser): comments do not nest, and a quote within quotes is doubled.
Quantifiers are possessive, and a comment that does not end is one to the end of the text: nothing is read twice.
"""

import re
from itertools import islice

from infra.local.athena.errors import QueryError, UnsupportedError

MAX_QUERY_BYTES = 262_144
"""AWS Athena user guide, "Service quotas": query string length."""
# The others are ours: what is short is not looked at, since it cannot have too many of anything.
SHORT = 1000
MOST_TOKENS = 80_000
MOST_COMMENTS = 10_000
MOST_LINES = 50_000
DEEPEST_BRACKETS = 1000
LONGEST_WORD = 1000

_TOKEN = re.compile(
    r"""[^\s\w'"`/-]
      | \d++(?:\.\d++)?+
      | \w++
      | '(?:[^']++|'')*+'?
      | "(?:[^"]++|"")*+"?
      | `[^`]*+`?
      | \s++
      | --[^\n]*+
      | /\*.*?\*/
      | /\*.*+
      | .""",
    re.DOTALL | re.VERBOSE,
)


def too_long(sql: str) -> str | None:
    """What Athena says of a statement that is longer than its quota; None for one that is not."""
    if len(sql.encode()) <= MAX_QUERY_BYTES:
        return None
    return (
        f"Your query has exceeded the maximum query length of {MAX_QUERY_BYTES} bytes. Please reduce the length of "
        "your query and try again."
    )


def check_bounds(sql: str) -> None:
    """Raise QueryError for a statement that is longer than Athena's quota or has a comment without an end,
    UnsupportedError for one that has more of something than this server reads.
    """
    if message := too_long(sql):
        raise QueryError(message)
    if len(sql) <= SHORT:
        return
    if next(islice(_TOKEN.finditer(sql), MOST_TOKENS, None), None):
        raise UnsupportedError(f"a statement of more than {MOST_TOKENS} tokens; put the values into a table")
    if sql.count("\n") > MOST_LINES:
        raise UnsupportedError(f"a statement of more than {MOST_LINES} lines")
    _check_tokens(sql)


def _check_tokens(sql: str) -> None:
    comments = depth = 0
    for piece in (found[0] for found in _TOKEN.finditer(sql)):
        if piece.startswith(("--", "/*")):
            comments += 1
            if piece[1] == "*" and not (piece.endswith("*/") and len(piece) > len("/*/")):
                raise QueryError(f"SYNTAX_ERROR: a comment has no end: {piece[:40]}")
        elif piece == "(":
            depth += 1
        elif piece == ")":
            depth -= 1
        elif len(piece) > LONGEST_WORD and (piece[0].isalnum() or piece[0] == "_"):
            raise UnsupportedError(f"a word of more than {LONGEST_WORD} characters: {piece[:40]}...")
        if comments > MOST_COMMENTS:
            raise UnsupportedError(f"a statement of more than {MOST_COMMENTS} comments")
        if depth > DEEPEST_BRACKETS:
            raise UnsupportedError(f"more than {DEEPEST_BRACKETS} brackets in one another")
