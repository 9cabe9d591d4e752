"""CROSS JOIN UNNEST of one array as a select list, which DuckDB runs on all threads and without numbering the rows."""

from collections.abc import Callable

from sqlglot import exp

from infra.local.athena.sql.types import quote


def flatten(query: exp.Expr, render: Callable[[exp.Expr], str]) -> None:
    """FROM a CROSS JOIN UNNEST(x) AS t(r, n), in place, as a select list: FROM (SELECT a.*, unnest(x) ... FROM a).

    DuckDB runs the join through a numbering of all rows, on one thread; the select list on all. Only where nothing can
    tell: one array, named columns, no * in the outer query and no queries inside it.
    """
    for select in list(query.find_all(exp.Select)):
        joins, source = select.args.get("joins") or [], _only_source(select)
        if not joins or source is None or not _flattens(select, joins[0]):
            continue
        unnest = joins[0].this
        names, offset = _column_names(unnest)
        inner = {name: f"__unnested_{name}" for name in names}
        _rename(select, joins[0], unnest.args["alias"].name, inner, source.alias_or_name)
        values = render(unnest.expressions[0])
        parts = [f"unnest({values}) AS {quote(inner[names[0]])}"]
        parts += [f"unnest(range(1, len({values}) + 1)) AS {quote(inner[names[1]])}"] if offset else []
        outer = exp.Subquery(
            this=exp.Select(
                expressions=[exp.Star(), *(exp.Var(this=p) for p in parts)], **{_FROM: exp.From(this=source)}
            ),
            alias=exp.TableAlias(this=exp.to_identifier(source.alias_or_name)),
        )
        select.set("joins", joins[1:])
        select.set(_FROM, exp.From(this=outer))


_FROM = "from_" if "from_" in exp.Select.arg_types else "from"


def _only_source(select: exp.Select) -> exp.Expr | None:
    clause = select.args.get(_FROM)
    source = clause.this if clause else None
    return source if isinstance(source, exp.Table | exp.Subquery) and source.alias_or_name else None


def _column_names(unnest: exp.Unnest) -> tuple[list[str], bool]:
    alias, offset = unnest.args.get("alias"), unnest.args.get("offset")
    names = [c.name for c in alias.args.get("columns") or []] if alias else []
    if isinstance(offset, exp.Expr) and offset.name and offset.name not in names:
        names = [*names, offset.name]
    return names, bool(offset)


def _flattens(select: exp.Select, join: exp.Join) -> bool:
    unnest = join.this
    if not isinstance(unnest, exp.Unnest) or join.side or join.args.get("on") or len(unnest.expressions) != 1:
        return False
    names, offset = _column_names(unnest)
    if len(names) != 1 + offset or not unnest.args["alias"].name:
        return False
    stars = [e for e in select.expressions if isinstance(e, exp.Star) or (isinstance(e, exp.Column) and e.is_star)]
    clauses = [v for k, v in select.args.items() if k not in {_FROM, "joins", "with", "with_"} and v]
    nodes = [n for c in clauses for n in (c if isinstance(c, list) else [c]) if isinstance(n, exp.Expr)]
    return not stars and len(select.args.get("joins") or []) == 1 and not any(n.find(exp.Query) for n in nodes)


def _rename(select: exp.Select, join: exp.Join, alias: str, inner: dict[str, str], owner: str) -> None:
    for column in list(select.find_all(exp.Column)):
        inside = column.find_ancestor(exp.Join, exp.Select)
        if inside is join or inside is not select:
            continue
        if column.name in inner and column.table in {"", alias}:
            new = exp.column(exp.to_identifier(inner[column.name], quoted=True), table=owner)
            keeps_name = column.parent is select and column.arg_key == "expressions"
            column.replace(exp.alias_(new, column.name) if keeps_name else new)
