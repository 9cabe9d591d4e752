"""Athena's SQL, parsed so that nothing is translated behind our back, and refused where Trino would refuse it.

sqlglot maps many functions to nodes of its own and back to another dialect's spelling, at times with another meaning.
Here every function call stays a plain call with its arguments as written; `functions.py` says what each one becomes.
"""

from typing import Any, ClassVar

from sqlglot import exp, parse
from sqlglot.dialects.trino import Trino
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from infra.local.athena.errors import QueryError, UnsupportedError

_KEYWORD_CALLS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM")


class AthenaSql(Trino):
    """Trino with every function call kept as written."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        """The parser without sqlglot's own function nodes."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _KEYWORD_CALLS
        }


_NODES = (
    "Add Alias Aliases All And Anonymous Any Array AtTimeZone Between Boolean Bracket Case Cast Column ColumnDef "
    "Create CTE Cube CurrentDate CurrentTimestamp DataType DataTypeParam Distinct Div Dot DPipe EQ Escape Except "
    "Exists Extract FileFormatProperty Filter From Group GT GTE Having HexString Identifier If IgnoreNulls In "
    "Insert Intersect Interval IntervalSpan Is Join JSON Lambda Lateral Like Limit Literal Localtimestamp LT LTE "
    "Mod Mul Neg NEQ Not Null NullSafeEQ NullSafeNEQ Offset Or Order Ordered Paren ParseJSON "
    "PartitionedByProperty Placeholder Properties Property RespectNulls Rollup GroupingSets Schema Select Star "
    "Sub Subquery Table TableAlias Trim TryCast Tuple Union Unnest Values Var Where Window WindowSpec With "
    "WithinGroup LocationProperty "
)
_ALLOWED = {getattr(exp, name) for name in _NODES.split()}
_FORBIDDEN_ARGS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: ("qualify", "sample", "pivots", "laterals", "hint", "kind", "into", "cluster", "sort", "connect"),
    exp.Star: ("except", "except_", "replace", "rename"),
    exp.Join: ("method", "using_sample", "match_condition"),
    exp.Table: ("sample", "pivots", "hints", "version", "when", "only", "rows_from"),
    exp.Distinct: ("on",),
    exp.Group: ("all",),
}
_SUBSCRIBED = {TokenType.VAR, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.IDENTIFIER, TokenType.ARRAY}
_RESERVED = (
    "all and as between by case cross distinct else end except exists extract from group having in intersect join "
    "like not on or order select then union using values when where with "
)  # a [ after one of these is no subscript


def parse_query(sql: str) -> exp.Expr:
    """The statement's tree; QueryError SYNTAX_ERROR for what Trino's grammar does not have."""
    tokens = AthenaSql().tokenize(sql)
    _check_tokens(tokens)
    statements = parse(sql, read=AthenaSql)
    if len(statements) != 1 or statements[0] is None:
        raise QueryError("SYNTAX_ERROR: Only one sql statement is allowed. Got: " + sql[:80])
    tree = statements[0]
    for node in tree.walk():
        _check_node(node)
    return tree


def _check_tokens(tokens: list[Token]) -> None:
    previous: Token | None = None
    for token in tokens:
        if token.token_type == TokenType.DCOLON:
            raise _syntax(token, "mismatched input '::'")
        if token.token_type == TokenType.L_BRACKET and not _subscribed(previous):
            raise _syntax(token, "mismatched input '['")
        previous = token


def _subscribed(token: Token | None) -> bool:
    if token is None:
        return False
    named = token.text.replace("_", "").isalnum() and token.text.lower() not in _RESERVED.split()
    return named or token.token_type in _SUBSCRIBED


def _syntax(token: Token, text: str) -> QueryError:
    return QueryError(f"SYNTAX_ERROR: line {token.line}:{token.col}: {text}")


def _check_node(node: exp.Expr) -> None:
    if type(node) not in _ALLOWED:
        raise QueryError(f"SYNTAX_ERROR: mismatched input: {node.sql(dialect='trino')[:80]} ({type(node).__name__})")
    for name in _FORBIDDEN_ARGS.get(type(node), ()):
        if node.args.get(name):
            raise QueryError(f"SYNTAX_ERROR: mismatched input: {name.upper().rstrip('_')} in {type(node).__name__}")
    if isinstance(node, exp.Join) and (node.side or node.kind).upper() in {"SEMI", "ANTI", "ASOF"}:
        raise QueryError(f"SYNTAX_ERROR: mismatched input: {node.side or node.kind} JOIN")
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
        raise UnsupportedError("LATERAL " + node.sql(dialect="trino")[:60])
