"""A text of SQL as its tokens, in one pass over it whatever it holds.

PostgreSQL's manual, "Lexical Structure", https://www.postgresql.org/docs/16/sql-syntax-lexical.html, whose rules are
Redshift's: comments in /* */ nest. Quantifiers are possessive and an open quote or comment is refused where it begins:
nothing is read twice, or one client's text would keep all others waiting. What is read at all is bounded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, TOO_COMPLEX, UnsupportedError

# https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html: the largest statement; the other bounds are ours.
MOST_BYTES = 16 * 1024 * 1024
MOST_TOKENS = 80_000
MOST_COMMENT_EDGES = 40_000
MOST_DOLLAR_QUOTES = 100
COUNTED_AHEAD_FROM = 2_000
DEEPEST_COMMENT = 10
DEEPEST_BRACKETS = 1000
LONGEST_NAME = 63


class Kind(Enum):
    """What a token is."""

    BLANK = auto()
    COMMENT = auto()
    STRING = auto()
    DOLLAR_QUOTED = auto()
    QUOTED = auto()
    PARAMETER = auto()
    WORD = auto()
    NUMBER = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token as written; of a string or a quoted name `inner` is what is between the quotes."""

    kind: Kind
    text: str
    inner: str = ""


# Bounded, and not possessive: before Python 3.11.5 such a loop over choices can miss a match (CPython, gh-106052). What
# is in it cannot match otherwise, and nothing follows: it is gone through once. Other comments are read by hand.
_GAPS = re.compile(r"(?:\s++|--[^\n]*+|/\*[^*/]*+(?:/\*[^*/]*+\*/[^*/]*+)*+\*/){1,1000}")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_TOKEN = re.compile(
    r"""(?P<string>'(?P<in_string>(?:[^'\\]++|''|\\.)*+)(?P<string_end>')?)
      | (?P<quoted>"(?P<in_quoted>(?:[^"]++|"")*+)(?P<quoted_end>")?)
      | (?P<parameter>\$\d++)
      | (?P<dollar>\$[A-Za-z_]*+\$)
      | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$]*+)
      | (?P<number>\d++(?:\.\d++)?+)
      | (?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)
# What `_count_ahead` counts. A comment that does not end, and a dollar quote, is one to the end of the text: from there
# on the tokens themselves are counted.
_COUNTED = re.compile(
    r"""[^\s\w'"$/-]
      | \d++(?:\.\d++)?+
      | \w[\w$]*+
      | '(?:[^'\\]++|''|\\.)*+'?
      | "(?:[^"]++|"")*+"?
      | \s++
      | --[^\n]*+
      | /\*.*?\*/
      | /\*.*+
      | \$[A-Za-z_]*+\$.*+
      | .""",
    re.DOTALL | re.VERBOSE,
)
_KINDS = {
    "parameter": Kind.PARAMETER,
    "word": Kind.WORD,
    "number": Kind.NUMBER,
    "mark": Kind.MARK,
}


def check_size(sql: str) -> None:
    """Raise UnsupportedError 54001 for a text that is longer than Redshift's largest statement."""
    size = len(sql) if sql.isascii() else len(sql.encode())
    if size > MOST_BYTES:
        raise UnsupportedError(
            f"Statement is too large. Statement Size: {size} bytes. Maximum Allowed: {MOST_BYTES} bytes", TOO_COMPLEX
        )


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of a text, blanks and comments included: joined they are the text.

    What stands between two others is one token: BLANK, or COMMENT where there is any comment in it. Raises
    UnsupportedError 42601 for a quote or a comment that does not end, 54001 for more tokens or comments than anything
    is done for.
    """
    at = count = edges = dollars = 0
    while at < len(sql):
        count += 1
        if count == COUNTED_AHEAD_FROM and len(sql) > MOST_TOKENS:
            _count_ahead(sql, at)
        if count > MOST_TOKENS:
            raise _too_many()
        gap_end, edges = _gap_end(sql, at, edges)
        if gap_end > at:
            gap = sql[at:gap_end]
            yield Token(Kind.BLANK if gap.isspace() else Kind.COMMENT, gap)
            at = gap_end
            continue
        found = _TOKEN.match(sql, at)
        if found is None:
            raise RuntimeError(f"no token begins with {sql[at]!r}")
        dollars += found["dollar"] is not None
        if dollars > MOST_DOLLAR_QUOTES:
            raise _too_many()
        if found["dollar"]:
            end = _dollar_end(sql, found.end(), found["dollar"])
            yield Token(Kind.DOLLAR_QUOTED, sql[at:end])
        else:
            end = found.end()
            yield _simple(found)
        at = end


def _gap_end(sql: str, at: int, edges: int) -> tuple[int, int]:
    """Where blanks and comments end that begin at a place, the place itself if there are none; and how many edges of
    comments were read by hand up to there, after so many before it.
    """
    while True:
        if found := _GAPS.match(sql, at):
            at = found.end()
        elif sql.startswith("/*", at):
            at, edges = _comment_end(sql, at, edges)
        else:
            return at, edges


def _comment_end(sql: str, at: int, edges: int) -> tuple[int, int]:
    depth = 0
    for count, edge in enumerate(_COMMENT_EDGE.finditer(sql, at), start=edges + 1):
        depth += 1 if edge[0] == "/*" else -1
        if count > MOST_COMMENT_EDGES:
            raise UnsupportedError(f"{LOCAL}so many comments with asterisks, slashes or comments in them", TOO_COMPLEX)
        if depth == 0:
            return edge.end(), count
        if depth > DEEPEST_COMMENT + 1:
            break
    raise _open(f"/* comment (or more than {DEEPEST_COMMENT} comments in one another)", sql[at:])


def _count_ahead(sql: str, at: int) -> None:
    """Many tokens are counted before they are made, which takes a tenth of the time."""
    if next(islice(_COUNTED.finditer(sql, at), MOST_TOKENS, None), None):
        raise _too_many()


def _simple(found: re.Match[str]) -> Token:
    if found["string"]:
        if not found["string_end"]:
            raise _open("quoted string", found[0])
        return Token(Kind.STRING, found[0], found["in_string"])
    if found["quoted"]:
        if not found["quoted_end"]:
            raise _open("quoted identifier", found[0])
        return Token(Kind.QUOTED, found[0], found["in_quoted"])
    return Token(_KINDS[str(found.lastgroup)], found[0])


def _dollar_end(sql: str, start: int, tag: str) -> int:
    end = sql.find(tag, start)
    if end < 0:
        raise _open("dollar-quoted string", sql[start - len(tag) : start + 40])
    return end + len(tag)


def _too_many() -> UnsupportedError:
    return UnsupportedError(f"{LOCAL}more than {MOST_TOKENS} tokens or {MOST_DOLLAR_QUOTES} dollar quotes", TOO_COMPLEX)


def _open(what: str, text: str) -> UnsupportedError:
    return UnsupportedError(f'syntax error: unterminated {what} at or near "{text[:40]}"', SYNTAX_ERROR)
