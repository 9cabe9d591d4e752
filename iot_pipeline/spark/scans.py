"""Which objects a statement reads of the lake's tables: its partitions, found as Athena finds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from sqlglot import exp

from iot_pipeline.contract import PARTITION_KEYS, Contract, Table, tables
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.objects import Objects, StoredObject
from iot_pipeline.spark.rendering import UnsupportedStatementError

PATH = "$path"


@dataclass(frozen=True)
class Scan:
    """Objects to read of a table, each with its hour, in order; and those of its columns that are asked for."""

    table: Table
    objects: tuple[tuple[StoredObject, Hour], ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Scans:
    """Finds what statements read in one lake."""

    bucket: str
    catalog: Catalog
    objects: Objects
    contract: Contract

    def of(self, table: Table, select: exp.Select) -> Scan:
        """What a SELECT reads of a table: whole partitions, which its WHERE must name. Raises as `hours_named`."""
        hours = hours_named(select)
        if table.projected:
            places = {hour: f"s3://{self.bucket}/{table.prefix}{hour.path}" for hour in hours}
        else:
            found = self.catalog.partitions(table.name, hours)
            places = {hour: it.location for hour, it in found.items()}
        return self._scan(table, places, select)

    def of_build(self, table: Table, location: str, select: exp.Select) -> Scan:
        """What a SELECT reads of a build that is not published: all that lies at its location."""
        found = [(it, _hour_of(it, location)) for it in self.objects.at(location)]
        return Scan(table, tuple(found), _columns(table, select))

    def _scan(self, table: Table, places: Mapping[Hour, str], select: exp.Select) -> Scan:
        found = [(it, hour) for hour, place in sorted(places.items()) for it in self.objects.at(place)]
        return Scan(table, tuple(found), _columns(table, select))

    def table(self, name: str) -> Table:
        """A table of the lake by its name. Raises UnsupportedStatementError for another."""
        for table in tables(self.contract).all:
            if table.name == name:
                return table
        raise UnsupportedStatementError(f"{name!r} is no table of the lake that Spark reads")


def hours_named(select: exp.Select) -> list[Hour]:
    """The hours that a WHERE names as `partition_predicate` writes them, in order.

    Raises UnsupportedStatementError for one that does not: the whole table would be read.
    """
    where = select.args.get("where")
    conditions = _conjuncts(where.this) if where else ()
    for condition in conditions:
        if hours := _hours(condition):
            return hours
    raise UnsupportedStatementError(f"no partitions are named in {select.sql(dialect='athena')[:200]}")


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    """What is joined by AND outside of parentheses: the hours stand in some."""
    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _hours(condition: exp.Expr) -> list[Hour]:
    """The hours of a disjunction of conditions on all four keys; none if it is another."""
    found: set[Hour] = set()
    for one in _flat(condition, exp.Or):
        keys = dict(_key(it) for it in _flat(one, exp.And))
        if set(keys) != set(PARTITION_KEYS):
            return []
        found |= {Hour.from_values(values) for values in product(*(keys[key] for key in PARTITION_KEYS))}
    return sorted(found)


def _key(condition: exp.Expr) -> tuple[str, list[str]]:
    """A key and the values that it may have; an empty name for a condition of another form."""
    if isinstance(condition, exp.EQ) and isinstance(condition.expression, exp.Literal):
        return condition.this.name, [condition.expression.name]
    if isinstance(condition, exp.In) and condition.expressions:
        return condition.this.name, [it.name for it in condition.expressions]
    return "", []


def _flat(condition: exp.Expr, joined_by: type[exp.Connector]) -> Iterator[exp.Expr]:
    """What a condition joins, without parentheses around it."""
    bare = condition.unnest()
    if isinstance(bare, joined_by):
        yield from _flat(bare.left, joined_by)
        yield from _flat(bare.right, joined_by)
    else:
        yield bare


def _columns(table: Table, select: exp.Select) -> tuple[str, ...]:
    """Those of a table's columns that a SELECT names anywhere, in the table's order; all for a star."""
    names = {it.name for it in select.find_all(exp.Column)}
    everything = any(isinstance(it, exp.Star) for it in select.expressions)
    return tuple(it.name for it in table.columns if everything or it.name in names)


def _hour_of(item: StoredObject, location: str) -> Hour:
    folders = item.uri.removeprefix(location).split("/")[:-1]
    return Hour.from_values([folder.partition("=")[2] for folder in folders])
