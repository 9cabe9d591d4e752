"""QUALIFY, which PostgreSQL lacks, as a WHERE around the query.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html. The inner query computes every output
column, the condition and what ORDER BY needs; `*` travels as one row value per source, so that nothing is added.
"""

from sqlglot import exp

from infra.local.redshift.unsupported import LOCAL, UnsupportedError

_OUTER = ("order", "limit", "offset", "distinct", "with_")


def rewrite_qualify(tree: exp.Expr) -> exp.Expr:
    """Replace every SELECT with QUALIFY, the innermost first."""
    for select in reversed(list(tree.find_all(exp.Select, bfs=False))):
        if select.args.get("qualify"):
            outer = _around(select)
            if select is tree:
                tree = outer
            else:
                select.replace(outer)
    return tree


def _around(select: exp.Select) -> exp.Select:
    inner = select.copy()
    condition = inner.args["qualify"].this.copy()
    outer = exp.Select(**{key: inner.args[key] for key in _OUTER if inner.args.get(key)})
    for key in (*_OUTER, "qualify"):
        inner.set(key, None)
    aliases = {item.alias.lower(): item.this for item in inner.expressions if isinstance(item, exp.Alias)}
    columns: list[exp.Expr] = []
    results: list[exp.Expr] = []
    for item in inner.expressions:
        _carry(item, inner, columns, results)
    columns.append(exp.alias_(_expanded(condition, aliases), "_keep"))
    names = {result.alias_or_name.lower() for result in results}
    for term in outer.args["order"].expressions if outer.args.get("order") else []:
        if not term.this.is_int and not (term.this.name.lower() in names and not term.this.args.get("table")):
            name = f"_order{len(columns)}"
            columns.append(exp.alias_(term.this.copy(), name))
            term.set("this", exp.column(name, table="_qualified"))
    inner.set("expressions", columns)
    outer.set("expressions", results)
    outer.set(
        "from_", exp.From(this=exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("_qualified"))))
    )
    outer.set("where", exp.Where(this=exp.column("_keep", table="_qualified")))
    return outer


def _carry(item: exp.Expr, inner: exp.Select, columns: list[exp.Expr], results: list[exp.Expr]) -> None:
    if item.is_star:
        for source in _row_sources(item, inner):
            name = f"_row{len(columns)}"
            columns.append(exp.alias_(exp.column(source), name))
            row = exp.Paren(this=exp.column(name, table="_qualified"))
            results.append(exp.Dot(this=row, expression=exp.Star()))
        return
    name = f"_column{len(columns)}"
    value = item.this if isinstance(item, exp.Alias) else item
    columns.append(exp.alias_(value.copy(), name))
    output = item.output_name or (item.name.lower() if isinstance(item, exp.Anonymous) else "?column?")
    quoted = item.args["alias"].quoted if isinstance(item, exp.Alias) else output == "?column?"
    results.append(exp.alias_(exp.column(name, table="_qualified"), output, quoted=quoted))


def _row_sources(item: exp.Expr, inner: exp.Select) -> list[exp.Identifier]:
    if isinstance(item, exp.Column):
        return [item.args["table"]]
    joins = inner.args.get("joins") or []
    if any(join.args.get("using") or join.args.get("method") for join in joins):
        raise UnsupportedError(f"{LOCAL}SELECT * with QUALIFY over JOIN ... USING; name the columns")
    sources = [inner.args["from_"].this, *(join.this for join in joins)]
    return [source.args["alias"].this if source.args.get("alias") else source.this for source in sources]


def _expanded(condition: exp.Expr, aliases: dict[str, exp.Expr]) -> exp.Expr:
    """The condition with the select list's aliases replaced by what they name."""

    def expand(node: exp.Expr) -> exp.Expr:
        named = isinstance(node, exp.Column) and not node.args.get("table")
        return exp.Paren(this=aliases[node.name.lower()].copy()) if named and node.name.lower() in aliases else node

    return condition.transform(expand)
