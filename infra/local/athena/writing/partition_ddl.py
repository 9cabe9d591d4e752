"""ALTER TABLE ... PARTITION, SET LOCATION and MSCK REPAIR TABLE (AWS Athena user guide, pages of those names)."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.athena.reading.glue_tables import Partition, Table, partition_name
from infra.local.athena.writing.ddl_result import FLAGS, DdlResult, Handlers, Scope
from infra.local.athena.writing.hive_text import NAME, TEXT, split_list, text_value
from infra.local.athena.writing.unload import closing


def repair(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Register the partitions whose folders (`key=value/...`) are below the table's location and Glue does not have."""
    table = scope.table(match["name"])
    pattern = re.compile("/".join(rf"{re.escape(name)}=([^/]+)" for name, _ in table.keys) + "/", re.IGNORECASE)
    found = {}
    for item in scope.store.listing(table.location) if table.keys else []:
        hit = pattern.match(item.uri[len(table.location) :])
        if hit and item.visible:
            found[tuple(unquote(value) for value in hit.groups())] = table.location + hit[0]
    new = scope.catalog.add_partitions(table, [Partition(values, at) for values, at in sorted(found.items())])
    shown = [f"{table.name}:{partition_name(table, p.values)}" for p in new]
    rows = [[f"Partitions not in metastore:\t{' '.join(shown)}"]] if new else []
    rows += [[f"Repair: Added partition to metastore {s}"] for s in shown]
    return DdlResult(["result"], rows)


def alter_partitions(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Register or remove partitions; what is there already, or is not, is an error unless IF [NOT] EXISTS is said."""
    table = scope.table(match["name"])
    partitions = list(_partitions(table, match["specs"]))
    if match["verb"].lower() == "add":
        new = scope.catalog.add_partitions(table, partitions)
        if len(new) < len(partitions) and not match["guard"]:
            taken = next(p for p in partitions if p not in new)
            raise QueryError(
                "FAILED: Execution Error, return code 1. AlreadyExistsException(message:Partition already exists: "
                f"{partition_name(table, taken.values)})"
            )
        return DdlResult()
    for partition in partitions:
        if not scope.catalog.drop_partition(table, partition.values) and not match["guard"]:
            named = partition_name(table, partition.values)
            raise QueryError(f"FAILED: SemanticException [Error 10006]: Partition not found {named}")
    return DdlResult()


def set_table_location(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Point the table at another place."""
    table, location = scope.table(match["name"]), text_value(match["location"])
    storage = {**table.storage, "Location": location.rstrip("/")}
    scope.catalog.update_table(table, StorageDescriptor=storage)
    return DdlResult()


def set_partition_location(scope: Scope, match: re.Match[str]) -> DdlResult:
    """Point one partition at another place; UnsupportedError for what else Athena does to a partition."""
    table, spec = scope.table(match["name"]), match["spec"]
    close = closing(spec, spec.index("("), escapes=True)
    moved = _SET_LOCATION.fullmatch(spec, close + 1)
    if not moved:
        raise UnsupportedError(f"ALTER TABLE PARTITION {spec[close + 1 :].strip()[:40]}; SET LOCATION is there")
    scope.catalog.move_partition(table, next(_partitions(table, f"{spec[: close + 1]} LOCATION {moved[1]}")))
    return DdlResult()


_SET_LOCATION = re.compile(rf"\s*set\s+location\s+({TEXT})\s*", FLAGS)
_PARTITION = re.compile(r"[\s,]*partition\s*\(", re.IGNORECASE)
_LOCATION = re.compile(rf"\s*location\s+({TEXT})", re.IGNORECASE | re.DOTALL)


def _partitions(table: Table, text: str) -> Iterator[Partition]:
    """Partitions named by PARTITION (k = 'v', ...) [LOCATION '...'] ..."""
    position = 0
    while match := _PARTITION.match(text, position):
        close = closing(text, match.end() - 1, escapes=True)
        given = {}
        for pair in split_list(text[match.end() : close]):
            key, _, value = pair.strip().partition("=")
            value = value.strip()
            given[key.strip().strip('`"').lower()] = text_value(value) if value[:1] in {"'", '"'} else value
        if set(given) != {k for k, _ in table.keys}:
            raise QueryError(f"FAILED: SemanticException: partition spec {given} does not name the partition keys")
        values = tuple(given[name] for name, _ in table.keys)
        place = _LOCATION.match(text, close + 1)
        where = text_value(place[1]).rstrip("/") + "/" if place else table.default_location(values)
        yield Partition(values, where)
        position = place.end() if place else close + 1
    if text[position:].strip():
        raise QueryError(f"FAILED: ParseException: cannot recognize input near '{text[position:].strip()[:40]}'")


HANDLERS: Handlers = [
    (re.compile(rf"msck\s+repair\s+table\s+{NAME}\s*$", FLAGS), repair),
    (
        re.compile(
            rf"alter\s+table\s+{NAME}\s+(?P<verb>add|drop)\s+(?P<guard>if\s+(?:not\s+)?exists\s+)?"
            r"(?P<specs>partition\b.*)$",
            FLAGS,
        ),
        alter_partitions,
    ),
    (
        re.compile(rf"alter\s+table\s+{NAME}\s+set\s+location\s+(?P<location>{TEXT})\s*$", FLAGS),
        set_table_location,
    ),
    (
        re.compile(rf"alter\s+table\s+{NAME}\s+(?P<spec>partition\s*\(.*)$", FLAGS),
        set_partition_location,
    ),
]
