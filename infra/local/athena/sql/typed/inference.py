"""Writes at each expression of a statement its Trino type, where it can be told (`meta["kind"]`).

An expression without a type is rendered as before types were known: by macros that look at DuckDB's type.
"""

from collections.abc import Mapping, Sequence

from sqlglot import exp

from infra.local.athena.errors import UnsupportedError
from infra.local.athena.sql.typed import kinds, signatures
from infra.local.athena.sql.typed.kinds import Kind, record
from infra.local.athena.sql.typed.lambdas import LAMBDAS, lambda_kinds
from infra.local.athena.sql.typed.nodes import in_zone, kind_of_literal, kind_of_map, kind_of_node, together
from infra.local.athena.sql.typed.scopes import Columns, Names, renamed, unnested
from infra.local.athena.sql.typed.using_joins import open_stars


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
        if with_ is not None:
            for cte in with_.expressions:
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
        name, alias = cte.alias.lower(), cte.args.get("alias")
        if not recursive:
            names.ctes[name] = renamed(self.query(cte.this, names), alias)
            return
        names.ctes[name] = None
        self.query(cte.this, names)
        names.ctes[name] = renamed(None, alias)

    def _set_operation(self, node: exp.SetOperation, names: Names) -> Columns | None:
        left, right = self.query(node.this, names), self.query(node.expression, names)
        self._rest(node, names)
        if left is None or right is None or len(left) != len(right):
            return None
        pairs = zip(left, left.values(), right.values(), strict=True)
        what = f"column in {type(node).__name__.upper()} query"
        return {name: together((a, b), what) for name, a, b in pairs}

    def _values(self, node: exp.Values, names: Names) -> Columns | None:
        rows = [self._row_kinds(item, names) for item in node.expressions]
        self._rest(node, names)
        if len({len(row) for row in rows}) != 1:
            return None
        columns = [together(column, "Values rows") for column in zip(*rows, strict=True)]
        for item in node.expressions:
            _widen(item, columns)
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
        names.using |= {c.name.lower() for join in node.args.get("joins") or [] for c in join.args.get("using") or []}
        if any(join.args.get("using") for join in node.args.get("joins") or []):
            open_stars(node, names)
        found: list[tuple[str, Kind | None] | None] = []
        for at, item in enumerate(node.expressions):
            found += self._items(item, at, names)
        self._rest(node, names, ("from_", "joins", "expressions"))
        return None if None in found else _by_name(list(filter(None, found)))

    def _items(self, item: exp.Expr, at: int, names: Names) -> list[tuple[str, Kind | None] | None]:
        star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
        if isinstance(star, exp.Star):
            return list(names.star(item.text("table").lower()))
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
            return kind_of_literal(node)
        if isinstance(node, exp.Anonymous):
            return self._call(node, names)
        if isinstance(node, exp.Lambda | exp.Identifier):
            return names.variable(node.name) if isinstance(node, exp.Identifier) else None
        below = [self.expression(child, names) for child in node.iter_expressions()]
        kind = kind_of_node(node, below)
        if isinstance(node, exp.Array) and kind:
            widen(list(node.expressions), [kind.part] * len(node.expressions))
        if isinstance(node, exp.Case):
            widen(_branches(node), [kind] * len(_branches(node)))
        return kind

    def _call(self, node: exp.Anonymous, names: Names) -> Kind | None:
        name, arguments = node.name.lower(), node.expressions
        if name in LAMBDAS:
            return lambda_kinds(self, node, names)
        given = [self.expression(argument, names) for argument in _plain_arguments(arguments)]
        if name == "try":
            return given[0]
        if name == "if":
            kind = together([*given[1:], *([kinds.UNKNOWN] if len(given) == 2 else [])], "Result types for IF")
            widen(arguments[1:], [kind] * len(arguments[1:]))
            return kind
        if name == "row":
            return kinds.row((None, kind) for kind in given)
        if name in {"map", "map_from_entries", "map_entries"}:
            return kind_of_map(name, given)
        if name == "mod" and all(given):
            return kinds.result_of("%", *filter(None, given))
        if name in {"at_timezone", "with_timezone"}:
            return in_zone(given[0] if given else None)
        if name in {"coalesce", "greatest", "least", "nullif"}:
            together(given, f"All {name.upper()} operands")
            if name != "nullif":
                widen(arguments, [kinds.common(given)] * len(arguments))
        form = signatures.resolve(name, [] if _counts_rows(name, arguments) else given)
        if form:
            node.meta["form"] = form
        return form.kind(given) if form else None


def _widen(item: exp.Expr, columns: list[Kind | None]) -> None:
    """Cast the numbers of a row of VALUES to the DECIMALs of their columns."""
    values = list(item.expressions) if isinstance(item, exp.Tuple) else [item]
    widen(values, columns)


def widen(values: list[exp.Expr], columns: list[Kind | None]) -> None:
    """Cast numbers to the DECIMALs that they meet in, for which DuckDB has rules of its own."""
    for value, column in zip(values, columns, strict=True):
        kind = record(value)
        if column and column.name == "decimal" and kind and kind != column and kind.name in kinds.NUMBERS:
            precision, scale = column.numbers
            cast = exp.Cast(this=value.copy(), to=exp.DataType.build(f"decimal({precision}, {scale})", dialect="trino"))
            cast.meta["kind"] = column
            value.replace(cast)


def _branches(node: exp.Case) -> list[exp.Expr]:
    other = node.args.get("default")
    return [branch.args["true"] for branch in node.args["ifs"]] + ([other] if other else [])


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
    """The arguments without the DISTINCT and ORDER BY around them."""
    found: list[exp.Expr] = []
    for argument in arguments:
        inner = argument.this if isinstance(argument, exp.Order) else argument
        found += inner.expressions if isinstance(inner, exp.Distinct) else [inner]
    return found
