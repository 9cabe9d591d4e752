"""COPY and UNLOAD as Redshift writes them.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html and r_UNLOAD.html; for Parquet, COPY takes few options:
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.local.redshift.lexical import Kind, Token
from infra.local.redshift.lexical import tokens as lexed
from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, UnsupportedError


@dataclass(frozen=True)
class CopyCommand:
    """COPY of the Parquet objects whose key begins with `prefix`; names are folded to lower case."""

    schema: str | None
    table: str
    columns: tuple[str, ...] | None
    bucket: str
    prefix: str
    role: str
    """The ARN of IAM_ROLE, several with commas between, or `default`."""
    serialize_to_json: bool
    fill_record: bool


@dataclass(frozen=True)
class UnloadCommand:
    """UNLOAD of `query` (Redshift's SQL) to Parquet objects whose key begins with `prefix`."""

    query: str
    bucket: str
    prefix: str
    role: str
    """As that of a COPY."""
    partition_by: tuple[str, ...]
    include: bool
    allow_overwrite: bool
    parallel: bool


@dataclass(frozen=True)
class TruncateCommand:
    """TRUNCATE of a table, named as PostgreSQL names it."""

    table: str


Command = CopyCommand | UnloadCommand | TruncateCommand

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_LOCATION = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)


def parse_command(sql: str) -> Command | None:
    """The COPY or UNLOAD that `sql` is; None if it is another statement.

    Raises UnsupportedError: Redshift would refuse it, or it is not done locally (data formats other than Parquet).
    """
    tokens = (token for token in lexed(sql) if token.kind not in (Kind.BLANK, Kind.COMMENT))
    first = next(tokens, None)
    name = first.text.lower() if first else ""
    if first is None or name not in ("copy", "unload"):
        return None  # the rest, which may be long, is not read
    rest = _Tokens([first, *tokens])
    return _copy(rest) if name == "copy" else _unload(rest)


class _Tokens:
    """The words of a statement, read from left to right."""

    def __init__(self, found: Iterable[Token]) -> None:
        self._tokens = deque(found)
        while self._tokens and self._tokens[-1].text == ";":
            self._tokens.pop()

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def _next_is(self, *kinds: Kind) -> bool:
        return bool(self._tokens) and self._tokens[0].kind in kinds

    def take(self, *words: str) -> bool:
        """Whether the next one is among `words`; if so it is taken."""
        if self._next_is(Kind.WORD, Kind.MARK) and self._tokens[0].text.lower() in words:
            self._tokens.popleft()
            return True
        return False

    def need(self, word: str) -> None:
        """Take `word`."""
        if not self.take(word):
            raise self.error()

    def name(self) -> str:
        """An identifier."""
        if self._next_is(Kind.WORD, Kind.QUOTED):
            token = self._tokens.popleft()
            # Redshift folds quoted names too: docs r_names, enable_case_sensitive_identifier.
            return (token.inner.replace('""', '"') if token.kind is Kind.QUOTED else token.text).lower()
        raise self.error()

    def names(self) -> tuple[str, ...]:
        """Identifiers in parentheses."""
        self.need("(")
        found = [self.name()]
        while self.take(","):
            found.append(self.name())
        self.need(")")
        return tuple(found)

    def string(self) -> str:
        """A literal."""
        if self._next_is(Kind.STRING):
            return re.sub(r"''|\\(.)", lambda m: m[1] or "'", self._tokens.popleft().inner, flags=re.DOTALL)
        raise self.error()

    def word(self) -> str:
        """The next one, whatever it is."""
        return self._tokens.popleft().text

    def error(self) -> UnsupportedError:
        """A syntax error at the next one."""
        if self._tokens:
            return UnsupportedError(f'syntax error at or near "{self._tokens[0].text}"', SYNTAX_ERROR)
        return UnsupportedError("syntax error at end of input", SYNTAX_ERROR)


def _copy(tokens: _Tokens) -> CopyCommand:
    tokens.need("copy")
    schema, table = None, tokens.name()
    if tokens.take("."):
        schema, table = table, tokens.name()
    ahead = tokens.take("from")
    columns = None if ahead else tokens.names()
    if not ahead:
        tokens.need("from")
    bucket, prefix = _location(tokens.string())
    seen: dict[str, str] = {}
    while tokens:
        _copy_option(tokens, seen)
    _check(seen, "COPY")
    return CopyCommand(
        schema, table, columns, bucket, prefix, seen["iam_role"], "serializetojson" in seen, "fillrecord" in seen
    )


def _copy_option(tokens: _Tokens, seen: dict[str, str]) -> None:
    if _common_option(tokens, seen):
        return
    if tokens.take("statupdate"):
        if not tokens.take("on", "true", "off", "false"):
            raise tokens.error()
        return
    for option in ("serializetojson", "fillrecord"):
        if tokens.take(option):
            seen[option] = ""
            return
    option = tokens.word().upper()
    if option in {"MANIFEST", "ACCEPTINVCHARS", "EXPLICIT_IDS", "CREDENTIALS"}:
        raise UnsupportedError(f"{LOCAL}{option} of COPY")
    raise UnsupportedError(f"{option} argument is not supported for PARQUET based COPY")


def _unload(tokens: _Tokens) -> UnloadCommand:
    tokens.need("unload")
    tokens.need("(")
    query = tokens.string()
    tokens.need(")")
    tokens.need("to")
    bucket, prefix = _location(tokens.string())
    seen: dict[str, str] = {}
    partition_by: tuple[str, ...] = ()
    while tokens:
        if tokens.take("partition"):
            tokens.need("by")
            partition_by = tokens.names()
            if tokens.take("include"):
                seen["include"] = ""
        else:
            _unload_option(tokens, seen)
    _check(seen, "UNLOAD")
    include, overwrite, serial = ("include" in seen, "allowoverwrite" in seen, "serial" in seen)
    return UnloadCommand(query, bucket, prefix, seen["iam_role"], partition_by, include, overwrite, not serial)


def _unload_option(tokens: _Tokens, seen: dict[str, str]) -> None:
    if _common_option(tokens, seen):
        return
    if tokens.take("allowoverwrite"):
        seen["allowoverwrite"] = ""
    elif tokens.take("parallel"):
        if tokens.take("off", "false"):
            seen["serial"] = ""
        else:
            tokens.take("on", "true")
    else:
        raise UnsupportedError(f"{LOCAL}{tokens.word().upper()} of UNLOAD")


def _common_option(tokens: _Tokens, seen: dict[str, str]) -> bool:
    if tokens.take("iam_role"):
        role = "default"
        if not tokens.take("default"):
            role = tokens.string()
            if role.lower() != "default" and not all(_ROLE.fullmatch(part) for part in role.split(",")):
                raise UnsupportedError(f"Invalid IAM role ARN: '{role}'; expected arn:aws:iam::<account>:role/<name>")
        seen["iam_role"] = role
        return True
    if tokens.take("format"):
        tokens.take("as")
        if not tokens.take("parquet"):
            raise UnsupportedError(f"{LOCAL}the format {tokens.word().upper()}; use FORMAT AS PARQUET")
        seen["parquet"] = ""
        return True
    if tokens.take("parquet"):
        seen["parquet"] = ""
        return True
    for name in ("csv", "json", "avro", "orc", "delimiter", "fixedwidth", "shapefile"):
        if tokens.take(name):
            raise UnsupportedError(f"{LOCAL}the format {name.upper()}; use FORMAT AS PARQUET")
    return False


def _check(seen: Mapping[str, str], statement: str) -> None:
    if "iam_role" not in seen:
        raise UnsupportedError(f"{statement} needs IAM_ROLE default or IAM_ROLE 'arn:aws:iam::<account>:role/<name>'")
    if "parquet" not in seen:
        raise UnsupportedError(f"{LOCAL}{statement} of delimited text; use FORMAT AS PARQUET")


def _location(url: str) -> tuple[str, str]:
    found = _LOCATION.fullmatch(url)
    if found is None:
        raise UnsupportedError(f"{LOCAL}'{url}' as a location; expected 's3://<bucket>/<prefix>'")
    return found[1], found[2]
