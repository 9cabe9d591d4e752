"""Redshift's SQL, parsed so that nothing is translated behind our back, and an allow-list of what the tree may hold.

sqlglot maps many functions to nodes of its own and back to another dialect's spelling, at times with another meaning.
Here every function call stays a plain call with its arguments as written; `functions.py` says what each one becomes.
"""

from typing import Any, ClassVar

from sqlglot import exp, parse
from sqlglot.dialects.postgres import Postgres
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.generators.postgres import PostgresGenerator
from sqlglot.parsers.redshift import RedshiftParser

from infra.local.redshift.unsupported import LOCAL, SYNTAX_ERROR, UnsupportedError

_KEYWORD_CALLS = ("CAST", "TRY_CAST", "CONVERT", "EXTRACT", "TRIM", "SUBSTRING", "POSITION")


class RedshiftSql(Redshift):
    """Redshift with every function call kept as written, and no statement swallowed whole as a "command"."""

    class Tokenizer(Redshift.Tokenizer):
        """The tokens, commands included."""

        COMMANDS: ClassVar[set[Any]] = set()

    class Parser(RedshiftParser):
        """The parser without sqlglot's own function nodes."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parser for name, parser in RedshiftParser.FUNCTION_PARSERS.items() if name in _KEYWORD_CALLS
        }

        def _parse_interval_span(self, this: Any, parse_function_unit: bool = True) -> Any:
            """As sqlglot's, which of a text such as '40 days 00:00:01' keeps the 40 days alone."""
            written = this.name if this is not None and this.is_string else None
            interval = super()._parse_interval_span(this, parse_function_unit=parse_function_unit)
            if written is not None and interval.name != written and not exp.INTERVAL_STRING_RE.fullmatch(written):
                interval.set("this", exp.Literal.string(written))
                interval.set("unit", None)
            return interval

        def _parse_approximate_count(self) -> Any:
            call = self._parse_function()
            inner = call.this if isinstance(call, exp.WithinGroup) else call
            if not isinstance(inner, exp.Anonymous) or inner.name.lower() not in ("count", "percentile_disc"):
                self.raise_error("APPROXIMATE takes COUNT(DISTINCT ...) or PERCENTILE_DISC(...)")
            return call


class PostgresSql(Postgres):
    """PostgreSQL 16 as we write it: the tree's functions and types are already PostgreSQL's."""

    class Generator(PostgresGenerator):
        """The generator without sqlglot's rewrites of types."""

        TYPE_MAPPING: ClassVar[dict[Any, str]] = {
            **PostgresGenerator.TYPE_MAPPING,
            exp.DType.SUPER: "JSONB",
            exp.DType.FLOAT: "REAL",
        }


_NODES = (
    "Add Alias All And Anonymous Any AtTimeZone Between BitwiseAnd BitwiseLeftShift BitwiseNot BitwiseOr "
    "BitwiseRightShift Boolean Bracket Case Cast Column ColumnConstraint ColumnDef Create CTE Cube CurrentCatalog "
    "CurrentDate CurrentSchema CurrentTimestamp CurrentUser DataType DataTypeParam DefaultColumnConstraint Delete "
    "Distinct Div Dot DPipe EQ Escape Except Exists Extract From GeneratedAsIdentityColumnConstraint Group "
    "GroupingSets GT GTE Having Identifier If IgnoreNulls ILike In Insert Intersect Interval IntervalSpan Is Join "
    "LikeProperty Like Limit Literal Localtime Localtimestamp LT LTE Merge Mod Mul Neg NEQ Not "
    "NotNullColumnConstraint Null Offset Or Order Ordered Parameter Paren Placeholder Pow Properties Qualify "
    "RegexpLike RespectNulls Rollup Schema Select SessionUser SimilarTo Star StrPosition Sub Subquery Substring "
    "Table TableAlias TemporaryProperty Trim TryCast Tuple Union Update Values Var When Whens Where Window "
    "WindowSpec With WithinGroup"
)
_ALLOWED = {getattr(exp, name) for name in _NODES.split()}
# Constructs of Redshift's guide that are not here, and what to write instead.
_INSTEAD: dict[type[exp.Expr], str] = {
    exp.Pivot: "PIVOT and UNPIVOT; use SUM(CASE WHEN ... END), and UNION ALL",
    exp.Unnest: "iterating over SUPER in FROM; name the elements, as in t.items[0], or keep them in rows",
}
_FORBIDDEN_ARGS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: ("sample", "pivots", "laterals", "hint", "kind", "cluster", "sort", "connect", "match", "distribute"),
    exp.Join: ("match_condition", "hint"),
    exp.Table: ("sample", "pivots", "hints", "version", "when", "only", "rows_from", "joins", "ordinality"),
    exp.Star: ("except_", "replace", "rename", "ilike"),
    exp.Group: ("all", "totals"),
    exp.Ordered: ("with_fill",),
    exp.Limit: ("offset", "limit_options", "expressions"),
    exp.Insert: ("overwrite", "ignore", "by_name", "where", "partition", "alternative", "is_function"),
    exp.Update: ("order", "limit"),
    exp.Delete: ("order", "limit", "tables", "cluster"),
    exp.Create: ("clone", "indexes", "concurrently", "unique", "refresh", "begin", "end"),
    exp.Cast: ("format", "action", "default"),
}


def parse_statement(sql: str) -> exp.Expr:
    """One statement's tree.

    Raises UnsupportedError 42601 for what is no SQL.
    """
    try:
        trees = parse(sql, read=RedshiftSql)
    except SqlglotError as error:
        text = str(error).replace("\033[4m", "").replace("\033[0m", "")
        raise UnsupportedError(f"syntax error: {text}", SYNTAX_ERROR) from error
    if len(trees) != 1 or trees[0] is None:
        raise UnsupportedError(f"syntax error: expected one statement: {sql[:80]}", SYNTAX_ERROR)
    return trees[0]


def check_known(tree: exp.Expr) -> None:
    """Raise UnsupportedError for a tree that holds a construct nobody has looked at."""
    if named := tree.find(*_INSTEAD):
        raise UnsupportedError(f"{LOCAL}{_INSTEAD[type(named)]}")
    for node in tree.walk():
        of_like = isinstance(node, exp.Property) and isinstance(node.parent, exp.LikeProperty)
        if type(node) not in _ALLOWED and not of_like:
            text = node.sql(dialect=RedshiftSql, comments=False)[:60]
            raise UnsupportedError(f"{LOCAL}{type(node).__name__}: {text}")
        for name in _FORBIDDEN_ARGS.get(type(node), ()):
            if node.args.get(name):
                raise UnsupportedError(f"{LOCAL}{name.rstrip('_').upper()} in {type(node).__name__}")
