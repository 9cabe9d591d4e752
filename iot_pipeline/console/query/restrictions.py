"""Which partitions a guarded query restricts itself to, as an expression that Glue understands."""

import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from iot_pipeline.console.query.guard.dialect import AnalystSql

_COMPARISONS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ORDERS: Mapping[type[exp.Expr], Callable[[str, str], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Read:
    """One use of a table in a query: the conditions around it, and whether every column is taken.

    `of_view` are conditions that the view has through which it is read.
    """

    table: str
    conditions: tuple[exp.Expr, ...]
    star: bool
    of_view: tuple[exp.Expr, ...] = ()


def reads(tree: exp.Expr, database: str) -> list[Read]:
    """Each use of a table of the database in a guarded query."""
    found = []
    for table in tree.find_all(exp.Table):
        if table.db == database:
            own = table.find_ancestor(exp.Subquery)
            outer = own.find_ancestor(exp.Select) if own else None
            if own is None or outer is None:
                found.append(Read(table.name, (), star=True))
                continue
            conditions = tuple(_about(own.alias, each) for each in _conditions(own, outer))
            found.append(Read(table.name, tuple(each for each in conditions if each), _star(own.alias, outer)))
    return found


def reads_of_view(text: str) -> list[Read]:
    """Each table that a view of the lake reads, with the conditions in it."""
    (tree,) = AnalystSql().parser().parse(AnalystSql().tokenize(text), text)
    if tree is None:
        return []
    found = []
    for table in tree.find_all(exp.Table):
        select = table.find_ancestor(exp.Select)
        where = select.args.get("where") if select else None
        conditions = tuple(_conjuncts(where.this)) if where else ()
        found.append(Read(table.name, (), star=True, of_view=conditions))
    return found


def expression(conditions: Collection[exp.Expr], keys: Collection[str]) -> str:
    """What of the conditions is about partition keys alone, in Glue's form; empty if nothing is."""
    rendered = (_rendered(each, frozenset(keys)) for each in conditions)
    return " AND ".join(f"({each})" for each in rendered if each)


def may_hold(conditions: Collection[exp.Expr], values: Mapping[str, str]) -> bool:
    """Whether a partition with these values of its keys can hold rows for which the conditions are true."""
    return all(_truth(each, values) is not False for each in conditions)


def _truth(node: exp.Expr, values: Mapping[str, str]) -> bool | None:
    """Of a condition, by the keys alone; None where they do not decide it."""
    if isinstance(node, exp.Paren):
        return _truth(node.this, values)
    if isinstance(node, exp.Not):
        inner = _truth(node.this, values)
        return None if inner is None else not inner
    if isinstance(node, exp.And | exp.Or):
        decisive = isinstance(node, exp.Or)
        both = {_truth(node.this, values), _truth(node.expression, values)}
        return decisive if decisive in both else None if None in both else not decisive
    if isinstance(node, exp.Between):
        found, low, high = (_text(each, values) for each in (node.this, node.args["low"], node.args["high"]))
        return None if found is None or low is None or high is None else low <= found <= high
    if isinstance(node, exp.In) and not node.args.get("query"):
        found, among = _text(node.this, values), [_text(each, values) for each in node.expressions]
        return None if found is None or None in among else found in among
    compare = _ORDERS.get(type(node))
    left, right = (_text(node.args.get(name), values) for name in ("this", "expression"))
    return None if compare is None or left is None or right is None else bool(compare(left, right))


def _text(node: exp.Expr | None, values: Mapping[str, str]) -> str | None:
    """The text of a literal or of a key, or of such joined by `||`; None for anything else."""
    if isinstance(node, exp.Literal) and node.is_string:
        return node.name
    if isinstance(node, exp.Column):
        return values.get(node.name.lower())
    if isinstance(node, exp.DPipe):
        parts = (_text(node.this, values), _text(node.expression, values))
        return None if None in parts else "".join(part for part in parts if part)
    return None


def names_in(tree: exp.Expr, database: str) -> set[str]:
    """The columns that a query names, outside the filters that the guard put around tables."""
    inside = {id(column) for table in tree.find_all(exp.Table) if table.db == database for column in _own(table)}
    found = {each.name.lower() for each in tree.find_all(exp.Column) if id(each) not in inside}
    using = {each.name.lower() for join in tree.find_all(exp.Join) for each in join.args.get("using") or ()}
    return found | using


def _own(table: exp.Table) -> Iterator[exp.Expr]:
    select = table.find_ancestor(exp.Select)
    if select is not None:
        yield from select.find_all(exp.Column)


def _conditions(own: exp.Subquery, outer: exp.Select) -> Iterator[exp.Expr]:
    where = outer.args.get("where")
    if where:
        yield from _conjuncts(where.this)
    join = own.parent
    if isinstance(join, exp.Join) and join.args.get("on") and join.args.get("side") in {None, "", "LEFT"}:
        yield from _conjuncts(join.args["on"])


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.this)
        yield from _conjuncts(condition.expression)
    elif isinstance(condition, exp.Paren):
        yield from _conjuncts(condition.this)
    else:
        yield condition


def _about(alias: str, condition: exp.Expr) -> exp.Expr | None:
    """A condition whose columns are this relation's: qualified by it, or not at all."""
    columns = list(condition.find_all(exp.Column))
    return condition if all(each.table.lower() in {"", alias.lower()} for each in columns) else None


def _star(alias: str, outer: exp.Select) -> bool:
    for item in outer.expressions:
        if isinstance(item, exp.Star):
            return True
        if isinstance(item, exp.Column) and item.is_star and item.table.lower() == alias.lower():
            return True
    return False


def _rendered(node: exp.Expr, keys: frozenset[str]) -> str | None:
    """A condition on keys as Glue writes it; None for any other, which restricts nothing."""
    if isinstance(node, exp.Paren):
        return _rendered(node.this, keys)
    if isinstance(node, exp.And | exp.Or):
        return _joined(node, keys)
    if isinstance(node, exp.Not):
        inner = _rendered(node.this, keys)
        return f"NOT ({inner})" if inner and _whole(node.this, keys) else None
    if type(node) in _COMPARISONS:
        return _comparison(node, keys)
    if isinstance(node, exp.In) and not node.args.get("query"):
        values = [_value(each) for each in node.expressions]
        key = _key(node.this, keys)
        return f"{key} IN ({', '.join(v for v in values if v)})" if key and values and None not in values else None
    if isinstance(node, exp.Between):
        key, low, high = _key(node.this, keys), _value(node.args["low"]), _value(node.args["high"])
        return f"{key} BETWEEN {low} AND {high}" if key and low and high else None
    return None


def _joined(node: exp.Expr, keys: frozenset[str]) -> str | None:
    """Of an AND what can be written, of an OR all or nothing."""
    parts = [_rendered(node.this, keys), _rendered(node.expression, keys)]
    if isinstance(node, exp.Or):
        return f"({parts[0]}) OR ({parts[1]})" if all(parts) else None
    known = [part for part in parts if part]
    return " AND ".join(f"({part})" for part in known) or None


def _whole(node: exp.Expr, keys: frozenset[str]) -> bool:
    """Whether all of a condition can be written: the opposite of a part would leave out too much."""
    if isinstance(node, exp.And):
        return _whole(node.this, keys) and _whole(node.expression, keys)
    if isinstance(node, exp.Paren | exp.Not):
        return _whole(node.this, keys)
    return _rendered(node, keys) is not None


def _comparison(node: exp.Expr, keys: frozenset[str]) -> str | None:
    sign = _COMPARISONS[type(node)]
    key, value = _key(node.this, keys), _value(node.expression)
    if not key:
        key, value, sign = _key(node.expression, keys), _value(node.this), _FLIPPED.get(sign, sign)
    return f"{key} {sign} {value}" if key and value else None


def _key(node: exp.Expr, keys: frozenset[str]) -> str | None:
    name = node.name.lower() if isinstance(node, exp.Column) else ""
    return name if name in keys else None


def _value(node: exp.Expr) -> str | None:
    """A text of letters and digits: others restrict no partition of the lake."""
    if isinstance(node, exp.Literal) and node.is_string and node.name.isascii() and node.name.isalnum():
        return f"'{node.name}'"
    return None
