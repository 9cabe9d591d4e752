"""Long literals are kept aside while a statement is read: what stands in them means nothing to its translation."""

import re

from infra.local.redshift.lexical import Kind, Token

LONG = 1000
MARK = "\ue000"
_KEPT = re.compile(rf"'{MARK}([0-9]++){MARK}'")
_BACKSLASH = "\ue001"
_ESCAPES = {"\\\\": _BACKSLASH, "\\'": "''", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\b": "\b", "\\f": "\f"}


def _plain(literal: str) -> str:
    """The literal without escapes: any other character after a backslash is itself."""
    for escape, meaning in {**_ESCAPES, "\\": "", _BACKSLASH: "\\"}.items():
        literal = literal.replace(escape, meaning)
    return literal


class LongTexts:
    """The long literals of one text; each has a short one in its place."""

    def __init__(self, sql: str) -> None:
        self._kept: list[str] = []
        self._taken = MARK in sql or _BACKSLASH in sql

    def short(self, token: Token) -> str:
        """The token's text, or what stands for it."""
        if token.kind is not Kind.STRING or len(token.text) <= LONG or self._taken:
            return token.text
        self._kept.append(_plain(token.text))
        return f"'{MARK}{len(self._kept) - 1}{MARK}'"

    def restored(self, sql: str) -> str:
        """The translation with the literals themselves, which are the same in PostgreSQL."""
        return _KEPT.sub(lambda found: self._kept[int(found[1])], sql) if self._kept else sql
