"""The precision and scale of DECIMAL expressions, and division by Redshift's rules.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html. PostgreSQL adds, subtracts and
multiplies to the same scales; its quotient has other digits. What a quotient has depends on the declared types of both
operands, so the types of columns are asked of PostgreSQL (`Probe`), which knows them through views and subqueries.
Redshift truncates a quotient.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from infra.local.redshift.sql.functions import call
from infra.local.redshift.sql.grammar import PostgresSql

MOST = 38
_INTEGERS = {exp.DType.SMALLINT: 5, exp.DType.INT: 10, exp.DType.BIGINT: 19}
_INTEGER_NAMES = {"smallint": 5, "integer": 10, "bigint": 19}
_FLOATS = (exp.DType.FLOAT, exp.DType.DOUBLE)
_SAME = ("abs", "min", "max", "nullif")
_COMMON = ("coalesce", "greatest", "least")


@dataclass(frozen=True)
class Number:
    """A type: of a DECIMAL its precision and scale; an integer counts as the DECIMAL that it is cast to."""

    precision: int
    scale: int
    decimal: bool = True


FLOAT = Number(0, 0)
Known = Mapping[str, tuple[str, ...] | None]


def quotient(one: Number, two: Number) -> Number:
    """The type of `one / two`."""
    scale = max(4, one.scale + two.precision - two.scale + 1)
    precision = one.precision - one.scale + two.scale + scale
    if precision > MOST:
        return Number(MOST, max(MOST + scale - precision, 4))
    return Number(precision, scale)


def divide(tree: exp.Expr, known: Known) -> tuple[exp.Expr, tuple[str, ...]]:
    """The tree of PostgreSQL with Redshift's divisions, and the queries whose columns' types it would have to know.

    `known` has the types (PostgreSQL's names of them) of the columns of such queries; None for one that cannot be.
    """
    probes: dict[str, None] = {}
    tree = _bounded(tree)
    divisions = [node for node in tree.walk(bfs=False) if isinstance(node, exp.Div)]
    scopes = {id(scope): scope for node in divisions if (scope := _scope(node)) is not None}
    for scope in reversed(scopes.values()):
        within = [node for node in divisions if _scope(node) is scope]
        columns = list({column.sql(): column for node in within for column in _columns(node, scope)}.values())
        probe = _probe(scope, columns) if columns else ""
        if probe and probe not in known:
            probes[probe] = None
        types = _types(columns, known.get(probe))
        for node in reversed(within):
            turned = _division(node, types)
            if node is tree:
                tree = turned
            node.replace(turned)
    return tree, tuple(probes)


def _bounded(tree: exp.Expr) -> exp.Expr:
    """Sums and products whose digits may be more than a DECIMAL's, as far as that is told by the text, overflow."""
    for node in reversed([node for node in tree.walk(bfs=False) if isinstance(node, exp.Add | exp.Sub | exp.Mul)]):
        number = _number(node, {})
        if number is None or number == FLOAT or not number.decimal or number.precision < MOST or number.scale > MOST:
            continue
        bounded = exp.Cast(this=node.copy(), to=exp.DataType.build(f"decimal({MOST}, {number.scale})"))
        if node is tree:
            tree = bounded
        node.replace(bounded)
    return tree


def _scope(node: exp.Expr) -> exp.Expr | None:
    return node.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Insert, exp.Merge) or node.root()


def _columns(node: exp.Expr, scope: exp.Expr) -> Iterator[exp.Column]:
    return (column for column in node.find_all(exp.Column) if _scope(column) is scope)


def _probe(scope: exp.Expr, columns: list[exp.Column]) -> str:
    """A query of these columns alone, over what the scope reads."""
    sources = [scope.args["from_"].this, *(scope.args.get("joins") or [])] if scope.args.get("from_") else []
    if isinstance(scope, exp.Update | exp.Delete):
        sources = [scope.this, *sources, *(scope.args.get("using") or [])]
    if not sources or isinstance(scope, exp.Insert | exp.Merge):
        return ""
    query = exp.select(*(exp.alias_(column.copy(), f"c{n}") for n, column in enumerate(columns))).from_(
        sources[0].copy()
    )
    query.set("joins", [one.copy() if isinstance(one, exp.Join) else exp.Join(this=one.copy()) for one in sources[1:]])
    named = [cte.copy() for outer in _around(scope) for cte in outer.args["with_"].expressions]
    if named:
        recursive = any(outer.args["with_"].args.get("recursive") for outer in _around(scope))
        query.set("with_", exp.With(expressions=named, recursive=recursive))
    for mark in list(query.find_all(exp.Parameter, exp.Placeholder)):
        mark.replace(exp.Null())
    return query.sql(dialect=PostgresSql, comments=False)


def _around(scope: exp.Expr) -> list[exp.Expr]:
    """The queries with a WITH whose names the scope sees, the outermost first."""
    found = []
    at: exp.Expr | None = scope
    while at is not None:
        if at.args.get("with_"):
            found.append(at)
        at = at.parent
    return found[::-1]


def _types(columns: list[exp.Column], names: tuple[str, ...] | None) -> dict[str, Number]:
    found = {}
    for column, name in zip(columns, names or (), strict=False):
        if (number := _named(name)) is not None:
            found[column.sql()] = number
    return found


def _named(name: str) -> Number | None:
    if name in _INTEGER_NAMES:
        return Number(_INTEGER_NAMES[name], 0, decimal=False)
    if name in ("real", "double precision"):
        return FLOAT
    if name.startswith("numeric("):
        precision, scale = name.removeprefix("numeric(").removesuffix(")").split(",")
        return Number(int(precision), int(scale))
    return None


def _division(node: exp.Div, types: dict[str, Number]) -> exp.Expr:
    one, two = _number(node.this, types), _number(node.expression, types)
    if FLOAT in (one, two) or (one and two and not one.decimal and not two.decimal):
        return node
    if isinstance(node.expression, exp.Literal) and node.expression.name.startswith(("0.", ".")):
        two = None  # whether a literal's zero before the point counts is not documented
    sizes = [exp.Literal.number(value) if number else exp.Null() for number in (one, two) for value in _size(number)]
    divided = call("redshift_divide", node.this.copy(), node.expression.copy(), *sizes)
    if one is None or two is None:
        return divided
    result = quotient(one, two)
    return exp.Cast(this=divided, to=exp.DataType.build(f"decimal({result.precision}, {result.scale})"))


def _size(number: Number | None) -> tuple[int, int]:
    return (number.precision, number.scale) if number else (0, 0)


def _number(node: exp.Expr, types: dict[str, Number]) -> Number | None:
    """The type of an expression, as far as it can be told."""
    if isinstance(node, exp.Column):
        return types.get(node.sql())
    if isinstance(node, exp.Paren | exp.Neg | exp.Window):
        return _number(node.this, types)
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Cast):
        return _cast(node.to)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        return _computed(node, types)
    if isinstance(node, exp.Case):
        results = [one.args["true"] for one in node.args["ifs"]] + [node.args.get("default")]
        return _common([one for one in results if one is not None], types)
    return _called(node, types) if isinstance(node, exp.Anonymous) else None


def _literal(node: exp.Literal) -> Number | None:
    text = node.name.lower()
    if node.is_string:
        return None
    if "e" in text:
        return None  # whether it is a DECIMAL or a double is not documented
    if "." in text:
        whole, _, digits = text.partition(".")
        return Number(max(len(whole.lstrip("0")), 1) + len(digits), len(digits))
    value = int(text)
    if value < 2**63:
        return Number(10 if value < 2**31 else 19, 0, decimal=False)
    return Number(len(text), 0)


def _cast(to: exp.DataType) -> Number | None:
    if to.this in _INTEGERS:
        return Number(_INTEGERS[to.this], 0, decimal=False)
    if to.this in _FLOATS:
        return FLOAT
    if to.this == exp.DType.DECIMAL and len(to.expressions) == 2:
        precision, scale = (int(param.name) for param in to.expressions)
        return Number(precision, scale)
    return None


def _computed(node: exp.Expr, types: dict[str, Number]) -> Number | None:
    one, two = _number(node.this, types), _number(node.expression, types)
    if FLOAT in (one, two):
        return FLOAT
    if one is None or two is None:
        return None
    if not one.decimal and not two.decimal:
        return max(one, two, key=lambda number: number.precision)
    if isinstance(node, exp.Div):
        return quotient(one, two)
    if isinstance(node, exp.Mul):
        return Number(min(one.precision + two.precision + 1, MOST), one.scale + two.scale)
    scale = max(one.scale, two.scale)
    precision = max(one.precision - one.scale, two.precision - two.scale) + 1 + scale
    return Number(min(precision, MOST), scale)


def _common(values: list[exp.Expr], types: dict[str, Number]) -> Number | None:
    """The rule of COALESCE, DECODE and set operators; beyond 19 digits it is not clear, so that it is not told."""
    numbers = [_number(value, types) for value in values if not isinstance(value, exp.Null)]
    if FLOAT in numbers:
        return FLOAT
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return None
    if len(set(known)) == 1 or not any(number.decimal for number in known):
        return max(known, key=lambda number: number.precision)
    scale = max(number.scale for number in known)
    precision = max(number.precision - number.scale for number in known) + scale
    return Number(precision, scale) if precision <= 19 else None


def _called(node: exp.Anonymous, types: dict[str, Number]) -> Number | None:
    name, arguments = node.name.lower(), node.expressions
    if name == "count":
        return Number(19, 0, decimal=False)
    if name in _COMMON:
        return _common(arguments, types)
    if name not in (*_SAME, "redshift_sum", "redshift_avg") or not arguments:
        return None
    value = arguments[0].expressions[0] if isinstance(arguments[0], exp.Distinct) else arguments[0]
    number = _number(value, types)
    if number is None or number == FLOAT or name in _SAME:
        return number
    return Number(MOST, number.scale) if number.decimal else Number(19, 0, decimal=False)
