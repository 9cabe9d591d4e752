"""Athena's SQL, parsed so that nothing is translated behind our back, and written back in the order it was read.

sqlglot maps many functions to nodes of its own and back to another spelling, at times with another meaning. Here each
call stays a plain call with its arguments as written, and a literal such as DATE '2026-01-01' stays a literal.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.generators.trino import TrinoGenerator
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

_KEYWORD_CALLS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM")
_CLOCK = (TokenType.CURRENT_DATE, TokenType.CURRENT_TIMESTAMP, TokenType.LOCALTIMESTAMP)
_ZONED = {exp.DType.TIMESTAMPTZ: "TIMESTAMP", exp.DType.TIMETZ: "TIME"}
_LITERALS = {
    exp.DType.DATE: "DATE",
    exp.DType.TIMESTAMP: "TIMESTAMP",
    exp.DType.TIME: "TIME",
    exp.DType.DECIMAL: "DECIMAL",
    exp.DType.DOUBLE: "DOUBLE",
    exp.DType.FLOAT: "REAL",
    exp.DType.BIGINT: "BIGINT",
    exp.DType.INT: "INTEGER",
    exp.DType.JSON: "JSON",
    **_ZONED,
}


class TypedLiteral(exp.Expression):
    """A literal with its type before it: `this` is the Literal, `kind` the type's word."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True}


class TooManyReadingsError(Exception):
    """Reading a text takes more steps than its length allows; `offset` is where it stopped."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"gave up at {offset}")
        self.offset = offset


def _typed_literal(parser: TrinoParser, this: exp.Expr, to: exp.DataType) -> exp.Expr:
    if not isinstance(this, exp.Literal) or not this.is_string or to.expressions or to.this not in _LITERALS:
        parser.raise_error("this type makes no literal: write CAST('...' AS type)")
    return parser.expression(TypedLiteral(this=this, kind=_LITERALS[to.this]))


class AnalystSql(Trino):
    """Trino's queries."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        """Keeps calls as written, and where in the text each node began."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parse for name, parse in TrinoParser.FUNCTION_PARSERS.items() if name in _KEYWORD_CALLS
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {
            token: node for token, node in TrinoParser.NO_PAREN_FUNCTIONS.items() if token in _CLOCK
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parse for name, parse in TrinoParser.NO_PAREN_FUNCTION_PARSERS.items() if name == "CASE"
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Callable[..., exp.Expr]]] = dict.fromkeys(exp.DType, _typed_literal)

        # sqlglot tries several readings one after the other, for some nested texts twice as many with every level.
        MAX_STEPS: ClassVar[int] = 50
        steps = 0

        def _advance(self, times: int = 1) -> None:
            self.steps += 1
            if self.steps > self.MAX_STEPS * (len(self._tokens) + 20):
                raise TooManyReadingsError(self._curr.start)
            super()._advance(times)

        def expression(self, instance: Any, token: Token | None = None, comments: list[str] | None = None) -> Any:
            """The node, with the offset of the token that it was made after."""
            node = super().expression(instance, token, comments)
            if isinstance(node, exp.Expr):
                node.meta.setdefault("start", (token or self._prev).start)
            return node

    class Generator(TrinoGenerator):
        """Writes a tree back as it was read: none of sqlglot's rewriting for Trino."""

        TRANSFORMS: ClassVar[dict[Any, Any]] = {
            **{
                node: write
                for node, write in TrinoGenerator.TRANSFORMS.items()
                if node in {exp.Union, exp.Except, exp.Intersect, exp.IntervalSpan, exp.Trim, exp.CurrentTimestamp}
            },
            exp.Array: lambda self, node: f"ARRAY[{self.expressions(node, flat=True)}]",
            TypedLiteral: lambda self, node: f"{node.args['kind']} {self.sql(node, 'this')}",
        }


def written(tree: exp.Expr) -> str:
    """The text of a tree: every name quoted, no comment."""
    return AnalystSql().generate(tree, copy=False, identify=True, comments=False, normalize_functions=False)
