"""Several json_extract calls over one column, read in one pass over its text.

    SELECT json_extract(j, '$.a'), json_extract(j, '$.b'), json_size(j, '$') FROM t

asks DuckDB to parse j three times. Here the fields are taken at once in a subquery below, which also finds keys that
come twice: of those Trino's json_parse keeps the last, DuckDB would read the first.
"""

import re
from collections import defaultdict

from sqlglot import exp

from infra.local.athena.sql.types import literal, quote
from infra.local.athena.sql.unnest import is_relation

_FIELD = re.compile(r"\$\.(\w+)|\$\[\"([^\"\\]+)\"\]")
# A SELECT with any of these sees more than the rows below it, or sees them changed.
_MORE = ("joins", "laterals", "where", "group", "having", "windows", "qualify", "distinct", "order", "limit", "pivots")
_HELPERS = ("keys", "values", "found", "fields", "size")


def gathered(tree: exp.Expr) -> exp.Expr:
    """The tree with such calls gathered; changes it in place."""
    for select in list(tree.find_all(exp.Select)):
        source = select.args.get("from_")
        plain = is_relation(select) and not any(select.args.get(part) for part in _MORE)
        if source is not None and plain and _bare(select):
            calls = _calls(select)
            if calls:
                _gather(select, source, calls)
    return tree


def _bare(select: exp.Select) -> bool:
    """Whether no column is qualified, so that a relation in between hides no name."""
    return not any(column.table for item in select.expressions for column in item.find_all(exp.Column))


def _calls(select: exp.Select) -> dict[str, list[exp.Anonymous]]:
    """The calls by column, where two or more different fields of it are asked for."""
    found: dict[str, list[exp.Anonymous]] = defaultdict(list)
    for item in select.expressions:
        for call in item.find_all(exp.Anonymous):
            if call.name.lower() in {"json_extract", "json_size"} and len(call.expressions) == 2:
                value, path = call.expressions
                own = call.find_ancestor(exp.Lambda, exp.Select) is select
                if isinstance(value, exp.Column) and isinstance(path, exp.Literal) and own:
                    found[value.name].append(call)
    return {column: calls for column, calls in found.items() if len(_names(calls)) > 1}


def _names(calls: list[exp.Anonymous]) -> list[str]:
    fields = (_FIELD.fullmatch(call.expressions[1].name) for call in calls if call.name.lower() == "json_extract")
    return list(dict.fromkeys(match[1] or match[2] for match in fields if match))


def _gather(select: exp.Select, source: exp.Expr, calls: dict[str, list[exp.Anonymous]]) -> None:
    extracted, counted, resolved = [], [], []
    for column, of_column in calls.items():
        names = _names(of_column)
        paths = "[" + ", ".join(literal(f'$."{name}"') for name in names) + "]"
        name, helper = quote(column), {part: quote(f"__{part}_{column}") for part in _HELPERS}
        extracted.append(f"json_keys(TRY_CAST({name} AS JSON)) AS {helper['keys']}")
        extracted.append(f"json_extract(TRY_CAST({name} AS JSON), {paths}) AS {helper['values']}")
        counted.append(f"list_count({helper['values']}) AS {helper['found']}")
        given = f"{name}, {helper['keys']}, {helper['found']}"
        resolved.append(f"trino_json_fields({given}, {helper['values']}, {paths}) AS {helper['fields']}")
        resolved.append(f"trino_json_size_of_keys({given}) AS {helper['size']}")
        for call in of_column:
            path = call.expressions[1].name
            match = _FIELD.fullmatch(path)
            if call.name.lower() == "json_extract" and match:
                position = names.index(match[1] or match[2]) + 1
                _become(call, f"{helper['fields']}[{position}]")
            elif call.name.lower() == "json_size" and path == "$":
                _become(call, helper["size"])
    for level, columns in enumerate((extracted, counted, resolved)):
        inner = exp.Select(expressions=[exp.Star(), *(exp.Var(this=text) for text in columns)])
        inner.set("from_", source)
        source = exp.From(
            this=exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(f"__json_{level}")))
        )
    select.set("from_", source)
    hidden = [exp.to_identifier(f"__{part}_{column}", quoted=True) for column in calls for part in _HELPERS]
    for star in select.expressions:
        if isinstance(star, exp.Star):
            star.set("except_", [*(star.args.get("except_") or []), *hidden])


def _become(call: exp.Anonymous, text: str) -> None:
    """The call is this text, of the type that the call had."""
    found = exp.Var(this=text)
    found.meta.update(call.meta)
    call.replace(found)
