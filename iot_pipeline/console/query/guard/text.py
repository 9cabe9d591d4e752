"""Bounds that hold before a text is parsed: its length, its characters, its tokens, how deep they nest.

The parser is recursive: what nests without bound raises RecursionError in sqlglot's pure form and ends the process in
its compiled one. So depth is bounded by the tokens alone.
"""

import re
import unicodedata
from collections.abc import Iterable

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from iot_pipeline.console.query.guard.dialect import AnalystSql
from iot_pipeline.console.query.guard.refusal import RefusedError, refused

MAX_CHARACTERS = 50_000
MAX_TOKENS = 8_000
MAX_DEPTH = 24
# Signs and words one after the other, as `NOT NOT NOT` or `- - -`: each is a level of the parser's recursion.
MAX_PREFIXES = 16

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_OPERANDS = {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER} | _OPENING | _CLOSING
_OPERANDS |= {TokenType.COMMA, TokenType.STAR, TokenType.NULL, TokenType.TRUE, TokenType.FALSE}
_UNSUPPORTED = {
    TokenType.SEMICOLON: ("several_statements", "one statement at a time: remove `;`"),
    TokenType.PLACEHOLDER: ("parameter", "parameters are not supported: write the value itself"),
    TokenType.PARAMETER: ("parameter", "parameters are not supported: write the value itself"),
    TokenType.SESSION_PARAMETER: ("parameter", "session variables are not supported: write the value itself"),
    TokenType.DCOLON: ("syntax", "`::` is not Trino's: write CAST(value AS type)"),
    TokenType.L_BRACE: ("syntax", "templates and braces are not supported: write the value itself"),
    TokenType.R_BRACE: ("syntax", "templates and braces are not supported: write the value itself"),
    TokenType.BLOCK_START: ("syntax", "templates are not supported: write the value itself"),
    TokenType.BLOCK_END: ("syntax", "templates are not supported: write the value itself"),
    TokenType.UNICODE_STRING: ("string", "U&'...' is not supported: write the characters themselves"),
    TokenType.HEX_STRING: ("string", "X'...' is not supported: write from_hex('...')"),
    TokenType.NATIONAL_STRING: ("string", "N'...' is not Trino's: write '...'"),
    TokenType.RAW_STRING: ("string", "raw strings are not Trino's: write '...'"),
    TokenType.BIT_STRING: ("string", "bit strings are not Trino's: write a number"),
    TokenType.BYTE_STRING: ("string", "byte strings are not Trino's: write to_utf8('...')"),
    TokenType.HEREDOC_STRING: ("string", "$$...$$ is not Trino's: write '...'"),
    TokenType.HINT: ("hint", "hints are not supported: remove it"),
    TokenType.COLON: ("parameter", "parameters and `:` are not supported: write the value itself"),
}
# How a query begins. Everything else is a statement, and none is parsed.
_BEGINNINGS = {TokenType.SELECT, TokenType.WITH, TokenType.VALUES, TokenType.L_PAREN}
# Words that Trino reads as calls.
_TELLING = {"CURRENT_USER", "CURRENT_ROLE", "CURRENT_CATALOG", "CURRENT_SCHEMA", "CURRENT_PATH", "SESSION_USER"}
_ALLOWED_CONTROLS = "\t\n\r"


def check_text(sql: str) -> None:
    """Raises RefusedError for a text that is empty, too long, or holds characters that do not belong into a query."""
    if not sql.strip():
        raise RefusedError("empty", "there is no query: write SELECT ... FROM telemetry", 1, 1)
    if len(sql) > MAX_CHARACTERS:
        kept = f"{len(sql):,} characters; {MAX_CHARACTERS:,} are allowed: shorten it, or join a VALUES list"
        raise refused("too_long", kept, sql, MAX_CHARACTERS)
    for offset, character in enumerate(sql):
        if not character.isascii() or ord(character) < 32 or character == "\x7f":
            _check_character(sql, offset, character)


def _check_character(sql: str, offset: int, character: str) -> None:
    """Controls, surrogates, private and invisible characters: what a person who reads the query does not see."""
    if character in _ALLOWED_CONTROLS or unicodedata.category(character) not in {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    }:
        return
    name = unicodedata.name(character, "a control character")
    raise refused("character", f"U+{ord(character):04X} ({name}) is not allowed in a query: remove it", sql, offset)


def tokens_of(sql: str) -> list[Token]:
    """The text's tokens, without a closing semicolon. Raises RefusedError for what no query of ours has."""
    try:
        tokens = AnalystSql().tokenize(sql)
    except TokenError as error:
        raise refused("syntax", "a string, a name or a comment is not closed", sql, len(sql)) from error
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise RefusedError("empty", "there is no query: write SELECT ... FROM telemetry", 1, 1)
    if tokens[0].token_type not in _BEGINNINGS:
        word = tokens[0].text.upper()[:40]
        message = f"{word} is not run here: write one SELECT (WITH, UNION and VALUES are fine)"
        raise refused("not_a_select", message, sql, tokens[0].start)
    _check_depth(sql, tokens)
    if len(tokens) > MAX_TOKENS:
        message = f"{len(tokens):,} words and signs; {MAX_TOKENS:,} are allowed: shorten it"
        raise refused("too_long", message, sql, tokens[MAX_TOKENS].start)
    for before, token in zip([None, *tokens], tokens, strict=False):
        _check_token(sql, token)
        if (
            before
            and before.token_type == TokenType.NUMBER
            and token.start == before.end + 1
            and (token.text[:1].isalnum() or token.text[:1] == "_")
        ):
            raise refused("number", "a number is followed by a blank or a sign: write it without _", sql, before.start)
    return tokens


def _check_token(sql: str, token: Token) -> None:
    if token.token_type in _UNSUPPORTED:
        kind, message = _UNSUPPORTED[token.token_type]
        raise refused(kind, message, sql, token.start)
    if token.token_type == TokenType.STRING:
        return
    if token.token_type != TokenType.IDENTIFIER and token.text.upper() in _TELLING:
        message = f"{token.text} tells of the server, not of the data: leave it out"
        raise refused("function", message, sql, token.start)
    if "$" in token.text:
        message = (
            f"{token.text[:80]!r} is hidden: tables and columns with `$` show files and partitions of all tenants. "
            "The columns year, month, day, hour say the partition"
        )
        raise refused("hidden", message, sql, token.start)
    if token.token_type == TokenType.IDENTIFIER and not re.fullmatch(r'[^"`\\\t\r\n]{1,128}', token.text):
        message = "a quoted name has 1 to 128 characters, and no quotes, backslashes or line ends among them"
        raise refused("name", message, sql, token.start)
    if token.token_type == TokenType.VAR and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", token.text):
        message = f"{token.text[:80]!r} is no name: letters a-z, digits and _; quote any other"
        raise refused("name", message, sql, token.start)


def _check_depth(sql: str, tokens: Iterable[Token]) -> None:
    depth = prefixes = arrows = 0
    for token in tokens:
        if token.token_type in _OPENING:
            depth += 1
        elif token.token_type in _CLOSING:
            depth, arrows = max(depth - 1, 0), 0
        prefixes = 0 if token.token_type in _OPERANDS else prefixes + 1
        arrows = 0 if token.token_type == TokenType.COMMA else arrows + (token.token_type == TokenType.ARROW)
        if depth > MAX_DEPTH or arrows > MAX_PREFIXES or prefixes > MAX_PREFIXES:
            message = f"nested deeper than {MAX_DEPTH} levels: name the inner queries in WITH"
            raise refused("nesting", message, sql, token.start)
