"""Writes at each expression of a statement its Trino type, where it can be told (`meta["kind"]`).

An expression without a type is rendered as before types were known: by macros that look at DuckDB's type.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.sql.typed import kinds, signatures
from infra.local.athena.sql.typed.kinds import Kind, record
from infra.local.athena.sql.typed.lambdas import LAMBDAS, lambda_kinds
from infra.local.athena.sql.typed.scopes import Columns, Names, field_of, renamed, unnested

_OPERATORS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_LOGICAL = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is),
    *(exp.Like, exp.Escape, exp.Exists, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Boolean),
)
_SMALLEST, _LARGEST = 2**31 - 1, 2**63 - 1


def infer(tree: exp.Expr, tables: Mapping[str, Columns] | None = None) -> list[tuple[str, Kind | None]]:
    """Note the types of a query's expressions in the tree; the names and types of its columns.

    `tables` are the columns of each table by its name in the tree. An empty list: the tree is no query, or its
    columns cannot be told. Raises QueryError for what Trino's types refuse, UnsupportedError for what ours do.
    """
    names = Names(ctes={name: dict(columns) for name, columns in (tables or {}).items()})
    if isinstance(tree, exp.Query | exp.Values):
        columns = _Inference().query(tree, names) or {}
        return [(name.partition("\0")[0], kinds.unambiguous(kind)) for name, kind in columns.items()]
    _Inference().expression(tree, names)
    return []


class _Inference:
    """Goes through a tree once, from FROM to the select list."""

    def query(self, node: exp.Expr, names: Names) -> Columns | None:
        """The columns of a query."""
        names = names.inside()
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ else []:
            self._cte(cte, names, recursive=bool(with_.args.get("recursive")))
        if isinstance(node, exp.Subquery):
            columns = self.query(node.this, names)
            self._rest(node, names)
            return columns
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, names)
        if isinstance(node, exp.Values):
            return self._values(node, names)
        return self._select(node, names)

    def _cte(self, cte: exp.CTE, names: Names, *, recursive: bool) -> None:
        alias = cte.args.get("alias")
        if recursive:
            names.ctes[cte.alias.lower()] = renamed(None, alias)
        names.ctes[cte.alias.lower()] = None if recursive else renamed(self.query(cte.this, names), alias)
        if recursive:
            self.query(cte.this, names)
            names.ctes[cte.alias.lower()] = renamed(None, alias)

    def _set_operation(self, node: exp.SetOperation, names: Names) -> Columns | None:
        left, right = self.query(node.this, names), self.query(node.expression, names)
        self._rest(node, names)
        if left is None or right is None or len(left) != len(right):
            return None
        pairs = zip(left, left.values(), right.values(), strict=True)
        what = f"column in {type(node).__name__.upper()} query"
        return {name: _together((a, b), what) for name, a, b in pairs}

    def _values(self, node: exp.Values, names: Names) -> Columns | None:
        rows = [self._row_kinds(item, names) for item in node.expressions]
        self._rest(node, names)
        if len({len(row) for row in rows}) != 1:
            return None
        columns = [_together(column, "Values rows") for column in zip(*rows, strict=True)]
        return renamed({f"_col{at}": kind for at, kind in enumerate(columns)}, node.args.get("alias"))

    def _row_kinds(self, item: exp.Expr, names: Names) -> list[Kind | None]:
        values = item.expressions if isinstance(item, exp.Tuple) else [item]
        found = [self.expression(value, names) for value in values]
        if len(found) == 1 and found[0] and found[0].name == "row":
            raise UnsupportedError("VALUES of a ROW that is not written as (a, b); list its fields")
        return found

    def _select(self, node: exp.Expr, names: Names) -> Columns | None:
        source = node.args.get("from_")
        if source is not None:
            self._relation(source.this, names)
        for join in node.args.get("joins") or []:
            self._relation(join.this, names)
        for join in node.args.get("joins") or []:
            if join.args.get("on"):
                self.expression(join.args["on"], names)
        found: list[tuple[str, Kind | None] | None] = []
        for at, item in enumerate(node.expressions):
            found += self._items(item, at, names, using=any(j.args.get("using") for j in node.args.get("joins") or []))
        self._rest(node, names, ("from_", "joins", "expressions"))
        return None if None in found else _by_name(list(filter(None, found)))

    def _items(
        self, item: exp.Expr, at: int, names: Names, *, using: bool
    ) -> list[tuple[str, Kind | None] | None]:
        star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
        if isinstance(star, exp.Star):
            return [None] if using else list(names.star(item.text("table").lower()))
        kind = self.expression(item, names)
        named = isinstance(item, exp.Alias | exp.Column | exp.Dot)
        return [(item.alias_or_name.lower() if named else f"_col{at}", kind)]

    def _relation(self, node: exp.Expr, names: Names) -> None:
        alias = node.args.get("alias")
        label = (node.alias or node.name).lower()
        columns: Columns | None = None
        if isinstance(node, exp.Table):
            columns = renamed(names.ctes.get(node.name.lower()), alias)
            for join in node.args.get("joins") or []:
                self._relation(join.this, names)
        elif isinstance(node, exp.Unnest):
            for item in node.expressions:
                self.expression(item, names)
            columns = unnested(node)
        elif isinstance(node, exp.Values):
            columns = self.query(node, names)
        elif isinstance(node, exp.Subquery | exp.Lateral):
            inner = node.this
            inner = inner.this if isinstance(inner, exp.Subquery) else inner
            within = names if isinstance(node, exp.Lateral) else Names(ctes=names.ctes, outer=names.outer)
            columns = renamed(self.query(inner, within), alias) if isinstance(inner, exp.Query | exp.Values) else None
        names.relations[label or f"__{len(names.relations)}"] = columns

    def _rest(self, node: exp.Expr, names: Names, done: Sequence[str] = ("this", "expression", "expressions")) -> None:
        skipped = {*done, "with_", "alias", "from_", "joins"}
        for key, value in node.args.items():
            if key not in skipped:
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, exp.Expr):
                        self.expression(child, names)

    # Expressions

    def expression(self, node: exp.Expr, names: Names) -> Kind | None:
        """The type of an expression, noted in it and in those below it."""
        kind = self._kind(node, names)
        if kind is not None:
            node.meta["kind"] = kind
        return kind

    def _kind(self, node: exp.Expr, names: Names) -> Kind | None:
        if isinstance(node, exp.Query):
            columns = self.query(node, names)
            return next(iter(columns.values())) if columns and len(columns) == 1 else None
        if isinstance(node, exp.Column):
            return names.find(node)
        if isinstance(node, exp.Literal):
            return _literal(node)
        if isinstance(node, exp.Anonymous):
            return self._call(node, names)
        if isinstance(node, exp.Lambda | exp.Identifier):
            return names.variable(node.name) if isinstance(node, exp.Identifier) else None
        below = [self.expression(child, names) for child in node.iter_expressions()]
        return self._of_node(node, below)

    def _of_node(self, node: exp.Expr, below: list[Kind | None]) -> Kind | None:  # noqa: PLR0911 - one line a node
        if isinstance(node, exp.Cast):
            return kinds.of_type(node.to)
        if isinstance(node, exp.Paren | exp.Alias | exp.Neg | exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
            return below[0]
        if isinstance(node, exp.Window):
            return record(node.this)
        if type(node) in _OPERATORS:
            left, right = record(node.this), record(node.expression)
            return kinds.result_of(_OPERATORS[type(node)], left, right) if left and right else None
        if isinstance(node, exp.And | exp.Or | exp.Not | exp.Where | exp.Having):
            _check_conditions(node, below)
            return kinds.BOOLEAN
        if isinstance(node, exp.Like):
            _check_texts(below)
        if isinstance(node, _LOGICAL):
            return kinds.BOOLEAN
        if isinstance(node, exp.Case):
            branches = [record(branch.args["true"]) for branch in node.args["ifs"]]
            other = node.args.get("default")
            return _together([*branches, record(other) if other else kinds.UNKNOWN], "All CASE results")
        if isinstance(node, exp.In | exp.Between):
            _check_compared(node)
            return kinds.BOOLEAN
        if isinstance(node, exp.Array):
            return kinds.array(_together(below, "All ARRAY elements"))
        if isinstance(node, exp.Tuple):
            return kinds.row((None, kind) for kind in below)
        if isinstance(node, exp.Dot):
            return field_of(record(node.this), node.expression.name)
        if isinstance(node, exp.Bracket):
            return _item(record(node.this), node.expressions[0])
        return _of_leaf(node)

    def _call(self, node: exp.Anonymous, names: Names) -> Kind | None:
        name, arguments = node.name.lower(), node.expressions
        if name in LAMBDAS:
            return lambda_kinds(self, node, names)
        given = [self.expression(argument, names) for argument in _plain_arguments(arguments)]
        if name == "try":
            return given[0]
        if name == "if":
            return _together([*given[1:], *([kinds.UNKNOWN] if len(given) == 2 else [])], "Result types for IF")
        if name == "row":
            return kinds.row((None, kind) for kind in given)
        if name in {"map", "map_from_entries", "map_entries"}:
            return _of_map(name, given)
        if name == "mod" and all(given):
            return kinds.result_of("%", *filter(None, given))
        if name in {"at_timezone", "with_timezone"}:
            return kinds.INSTANT
        if name in {"coalesce", "greatest", "least", "nullif"}:
            _together(given, f"All {name.upper()} operands")
        form = signatures.resolve(name, [] if _counts_rows(name, arguments) else given)
        if form:
            node.meta["form"] = form
        return form.kind(given) if form else None


def _together(given: Sequence[Kind | None], what: str) -> Kind | None:
    """The common type; QueryError where all types are known and have none."""
    met = kinds.common(given)
    if met is None and not any(kinds.is_partly_known(kind) for kind in given):
        shown = ", ".join(dict.fromkeys(str(kind) for kind in given))
        raise QueryError(
            f"TYPE_MISMATCH: line 1:1: {what} must be the same type or coercible to a common type. Cannot find common "
            f"type between {shown}"
        )
    return met


def _check_conditions(node: exp.Expr, below: list[Kind | None]) -> None:
    wrong = [kind for kind in below if kind not in {None, kinds.BOOLEAN, kinds.UNKNOWN}]
    if wrong:
        what = type(node).__name__.upper()
        raise QueryError(f"TYPE_MISMATCH: line 1:1: {what} expression must evaluate to a boolean (actual: {wrong[0]})")


def _check_texts(below: list[Kind | None]) -> None:
    wrong = [kind for kind in below if kind not in {None, kinds.VARCHAR, kinds.UNKNOWN}]
    if wrong:
        raise QueryError(f"TYPE_MISMATCH: line 1:1: Left side and pattern of LIKE must be varchar (actual: {wrong[0]})")


def _check_compared(node: exp.In | exp.Between) -> None:
    if isinstance(node, exp.Between):
        others = [node.args["low"], node.args["high"]]
    else:
        query = node.args.get("query")
        others = [*node.expressions, *([query.this if isinstance(query, exp.Subquery) else query] if query else [])]
    values = [record(node.this), *map(record, others)]
    if len(values) > 1:
        _together(values, "IN or BETWEEN value and items")


def _by_name(found: list[tuple[str, Kind | None]]) -> Columns:
    """The columns; a name that comes twice can be selected, but not referred to."""
    columns: Columns = {}
    for at, (name, kind) in enumerate(found):
        if name in columns:
            columns[f"{name}\0{at}"] = kind
            columns[name] = Kind("ambiguous", (), (columns[name],)) if columns[name] else None
        else:
            columns[name] = kind
    return columns


def _counts_rows(name: str, arguments: list[exp.Expr]) -> bool:
    return name == "count" and len(arguments) == 1 and isinstance(arguments[0], exp.Star)


def _plain_arguments(arguments: list[exp.Expr]) -> list[exp.Expr]:
    """The arguments without the DISTINCT and ORDER BY around them; those that order are typed by the way."""
    found: list[exp.Expr] = []
    for argument in arguments:
        inner = argument.this if isinstance(argument, exp.Order) else argument
        found += inner.expressions if isinstance(inner, exp.Distinct) else [inner]
    return found


def _of_map(name: str, given: list[Kind | None]) -> Kind | None:
    if not given:
        return kinds.mapping(kinds.UNKNOWN, kinds.UNKNOWN)
    parts = [kind.parts if kind else () for kind in given]
    if name == "map" and len(parts) == 2 and all(parts):
        return kinds.mapping(parts[0][0], parts[1][0])
    if name == "map_entries" and len(parts[0]) == 2:
        return kinds.array(kinds.row((None, kind) for kind in parts[0]))
    item = parts[0][0] if name == "map_from_entries" and parts[0] else None
    return kinds.mapping(*item.parts) if item and len(item.parts) == 2 else None


def _literal(node: exp.Literal) -> Kind | None:
    text = node.name
    if node.is_string:
        return kinds.VARCHAR
    if "e" in text.lower():
        return kinds.DOUBLE
    if "." in text:
        whole, _, fraction = text.partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        if digits > kinds.WIDEST:
            raise QueryError(f"INVALID_LITERAL: Value too large for decimal: {text}")
        return kinds.decimal(max(digits, 1), len(fraction))
    if not text.isdigit():
        return None
    if int(text) > _LARGEST + isinstance(node.parent, exp.Neg):
        raise QueryError(f"SYNTAX_ERROR: line 1:1: Invalid numeric literal: {text}")
    return kinds.INTEGER if int(text) <= _SMALLEST else kinds.BIGINT


def _item(kind: Kind | None, index: exp.Expr) -> Kind | None:
    if kind is None or not kind.parts:
        return None
    if kind.name == "row":
        at = int(index.name) - 1 if isinstance(index, exp.Literal) and index.name.isdigit() else -1
        return kind.parts[at] if 0 <= at < len(kind.parts) else None
    return kind.parts[-1]


def _of_leaf(node: exp.Expr) -> Kind | None:
    if isinstance(node, exp.Null):
        return kinds.UNKNOWN
    if isinstance(node, exp.DPipe):
        left, right = record(node.this), record(node.expression)
        return kinds.common((left, right)) if left and left.parts and right and right.parts else left and _joined(left)
    if isinstance(node, exp.Interval):
        months = any(unit in node.args["unit"].sql().upper() for unit in ("YEAR", "MONTH"))
        return Kind(kinds.YEAR_MONTH if months else kinds.DAY_TIME)
    if isinstance(node, exp.HexString):
        return kinds.VARBINARY
    if isinstance(node, exp.AtTimeZone):
        return kinds.INSTANT
    if isinstance(node, exp.ParseJSON):
        return kinds.JSON
    if isinstance(node, exp.Extract):
        return kinds.BIGINT
    if isinstance(node, exp.CurrentDate):
        return kinds.DATE
    if isinstance(node, exp.CurrentTimestamp):
        return kinds.INSTANT
    if isinstance(node, exp.Localtimestamp):
        return kinds.TIMESTAMP
    return kinds.VARCHAR if isinstance(node, exp.Trim) else None


def _joined(left: Kind) -> Kind | None:
    return left if left.name in {"varchar", "varbinary"} else None
