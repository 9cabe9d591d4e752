"""json_format sorts keys in Trino; sorting is dear, so it is left out where nobody can see it.

A column made by json_format whose readers, through all enclosing queries, look at its first character only, or whether
it is null, or not at all, may keep the keys in any order: the first character is the same.
"""

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from infra.local.athena.reading.predicates import sources


def mark_unread_formats(query: exp.Expr) -> None:
    """Mark (meta `any_order`) the json_format calls whose order of keys cannot reach the result."""
    scopes = list(traverse_scope(query))
    for scope in scopes:
        select = scope.expression
        if isinstance(select, exp.Select):
            for item in select.expressions:
                calls = [c for c in item.find_all(exp.Anonymous) if c.name.lower() == "json_format"]
                if calls and _hands_on(item) and not _order_is_seen(scope, item.alias_or_name.lower(), scopes):
                    for call in calls:
                        call.meta["any_order"] = True


def _hands_on(item: exp.Expr) -> bool:
    """Whether the item is json_format's text itself, whole: through CASE, IF and coalesce at most."""
    node = item.unalias()
    if isinstance(node, exp.Case):
        results = [i.args["true"] for i in node.args["ifs"]] + [node.args.get("default")]
        conditions = [i.this for i in node.args["ifs"]]
        return not any(_calls(c) for c in conditions) and all(r is None or _hands_on(r) for r in results)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "nullif":
        return _hands_on(node.expressions[0]) and _is_scalar_text(node.expressions[1])
    if isinstance(node, exp.Anonymous) and node.name.lower() in {"coalesce", "json_format"}:
        return node.name.lower() == "json_format" or all(_hands_on(a) for a in node.expressions)
    return not _calls(node)


def _is_scalar_text(node: exp.Expr) -> bool:
    """Whether it is a text that no object's or array's text can equal, in whatever order."""
    return isinstance(node, exp.Literal) and node.is_string and node.name[:1] not in {"{", "["}


def _calls(node: exp.Expr) -> bool:
    return any(c.name.lower() == "json_format" for c in node.find_all(exp.Anonymous))


def _order_is_seen(scope: Scope, name: str, scopes: list[Scope]) -> bool:
    users = [s for s in scopes if any(source is scope for source in sources(s).values())]
    if not users:
        return True
    return any(_seen_by(user, name, scopes) for user in users)


def _seen_by(user: Scope, name: str, scopes: list[Scope]) -> bool:
    select = user.expression
    if not isinstance(select, exp.Select) or select.args.get("distinct"):
        return True
    handed_on = [name] if any(_is_star(item) for item in select.expressions) else []
    for node in select.find_all(exp.Identifier):
        column = node.parent
        if node.name.lower() != name or (isinstance(column, exp.Alias | exp.TableAlias | exp.CTE)):
            continue
        if not isinstance(column, exp.Column) or node is not column.this:
            return True
        parent = column.parent
        if parent is select and column.arg_key == "expressions":
            handed_on.append(name)
        elif isinstance(parent, exp.Alias) and parent.parent is select:
            handed_on.append(parent.alias.lower())
        elif not _first_character(column) and not _null_test(column):
            return True
    return any(_order_is_seen(user, other, scopes) for other in handed_on)


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star))


def _null_test(column: exp.Column) -> bool:
    node = column.parent
    while isinstance(node, exp.Anonymous) and node.name.lower() == "coalesce":
        node = node.parent
    return isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)


def _first_character(column: exp.Column) -> bool:
    call = column.parent
    if not isinstance(call, exp.Anonymous) or call.name.lower() not in {"substr", "substring"}:
        return False
    rest = call.expressions[1:]
    return call.expressions[0] is column and [r.name for r in rest if isinstance(r, exp.Literal)] == ["1", "1"]
