"""Navigation into SUPER values: `column.attribute`, `column[0].attribute`.

Source: https://docs.aws.amazon.com/redshift/latest/dg/query-super.html. What is not there is NULL, and so is a cast
that does not fit ("lax semantics"). Not supported: comparing a navigation without a cast, iterating over an array in
FROM.
"""

from sqlglot import exp

from infra.local.redshift.sql.functions import call
from infra.local.redshift.sql.lax_cast import lax_cast
from infra.local.redshift.unsupported import LOCAL, UnsupportedError


def rewrite_navigation(tree: exp.Expr) -> exp.Expr:
    """Replace every navigation by jsonb_extract_path, and by its text where it is cast."""
    sources = _source_names(tree)
    for node in list(tree.find_all(exp.Dot, exp.Bracket, exp.Column)):
        if isinstance(node.parent, exp.Dot | exp.Bracket) or _is_call(node):
            continue
        base, path = _steps(node, sources)
        if path:
            _replace(node, base, path)
    return tree


def _source_names(tree: exp.Expr) -> set[str]:
    names = {node.alias_or_name.lower() for node in tree.find_all(exp.Table, exp.Subquery)}
    return names | {cte.alias.lower() for cte in tree.find_all(exp.CTE)} - {""}


def _is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous)


def _steps(node: exp.Expr, sources: set[str]) -> tuple[exp.Expr, list[str]]:
    if isinstance(node, exp.Dot):
        base, path = _steps(node.this, sources)
        return base, [*path, node.expression.name]
    if isinstance(node, exp.Bracket):
        base, path = _steps(node.this, sources)
        (index,) = node.expressions
        if not isinstance(index, exp.Literal):
            raise UnsupportedError(f"{LOCAL}computed subscript {node.sql(dialect='redshift')[:60]}")
        return base, [*path, index.name]
    if isinstance(node, exp.Column):
        return _column_steps(node, sources)
    return node, []


def _column_steps(node: exp.Column, sources: set[str]) -> tuple[exp.Expr, list[str]]:
    parts = [part for part in (node.args.get(key) for key in ("catalog", "db", "table", "this")) if part is not None]
    if len(parts) == 1 or isinstance(node.this, exp.Star):
        return node, []
    # Where the table is named: t.c, s.t.c, d.s.t.c; where nothing is, the first part is the column.
    at = next((n for n in range(len(parts) - 1) if parts[n].name.lower() in sources), -1)
    column, path = parts[: at + 2], parts[at + 2 :]
    if not path:
        return node, []
    keys = ("this", "table", "db", "catalog")
    return exp.Column(**dict(zip(keys, reversed(column), strict=False))), [part.name for part in path]


def _replace(node: exp.Expr, base: exp.Expr, path: list[str]) -> None:
    keys = [exp.Literal.string(step) for step in path]
    parent = node.parent
    if isinstance(parent, exp.Cast) and not parent.is_type(exp.DType.JSONB):
        value = call("jsonb_extract_path_text", base.copy(), *keys)
        if parent.is_type(exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR):
            node.replace(value)
            return
        parent.replace(lax_cast(value, parent.to))
        return
    node.replace(call("jsonb_extract_path", base.copy(), *keys))
