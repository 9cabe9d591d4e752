"""Athena's SQL, parsed so that nothing is translated behind our back, and refused where Trino would refuse it.

sqlglot maps many functions to nodes of its own and back to another dialect's spelling, at times with another meaning.
Here every function call stays a plain call with its arguments as written; `functions.py` says what each one becomes.
"""

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from infra.local.athena.errors import QueryError, UnsupportedError, too_deep
from infra.local.athena.sql.bounds import check_bounds

_KEYWORD_CALLS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION")


class AthenaSql(Trino):
    """Trino with every function call kept as written."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        """The parser without sqlglot's own function nodes."""

        def _parse_type(self, parse_interval: bool = True, fallback_to_identifier: bool = False) -> exp.Expr | None:
            """An operand; the literal DECIMAL '1.25' has the digits that it shows."""
            named = self._curr.text.upper() if self._curr else ""
            found = super()._parse_type(parse_interval, fallback_to_identifier)
            if named in {"DECIMAL", "NUMERIC"} and isinstance(found, exp.Cast) and not found.to.expressions:
                found.set("to", _decimal_type(found.this.name))
            return found

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
    "LocationProperty WithDataProperty "
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
    """The statement's tree; QueryError SYNTAX_ERROR for what Trino's grammar does not have, UnsupportedError for what
    Trino has and this server does not.
    """
    check_bounds(sql)
    tokens = _numbers_joined(AthenaSql().tokenize(sql), sql)
    _check_tokens(tokens)
    try:
        statements = AthenaSql().parser().parse(tokens, sql)
    except ParseError as error:
        raise _unparsed(error) from error
    except RecursionError as error:
        raise too_deep() from error
    if len(statements) != 1 or statements[0] is None:
        raise QueryError("SYNTAX_ERROR: Only one sql statement is allowed. Got: " + sql[:80])
    tree = _plain_calls(statements[0])
    for node in tree.walk():
        _check_node(node)
    return tree


def _plain_calls(tree: exp.Expr) -> exp.Expr:
    """The tree with if(a, b, c), SUBSTRING(a FROM b FOR c) and POSITION(a IN b) as calls like all others, and each row
    of VALUES as (a, b).
    """
    for item in [item for values in tree.find_all(exp.Values) for item in values.expressions]:
        row = item.expressions[0].unnest() if isinstance(item, exp.Tuple) and len(item.expressions) == 1 else None
        if isinstance(row, exp.Anonymous) and row.name.lower() == "row":
            item.set("expressions", row.expressions)
    for node in list(tree.find_all(exp.If, exp.Substring, exp.StrPosition)):
        if isinstance(node, exp.If):
            name, values = "if", [node.this, node.args["true"], node.args.get("false")]
        elif isinstance(node, exp.Substring):
            name, values = "substring", [node.this, node.args.get("start"), node.args.get("length")]
        else:
            name, values = "strpos", [node.this, node.args["substr"]]
        if not (name == "if" and isinstance(node.parent, exp.Case)):
            call = exp.Anonymous(this=name, expressions=[value for value in values if value is not None])
            if node is tree:
                return call
            node.replace(call)
    return tree


def _decimal_type(text: str) -> exp.DataType:
    whole, _, fraction = text.strip().lstrip("+-").partition(".")
    digits = max(len(whole.lstrip("0")) + len(fraction), 1)
    return exp.DataType.build(f"DECIMAL({digits}, {len(fraction)})", dialect="trino")


def _numbers_joined(tokens: list[Token], sql: str) -> list[Token]:
    """The tokens with 10_000 as one number; QueryError for a name that begins with a digit."""
    found: list[Token] = []
    for token in tokens:
        last = found[-1] if found else None
        prefix = sql[token.start : token.start + 2].lower()
        if token.token_type in {TokenType.HEX_STRING, TokenType.BIT_STRING} and prefix in {"0x", "0b"}:
            number = str(int(token.text, 16 if prefix == "0x" else 2))
            token = Token(TokenType.NUMBER, number, token.line, token.col, token.start, token.end)  # noqa: PLW2901
        if last and last.token_type == TokenType.NUMBER and token.start == last.end + 1 and _continues(token, sql):
            text = last.text + token.text
            if not re.fullmatch(r"\d+(_\d+)*(\.(\d+(_\d+)*)?)?([eE][+-]?\d+)?", text):
                raise _syntax(
                    last,
                    f"identifiers must not start with a digit; surround the identifier with double quotes: '{text}'",
                )
            found[-1] = Token(TokenType.NUMBER, text.replace("_", ""), last.line, last.col, last.start, token.end)
        else:
            found.append(token)
    return found


def _continues(token: Token, sql: str) -> bool:
    return token.token_type in {TokenType.VAR, TokenType.NUMBER} or sql[token.start].isalpha()


def _unparsed(error: ParseError) -> QueryError:
    """A parse error in our words, with the place."""
    where = error.errors[0] if error.errors else {}
    text = str(where.get("highlight") or "")[:40]
    return QueryError(
        f"SYNTAX_ERROR: line {where.get('line', 1)}:{where.get('col', 1)}: mismatched input '{text}'. If Athena takes "
        "the statement, this server does not support the syntax here"
    )


def _check_tokens(tokens: list[Token]) -> None:
    previous: Token | None = None
    for at, token in enumerate(tokens):
        _refuse_syntax(token, tokens[at + 1 : at + 2])
        if token.token_type == TokenType.EQ and token.text == "==":
            raise _syntax(token, "mismatched input '='")
        if token.token_type == TokenType.OFFSET and at > 1 and tokens[at - 2].token_type == TokenType.LIMIT:
            raise _syntax(token, "mismatched input 'OFFSET' (OFFSET comes before LIMIT)")
        if token.token_type == TokenType.DCOLON:
            raise _syntax(token, "mismatched input '::'")
        if token.token_type == TokenType.L_BRACKET and not _subscribed(previous):
            raise _syntax(token, "mismatched input '['")
        previous = token


_CALLS = {
    "JSON_QUERY": "json_extract", "JSON_VALUE": "json_extract_scalar", "JSON_EXISTS": "json_extract(...) IS NOT NULL",
    "JSON_OBJECT": "CAST(MAP(...) AS json)", "JSON_ARRAY": "CAST(ARRAY[...] AS json)",
    "NORMALIZE": "no normalization", "LISTAGG": "array_join(array_agg(x ORDER BY y), ',')",
}  # fmt: skip
_CLAUSES = {
    "TABLESAMPLE": "a WHERE condition", "MATCH_RECOGNIZE": "window functions", "QUALIFY": None, "PIVOT": None,
}  # fmt: skip
_UNITS = {TokenType.VAR, TokenType.IDENTIFIER}


def _refuse_syntax(token: Token, following: list[Token]) -> None:
    """Refuse by name what Trino's grammar has and the parser or the engine would take for something else."""
    name = token.text.upper()
    if token.token_type in {TokenType.STRING, TokenType.IDENTIFIER}:
        return
    opened = bool(following) and following[0].token_type == TokenType.L_PAREN
    if name in _CALLS and opened:
        raise UnsupportedError(f"function {name.lower()}; write {_CALLS[name]}")
    if _CLAUSES.get(name):
        raise UnsupportedError(f"{name}; write {_CLAUSES[name]}")
    if name in {"U&", "LOCALTIME", "CURRENT_TIME"}:
        raise UnsupportedError(f"{name} (times of day and U& literals are not there)")


def _subscribed(token: Token | None) -> bool:
    if token is None:
        return False
    named = token.text.replace("_", "").isalnum() and token.text.lower() not in _RESERVED.split()
    return named or token.token_type in _SUBSCRIBED


def _syntax(token: Token, text: str) -> QueryError:
    return QueryError(f"SYNTAX_ERROR: line {token.line}:{token.col}: {text}")


_REFUSED = {
    "Fetch": "FETCH FIRST; write LIMIT", "WithinGroup": "WITHIN GROUP; write array_join(array_agg(x ORDER BY y), ',')",
    "UnicodeString": "U&'...' literals; write the characters", "Localtime": "LOCALTIME; write localtimestamp",
    "CurrentTime": "CURRENT_TIME; write current_timestamp", "CurrentUser": "CURRENT_USER",
}  # fmt: skip


def _check_node(node: exp.Expr) -> None:
    if type(node).__name__ in _REFUSED:
        raise UnsupportedError(_REFUSED[type(node).__name__])
    if type(node) not in _ALLOWED:
        raise QueryError(f"SYNTAX_ERROR: mismatched input: {node.sql(dialect='trino')[:80]} ({type(node).__name__})")
    if isinstance(node, exp.Fetch):
        raise UnsupportedError("FETCH FIRST; write LIMIT")
    if isinstance(node, exp.Any | exp.All):
        raise UnsupportedError(f"comparison with {type(node).__name__.upper()}; write IN, or compare with min or max")
    _check_column(node)
    if isinstance(node, exp.Join) and node.args.get("method"):
        raise UnsupportedError(f"{node.args['method']} JOIN; write JOIN ... USING or ON")
    for name in _FORBIDDEN_ARGS.get(type(node), ()):
        if node.args.get(name):
            raise QueryError(f"SYNTAX_ERROR: mismatched input: {name.upper().rstrip('_')} in {type(node).__name__}")
    if isinstance(node, exp.Join) and (node.side or node.kind).upper() in {"SEMI", "ANTI", "ASOF"}:
        raise QueryError(f"SYNTAX_ERROR: mismatched input: {node.side or node.kind} JOIN")
    if isinstance(node, exp.Interval) and not node.args.get("unit"):
        raise QueryError("SYNTAX_ERROR: line 1:1: INTERVAL needs a unit")
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery):
        raise UnsupportedError("LATERAL " + node.sql(dialect="trino")[:60])


def _check_column(node: exp.Expr) -> None:
    """A table may be named with its catalog, Athena's only one here."""
    if isinstance(node, exp.Table) and node.catalog and node.catalog.lower() != "awsdatacatalog":
        raise UnsupportedError(f"catalog {node.catalog}; only awsdatacatalog is there")
