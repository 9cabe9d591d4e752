"""What a query would scan and cost, before it runs: Athena has no dry run.

An upper bound where it can be one: row groups that the engine skips by their statistics are counted, as are columns
that are named in another part of the query. Where partitions are many, a sample stands for them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from iot_pipeline.console.query.guard import Guarded
from iot_pipeline.console.query.guard.scope import Relation, relations
from iot_pipeline.console.query.restrictions import Read, expression, may_hold, names_in, reads, reads_of_view
from iot_pipeline.console.query.sizes import Catalogued, Partition, Sizes, view_text
from iot_pipeline.contract.tables import PARTITION_KEYS
from iot_pipeline.lake.pricing import query_cost

_PARQUET = "parquet"
_MAX_VIEWS = 4


@dataclass(frozen=True)
class TableEstimate:
    """What is read of a table: bytes of how many partitions, and by which condition on them (empty: all)."""

    table: str
    bytes: int
    partitions: int
    restricted_by: str
    sampled: bool


@dataclass(frozen=True)
class Estimate:
    """Bytes and US dollars of a query, table by table; `advice` where partitions are not restricted."""

    bytes: int
    dollars: float
    tables: tuple[TableEstimate, ...]
    advice: str | None


@dataclass(frozen=True)
class Estimator:
    """Estimates queries on the tables of one database."""

    catalogued: Catalogued
    relations: Mapping[str, Relation]

    @classmethod
    def on(cls, catalogued: Catalogued) -> "Estimator":
        """On the relations of the lake."""
        return cls(catalogued, relations())

    def of(self, guarded: Guarded) -> Estimate:
        """The estimate of a guarded query."""
        named = names_in(guarded.tree, self.catalogued.database)
        found: list[TableEstimate] = []
        for read in reads(guarded.tree, self.catalogued.database):
            relation = self.relations[read.table]
            columns = set(relation.columns) if read.star else named & set(relation.columns)
            found += self._tables(read, columns | {relation.tenant or ""}, 0)
        total = sum(each.bytes for each in found)
        return Estimate(total, query_cost(total), tuple(found), _advice(found))

    def _tables(self, read: Read, columns: Collection[str], depth: int) -> list[TableEstimate]:
        """Of a table itself, of a view what it reads, with the conditions that are put to it."""
        table = self.catalogued.table(read.table)
        if table is None:
            return []  # Athena will say so: the view is made with the first compaction
        text = view_text(table)
        if text is None:
            return [self._table(read, columns)]
        if depth == _MAX_VIEWS:
            raise ValueError(f"views are nested over {_MAX_VIEWS} deep at {read.table}")
        below = []
        for inner in reads_of_view(text):
            joined = replace(inner, conditions=read.conditions, of_view=(*inner.of_view, *read.of_view))
            below += self._tables(joined, columns, depth + 1)
        return below

    def _table(self, read: Read, columns: Collection[str]) -> TableEstimate:
        table = self.catalogued.table(read.table) or {}
        storage = table.get("StorageDescriptor", {})
        keys = [key["Name"] for key in table.get("PartitionKeys", [])]
        projected = (table.get("Parameters") or {}).get("projection.enabled") == "true"
        every = (*read.conditions, *read.of_view)
        root = str(storage.get("Location", "")).rstrip("/") + "/"
        if keys and not projected:
            found = self.catalogued.partitions(read.table, expression(every, keys))
            partitions = [each for each in found if may_hold(every, dict(zip(keys, each.values, strict=True)))]
        else:
            partitions = [Partition(root + _equal(read, keys), None)]
        parquet = _PARQUET in str(storage.get("SerdeInfo", {}).get("SerializationLibrary", "")).lower()
        sizes: Sizes = self.catalogued.sizes(partitions, columns if parquet else None)
        shown = expression(read.conditions, keys) if keys else "(not partitioned)"
        return TableEstimate(read.table, sizes.bytes, sizes.partitions, shown, sizes.sampled)


def _equal(read: Read, keys: list[str]) -> str:
    """The path below a projected table that leading equalities leave, such as year=2026/month=11/."""
    path = ""
    for key in keys:
        values = {expression([each], [key]) for each in read.conditions}
        (value, *_) = [each for each in values if each.startswith(f"({key} = '")] or [""]
        if not value:
            return path
        path += f"{key}={value.split(chr(39))[1]}/"
    return path


def _advice(tables: Collection[TableEstimate]) -> str | None:
    free = sorted({each.table for each in tables if not each.restricted_by})
    if not free:
        return None
    example = f"{PARTITION_KEYS[0]} = '2026' AND {PARTITION_KEYS[1]} = '11' AND {PARTITION_KEYS[2]} = '28'"
    return (
        f"All partitions of {', '.join(free)} are read: add year/month/day/hour with literals to WHERE, such as "
        f"{example}. Conditions on event_time or received_at alone restrict no partition"
    )
