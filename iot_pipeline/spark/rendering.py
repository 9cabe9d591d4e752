"""The lake's statements in Spark's SQL: the same texts, of `lake/statements.py`, rendered for another engine.

sqlglot writes most of what Athena and Spark say differently. It is silent where it does not know better, so that a
statement may hold nothing but the kinds of expression listed here, each of which the tests hold to Athena's rows; any
other is refused by its name. What judges lines is not rendered: Spark's JSON functions differ from Athena's in keys
that come twice, in vast numbers and in depth. For it stands the judge in Python, which is held to that very SQL.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from iot_pipeline.contract import PARTITION_KEYS, Contract, tables
from iot_pipeline.lake.statements import Target
from iot_pipeline.lake.transformation import judged_rows, received

# The relations that stand for what Python makes of raw lines.
JUDGED_LINES, RECEIVED_LINES = "judged_lines", "received_lines"
# A function that `iot_pipeline.spark.engine` registers: names as a JSON array, as Athena writes it.
JSON_NAMES = "json_names"

_SLOT = "SELECT this_source"
_ALLOWED = (
    *(exp.Select, exp.Subquery, exp.Union, exp.With, exp.CTE, exp.Values, exp.Tuple, exp.Table, exp.TableAlias),
    *(exp.From, exp.Join, exp.Where, exp.Group, exp.Order, exp.Ordered, exp.Distinct, exp.Star, exp.Alias, exp.Paren),
    *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Var, exp.DataType, exp.DataTypeParam),
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.NullSafeNEQ),
    *(exp.Case, exp.If, exp.Coalesce, exp.Cast, exp.Add, exp.Sub, exp.Mul, exp.DPipe, exp.Length),
    *(exp.Count, exp.CountIf, exp.Sum, exp.Min, exp.Max, exp.Lag, exp.Window, exp.WindowSpec),
    *(exp.DateDiff, exp.TimestampTrunc),
)
_CASTS = {"BIGINT", "DOUBLE", "TIMESTAMP"}
_UNITS = {"HOUR", "SECOND", "MILLISECOND"}
# 2 to the power of 63: a checksum is a sum of hashes, as a number of 63 bits.
_MODULUS = 1 << 63


class UnsupportedStatementError(ValueError):
    """A statement that has not been proved to mean the same to Spark; nothing of it has run."""


@dataclass(frozen=True)
class Statement:
    """A statement, read. `query` gives its rows; `target` is where they are written, None for rows to be returned.

    `lines` is the source of raw lines that the query judges (JUDGED_LINES) or counts (RECEIVED_LINES), if it does.
    """

    query: exp.Query
    target: Target | None
    lines: exp.Select | None

    def sql(self) -> str:
        """The query in Spark's SQL. Raises UnsupportedStatementError, naming it, for what is not known to be alike."""
        return spark_sql(self.query)


def read(sql: str, contract: Contract) -> Statement:
    """Read a statement of `lake/statements.py`. Raises UnsupportedStatementError for a text that is none of them."""
    text, source = _without_lines(sql, contract)
    try:
        tree = sqlglot.parse_one(text, read="athena")
        lines = sqlglot.parse_one(source, read="athena") if source else None
    except sqlglot.errors.SqlglotError as error:
        raise UnsupportedStatementError(f"not a statement of the lake: {error}") from error
    target = None
    if isinstance(tree, exp.Create):
        target, tree = _target(tree), tree.expression
    if not isinstance(tree, exp.Query) or not (lines is None or isinstance(lines, exp.Select)):
        raise UnsupportedStatementError(f"expected a query or a CREATE TABLE of one, got {type(tree).__name__}")
    return Statement(tree, target, lines)


def spark_sql(query: exp.Expr) -> str:
    """An expression of Athena's in Spark's SQL. Raises UnsupportedStatementError, naming it, for any other kind."""
    for node in query.walk(prune=lambda it: _repair(it) is not None):
        if _repair(node) is None:
            _check(node)
    rendered = query.transform(lambda it: it if (text := _repair(it)) is None else exp.Var(this=text))
    return str(rendered.sql(dialect="spark", comments=False))


def tables_in(query: exp.Expr) -> Iterator[exp.Table]:
    """The tables that a query reads, without those that it defines itself."""
    own = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    yield from (table for table in query.find_all(exp.Table) if table.name not in own)


def _without_lines(sql: str, contract: Contract) -> tuple[str, str | None]:
    """The statement with a relation for what is made of raw lines, and the source of these lines, if it reads any."""
    columns = ", ".join((*(it.name for it in tables(contract).judged_telemetry.columns), *PARTITION_KEYS))
    for made, relation in (
        (judged_rows(contract, _SLOT), f"SELECT {columns} FROM {JUDGED_LINES}"),
        (received(_SLOT), f"received AS (SELECT * FROM {RECEIVED_LINES})"),
    ):
        before, after = made.split(_SLOT)
        start = sql.find(before)
        end = sql.find(after, start + len(before))
        if start >= 0 and end >= 0:
            return sql[:start] + relation + sql[end + len(after) :], sql[start + len(before) : end]
    return sql, None


def _target(create: exp.Create) -> Target:
    properties = {it.name: it.args["value"] for it in create.find_all(exp.Property) if it.args.get("value")}
    location = properties.get("external_location")
    if location is None:
        raise UnsupportedStatementError("expected a CREATE TABLE with an external_location")
    return Target(create.this.name, location.name)


def _repair(node: exp.Expr) -> str | None:
    """Spark's text for what sqlglot would render otherwise than Athena means it; None for all else."""
    if isinstance(node, exp.Hex) and isinstance(node.this, exp.Anonymous) and node.this.name.lower() == "checksum":
        return _checksum(node.this.expressions[0])
    if isinstance(node, exp.JSONFormat):
        return _names(node)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.ParseJSON):
        return _map(node)
    return None


def _checksum(value: exp.Expr) -> str:
    """A sum of hashes, which does not depend on the rows' order and unlike XOR notices one that comes twice.

    Spark's hash of several values passes over nulls, so that what is null is hashed beside them. It is not Athena's
    checksum: the books compare those of one build with each other alone.
    """
    values = value.expressions if isinstance(value, exp.Struct) else [value]
    parts = ", ".join(f"{text} IS NULL, {text}" for text in (f"({spark_sql(it)})" for it in values))
    total = f"sum(CAST(xxhash64({parts}) AS DECIMAL(20, 0)))"
    return f"lower(hex(CAST(pmod({total}, {_MODULUS}) AS BIGINT)))"


def _names(node: exp.JSONFormat) -> str:
    """The names of unknown fields: those of each distinct set of names, one set after the other."""
    maps = [it for it in node.find_all(exp.Cast) if isinstance(it.this, exp.ParseJSON)]
    expected = f"JSON_FORMAT(CAST(FLATTEN(MAP_KEYS(HISTOGRAM(MAP_KEYS({maps[0].sql()})))) AS JSON))" if maps else ""
    if node.sql() != expected:
        raise UnsupportedStatementError(f"json_format in another place than the names of unknown fields: {node.sql()}")
    return f"{JSON_NAMES}(flatten(collect_set(map_keys({_map(maps[0])}))))"


def _map(node: exp.Cast) -> str:
    """The fields unknown to the contract, a JSON object of texts and nulls, as a map."""
    kind, text = node.to.sql(dialect="trino"), node.this.this
    if kind not in {"MAP(VARCHAR, VARCHAR)", "MAP(VARCHAR, JSON)"} or not isinstance(text, exp.Column):
        raise UnsupportedStatementError(f"a cast of JSON to {kind}: expected a map of texts out of a column")
    return f"from_json({text.sql(dialect='spark')}, 'map<string,string>')"


def _check(node: exp.Expr) -> None:
    if not isinstance(node, _ALLOWED):
        raise UnsupportedStatementError(f"{type(node).__name__} is not known to mean the same to Spark: {node.sql()}")
    if isinstance(node, exp.Cast) and node.to.this.name not in _CASTS:
        raise UnsupportedStatementError(f"a cast to {node.to.sql()} is not known to mean the same to Spark")
    if isinstance(node, exp.DateDiff | exp.TimestampTrunc) and node.args["unit"].name.upper() not in _UNITS:
        raise UnsupportedStatementError(f"the unit of {node.sql()} is not known to mean the same to Spark")
