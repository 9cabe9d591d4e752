"""The filter of GetPartitions: a SQL condition over partition keys.

AWS Glue API reference, GetPartitions, "Expression": the operators =, >, <, >=, <=, AND, OR, IN, BETWEEN, LIKE and
NOT, over partition keys of the types string, date, timestamp and the numbers. Values are compared by the key's
type.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from infra.local.servers.wildcards import wildcard_pattern

Row = dict[str, Any]
Predicate = Callable[[Row], bool]

_TOKEN = re.compile(
    r"\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(\"[^\"]+\"|`[^`]+`)|(<>|!=|<=|>=|[=<>(),]))"
)
_NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "long", "float", "double", "decimal")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


class ExpressionError(ValueError):
    """An expression that is not of the supported grammar, or names no partition key."""


def compile_expression(text: str, key_types: dict[str, str]) -> Predicate:
    """A function of a partition's values by key; `key_types` maps each partition key to its Glue type."""
    try:
        return _Parser(text, {name.lower(): kind.lower() for name, kind in key_types.items()}).parse()
    except RecursionError as error:
        msg = "Expression nested too deep"
        raise ExpressionError(msg) from error


def typed(value: str, kind: str) -> Any:
    """A partition value as its key's type compares; a value that is no number of a numeric key raises
    ExpressionError.
    """
    if not kind.startswith(_NUMBERS):
        return value
    try:
        return Decimal(value)
    except InvalidOperation as error:
        msg = f"{value!r} is not a number"
        raise ExpressionError(msg) from error


class _Parser:
    def __init__(self, text: str, key_types: dict[str, str]) -> None:
        self.text = text
        self.key_types = key_types
        self.tokens = self._tokens()
        self.index = 0

    def _tokens(self) -> list[str]:
        tokens, offset, end = [], 0, len(self.text.rstrip())
        while offset < end:
            match = _TOKEN.match(self.text, offset)
            if not match:
                msg = f"Expression not understood at {self.text[offset : offset + 20]!r}: {self.text}"
                raise ExpressionError(msg)
            tokens.append(match[0].strip())
            offset = match.end()
        return tokens

    def parse(self) -> Predicate:
        predicate = self._any()
        if self.index < len(self.tokens):
            raise self._error("the end")
        return predicate

    def _error(self, expected: str) -> ExpressionError:
        found = self.tokens[self.index] if self.index < len(self.tokens) else "the end"
        return ExpressionError(f"Expected {expected}, found {found} in the expression {self.text!r}")

    def _accept(self, *words: str) -> str | None:
        if self.index < len(self.tokens) and self.tokens[self.index].upper() in words:
            self.index += 1
            return self.tokens[self.index - 1].upper()
        return None

    def _expect(self, *words: str) -> str:
        found = self._accept(*words)
        if found is None:
            raise self._error(" or ".join(words))
        return found

    def _any(self) -> Predicate:
        terms = [self._all()]
        while self._accept("OR"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else lambda row: any(term(row) for term in terms)

    def _all(self) -> Predicate:
        terms = [self._not()]
        while self._accept("AND"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else lambda row: all(term(row) for term in terms)

    def _not(self) -> Predicate:
        if self._accept("NOT"):
            inner = self._not()
            return lambda row: not inner(row)
        if self._accept("("):
            inner = self._any()
            self._expect(")")
            return inner
        return self._condition()

    def _condition(self) -> Predicate:
        key = self._key()
        kind = self.key_types[key]
        negated = bool(self._accept("NOT"))
        word = (
            self._expect("IN", "BETWEEN", "LIKE") if negated else self._expect("IN", "BETWEEN", "LIKE", *_COMPARISONS)
        )
        if word == "IN":
            values = self._list(kind)
            test: Predicate = lambda row: row[key] in values  # noqa: E731  one of four forms of the same variable
        elif word == "BETWEEN":
            low = self._literal(kind)
            self._expect("AND")
            high = self._literal(kind)
            test = lambda row: low <= row[key] <= high  # noqa: E731  one of four forms of the same variable
        elif word == "LIKE":
            pattern = wildcard_pattern(str(self._literal("string")), run="%", one="_")
            test = lambda row: bool(pattern.fullmatch(str(row[key])))  # noqa: E731  one of four forms of the same variable
        else:
            compare, value = _COMPARISONS[word], self._literal(kind)
            test = lambda row: compare(row[key], value)  # noqa: E731  one of four forms of the same variable
        return (lambda row: not test(row)) if negated else test

    def _key(self) -> str:
        token = self.tokens[self.index] if self.index < len(self.tokens) else ""
        name = token.strip('`"').lower()
        if name not in self.key_types:
            raise self._error(f"one of the partition keys {sorted(self.key_types)}")
        self.index += 1
        return name

    def _list(self, kind: str) -> list[Any]:
        self._expect("(")
        values = [self._literal(kind)]
        while self._accept(","):
            values.append(self._literal(kind))
        self._expect(")")
        return values

    def _literal(self, kind: str) -> Any:
        if self._accept("DATE", "TIMESTAMP") and self.index < len(self.tokens):
            kind = "string"  # a typed literal: its text is what partition values hold
        token = self.tokens[self.index] if self.index < len(self.tokens) else ""
        if token.startswith("'"):
            text = token[1:-1].replace("''", "'")
        elif re.fullmatch(r"-?\d+(\.\d+)?", token):
            text = token
        else:
            raise self._error("a literal")
        self.index += 1
        return typed(text, kind)
