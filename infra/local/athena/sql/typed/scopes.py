"""Names and their types: what the FROM of each query offers, from inside out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.typed.kinds import Kind, record, unambiguous

Columns = dict[str, Kind | None]


@dataclass
class Names:
    """The relations of one query, and those of the queries around it; a relation whose columns are unknown is None.

    `using` are the columns that JOIN ... USING took out of their relations.
    """

    relations: dict[str, Columns | None] = field(default_factory=dict)
    variables: Columns = field(default_factory=dict)
    ctes: dict[str, Columns | None] = field(default_factory=dict)
    outer: "Names | None" = None
    using: set[str] = field(default_factory=set)

    def inside(self) -> "Names":
        """The names of a query within this one."""
        return Names(ctes=dict(self.ctes), outer=self)

    def binding(self, variables: Mapping[str, Kind | None]) -> "Names":
        """These names and a lambda's parameters."""
        return Names(self.relations, {**self.variables, **variables}, self.ctes, self.outer, self.using)

    def find(self, column: exp.Column) -> Kind | None:
        """The type of a column, of a field of a column, or of a lambda's parameter."""
        parts = [part.name.lower() for part in column.parts]
        found = self._found(parts)
        if found and found.name == "ambiguous":
            raise QueryError(f"AMBIGUOUS_NAME: line 1:1: Column '{'.'.join(parts)}' is ambiguous")
        return found

    def variable(self, name: str) -> Kind | None:
        """The type of a lambda's parameter."""
        return self.variables.get(name.lower())

    def _found(self, parts: list[str]) -> Kind | None:
        if parts[0] in self.variables:
            return _field(self.variables[parts[0]], parts[1:])
        if len(parts) > 1 and parts[0] in self.relations:
            if parts[1] in self.using:
                raise QueryError(f"COLUMN_NOT_FOUND: Column '{'.'.join(parts)}' cannot be resolved")
            columns = self.relations[parts[0]]
            return _field(columns.get(parts[1]), parts[2:]) if columns else None
        holding = [columns for columns in self.relations.values() if columns is None or parts[0] in columns]
        if len(holding) == 1 and holding[0]:
            return _field(holding[0][parts[0]], parts[1:])
        if holding:
            return None
        return self.outer._found(parts) if self.outer else None

    def star(self, table: str) -> Iterator[tuple[str, Kind | None] | None]:
        """The columns of `*` or of `table.*`, hidden ones left out; a None for a relation whose columns are unknown."""
        for name, columns in self.relations.items():
            if table in ("", name):
                if columns is None:
                    yield None
                else:
                    yield from (item for item in columns.items() if not item[0].startswith("$"))


def _field(kind: Kind | None, names: list[str]) -> Kind | None:
    for name in names:
        if kind is None or name not in kind.fields:
            return None
        kind = kind.parts[kind.fields.index(name)]
    return kind


def field_of(kind: Kind | None, name: str) -> Kind | None:
    """The type of a ROW's field."""
    return _field(kind, [name.lower()])


def renamed(columns: Columns | None, alias: exp.Expr | None) -> Columns | None:
    """The columns under the names of `AS t (a, b)`."""
    names = [c.name.lower() for c in alias.args.get("columns") or []] if alias else []
    if not names:
        return columns
    if columns is None or len(columns) != len(names):
        return dict.fromkeys(names)
    return dict(zip(names, map(unambiguous, columns.values()), strict=True))


def unnested(node: exp.Unnest) -> Columns | None:
    """The columns that UNNEST gives: an array's items, a ROW's fields, a map's keys and values; the position last."""
    found: list[tuple[str, Kind | None]] = []
    for item in node.expressions:
        kind = record(item)
        if kind is None or kind.name not in {"array", "map"}:
            return renamed(None, node.args.get("alias"))
        part = kind.parts[0]
        rows = kind.name == "array" and part is not None and part.name == "row"
        parts = part.parts if rows and part else kind.parts
        found += [(f"__{len(found) + at}", one) for at, one in enumerate(parts)]
    offset = node.args.get("offset")
    if offset:
        name = offset.name.lower() if isinstance(offset, exp.Expr) else "ordinality"
        found.append((name, Kind("bigint")))
    columns: Columns = dict(found)
    alias = node.args.get("alias")
    names = [c.name.lower() for c in alias.args.get("columns") or []] if alias else []
    if isinstance(offset, exp.Expr) and len(names) == len(found) - 1:
        names = [*names, offset.name.lower()]
    return dict(zip(names, columns.values(), strict=True)) if len(names) == len(found) else dict.fromkeys(names)
