"""The names of output columns without an alias: a call's own name, whatever PostgreSQL's function for it is called."""

from sqlglot import exp

from infra.local.redshift.sql.dateparts import UNITS
from infra.local.redshift.sql.functions import FUNCTIONS, REWRITTEN

NAMELESS = "?column?"


def name_outputs(tree: exp.Expr) -> exp.Expr:
    """Give every calculated column of an inner query the name that it has on Redshift, in place.

    The outermost query's columns are named on their way to the client (`output_name`).
    """
    for select in tree.find_all(exp.Select):
        if isinstance(select.parent, exp.SetOperation | exp.Exists | exp.In):
            continue
        items = [_aliased(item, outermost=select is tree) for item in select.expressions]
        select.set("expressions", items)
    return tree


def _aliased(item: exp.Expr, *, outermost: bool) -> exp.Expr:
    if isinstance(item, exp.Dot) and not isinstance(item.expression, exp.Anonymous | exp.Star):
        return exp.alias_(item, item.name, quoted=True)
    if isinstance(item, exp.Div) and not outermost:
        return exp.alias_(item, NAMELESS, quoted=True)
    call = item
    while isinstance(call, exp.Window | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls | exp.Paren):
        call = call.this
    name = call.name.lower() if isinstance(call, exp.Anonymous) else ""
    turned = name in REWRITTEN or (name in FUNCTIONS and FUNCTIONS[name] != name)
    if name == "median" or (turned and not outermost and name != "percentile_cont"):
        return exp.alias_(item, name, quoted=True)
    return item


def output_name(name: str) -> str:
    """What the client is told of a column that PostgreSQL named after a function of ours."""
    if name in ("redshift_divide", "redshift_quotient"):
        return NAMELESS
    return _OURS.get(name, name.removeprefix("redshift_"))


_OURS = {"redshift_percentile": "percentile_cont", "redshift_add_years": "date_add", "redshift_dateadd": "date_add"}
_OURS |= {"trunc": "date_part"}  # what EXTRACT becomes; TRUNC is a function of ours
_OURS |= {"redshift_json_path": "json_extract_path_text", "jsonb": "json_parse"}
_OURS |= {f"redshift_datediff_{unit}": "date_diff" for unit in UNITS}
