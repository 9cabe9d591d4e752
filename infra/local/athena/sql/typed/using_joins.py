"""`*` over JOIN ... USING (Trino docs, "SELECT", "USING"): the columns of USING come first and once, then the rest of
the left side, then that of the right one. They belong to no table, so that `table.*` leaves them out. DuckDB differs
in both.
"""

from sqlglot import exp

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.sql.typed.scopes import Names

_Field = tuple[str, str]
"""(relation, or nothing for a column of USING; column)"""


def open_stars(select: exp.Expr, names: Names) -> None:
    """Put the columns in the place of each `*` and `table.*`; UnsupportedError where they are not known."""
    opened: list[exp.Expr] = []
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star):
            wanted = item.text("table").lower()
            found = [field for field in _fields(select, names) if wanted in ("", field[0])]
            opened += [exp.column(name, table=table or None, quoted=True) for table, name in found]
        else:
            opened.append(item)
    select.set("expressions", opened)


def _fields(select: exp.Expr, names: Names) -> list[_Field]:
    relations = list(names.relations)
    joins = select.args.get("joins") or []
    if len(relations) != len(joins) + 1 or None in names.relations.values():
        raise UnsupportedError("SELECT * with JOIN USING of relations whose columns are not known; list the columns")
    found = _of(names, relations[0])
    for label, join in zip(relations[1:], joins, strict=True):
        using = [column.name.lower() for column in join.args.get("using") or []]
        left = [field for field in found if field[1] not in using]
        found = [("", name) for name in using] + left + [f for f in _of(names, label) if f[1] not in using]
    return found


def _of(names: Names, label: str) -> list[_Field]:
    return [(label, name) for name in names.relations[label] or {} if not name.startswith("$")]
