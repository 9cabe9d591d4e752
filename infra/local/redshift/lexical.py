"""A text of SQL as its tokens, in one pass over it whatever it holds.

PostgreSQL's manual, "Lexical Structure", https://www.postgresql.org/docs/16/sql-syntax-lexical.html, whose rules are
Redshift's: comments in /* */ nest. Quantifiers are possessive and an open quote or comment is refused where it begins:
nothing is read twice, or one client's text would keep all others waiting.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from infra.local.redshift.unsupported import SYNTAX_ERROR, UnsupportedError


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


_TOKEN = re.compile(
    r"""(?P<blank>\s++)
      | (?P<line>--[^\n]*+)
      | (?P<comment>/\*)
      | (?P<string>'(?P<in_string>(?:[^'\\]++|''|\\.)*+)(?P<string_end>')?)
      | (?P<quoted>"(?P<in_quoted>(?:[^"]++|"")*+)(?P<quoted_end>")?)
      | (?P<parameter>\$\d++)
      | (?P<dollar>\$[A-Za-z_]*+\$)
      | (?P<word>[A-Za-z_\u0080-\uffff][\w$]*+)
      | (?P<number>\d++(?:\.\d++)?+)
      | (?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_KINDS = {
    "blank": Kind.BLANK,
    "line": Kind.COMMENT,
    "parameter": Kind.PARAMETER,
    "word": Kind.WORD,
    "number": Kind.NUMBER,
    "mark": Kind.MARK,
}


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of a text, blanks and comments included: joined they are the text.

    Raises UnsupportedError 42601 for a quote or a comment that does not end.
    """
    at = 0
    while found := _TOKEN.match(sql, at):
        if found["comment"]:
            end = _comment_end(sql, at)
            yield Token(Kind.COMMENT, sql[at:end])
        elif found["dollar"]:
            end = _dollar_end(sql, found.end(), found["dollar"])
            yield Token(Kind.DOLLAR_QUOTED, sql[at:end])
        else:
            end = found.end()
            yield _simple(found)
        at = end


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


def _comment_end(sql: str, start: int) -> int:
    depth = 0
    for mark in _COMMENT_MARK.finditer(sql, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise _open("/* comment", sql[start : start + 40])


def _dollar_end(sql: str, start: int, tag: str) -> int:
    end = sql.find(tag, start)
    if end < 0:
        raise _open("dollar-quoted string", sql[start - len(tag) : start + 40])
    return end + len(tag)


def _open(what: str, text: str) -> UnsupportedError:
    return UnsupportedError(f'syntax error: unterminated {what} at or near "{text[:40]}"', SYNTAX_ERROR)
