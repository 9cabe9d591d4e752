"""DDL in Hive's grammar (AWS Athena user guide, "DDL statements"): read by shape, done in Glue, data never touched."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.local.athena.errors import QueryError
from infra.local.athena.queries.executions import Execution
from infra.local.athena.reading.glue_tables import Catalog, Partition, Table
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.reading.scan import column_list
from infra.local.athena.sql.types import split_top
from infra.local.athena.writing.create_table import parse_create_table, show_create
from infra.local.athena.writing.unload import closing
from infra.local.servers.wildcards import wildcard_pattern

_NAME = r"(?:[`\"]?(?P<db>\w+)[`\"]?\.)?[`\"]?(?P<table>\w+)[`\"]?"
_FLAGS = re.IGNORECASE | re.DOTALL


@dataclass
class DdlResult:
    """What a DDL statement shows."""

    names: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    substatement_type: str = ""
    statement_type: str = "DDL"


Handler = Callable[["Ddl", re.Match[str], str], DdlResult]


class Ddl:
    """Runs DDL statements against Glue."""

    def __init__(self, catalog: Catalog, store: ObjectStore) -> None:
        self._catalog, self._store = catalog, store

    def run(self, sql: str, execution: Execution) -> DdlResult | None:
        """Do the statement, or None when it is none of these."""
        text = re.sub(r"^(\s*--[^\n]*\n)+", "", sql).strip()
        for pattern, handler in _HANDLERS:
            match = pattern.match(text)
            if match:
                result = handler(self, match, execution.database)
                result.substatement_type = result.substatement_type or _kind(text)
                return result
        return None

    def _table(self, match: re.Match[str], database: str) -> Table:
        return self._catalog.get((match["db"] or database).lower(), match["table"].lower())

    def create_database(self, match: re.Match[str], _: str) -> DdlResult:
        described = {"Name": match["name"].lower()}
        if match["comment"]:
            described["Description"] = match["comment"]
        if match["location"]:
            described["LocationUri"] = match["location"]
        try:
            self._catalog.glue.create_database(DatabaseInput=described)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException" or not match["guard"]:
                raise _semantic(error) from error
        return DdlResult()

    def drop_database(self, match: re.Match[str], _: str) -> DdlResult:
        name = match["name"].lower()
        try:
            self._catalog.glue.get_database(Name=name)
        except ClientError as error:
            if match["guard"]:
                return DdlResult()
            raise QueryError(f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}") from error
        if next(self._catalog.tables(name), None) and not match["cascade"]:
            raise QueryError(
                f"FAILED: Execution Error, return code 1. InvalidOperationException(message:Database {name} is not "
                "empty. One or more tables exist.)"
            )
        self._catalog.glue.delete_database(Name=name)
        return DdlResult()

    def drop_table(self, match: re.Match[str], database: str) -> DdlResult:
        found = self._catalog.find((match["db"] or database).lower(), match["table"].lower())
        view = match["kind"].lower() == "view"
        if found is None:
            if match["guard"]:
                return DdlResult()
            raise QueryError(f"FAILED: SemanticException [Error 10001]: Table not found {match['table']}")
        if found.is_view != view:
            raise QueryError(f"FAILED: SemanticException: {match['table']} is a {'table' if view else 'view'}")
        self._catalog.glue.delete_table(DatabaseName=found.database, Name=found.name)
        return DdlResult()

    def create_table(self, match: re.Match[str], database: str) -> DdlResult:
        name = match["table"].lower()
        owner = (match["db"] or database).lower()
        if self._catalog.find(owner, name):
            if match["guard"]:
                return DdlResult()
            raise QueryError(
                f"FAILED: Execution Error, return code 1. AlreadyExistsException(message:Table {name} already exists.)"
            )
        self._catalog.create_table(owner, parse_create_table(name, match.string[match.end() - 1 :]))
        return DdlResult()

    def repair(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        pattern = re.compile("/".join(rf"{name}=([^/]+)" for name, _ in table.keys) + "/")
        found = {}
        for item in self._store.listing(table.location):
            hit = pattern.match(item.uri[len(table.location) :])
            if hit and item.visible:
                found[hit.groups()] = table.location + hit[0]
        new = self._catalog.add_partitions(table, [Partition(tuple(v), at) for v, at in sorted(found.items())])
        shown = [f"{table.name}:{_spec(table, p.values)}" for p in new]
        rows = [[f"Partitions not in metastore:\t{' '.join(shown)}"]] if new else []
        rows += [[f"Repair: Added partition to metastore {s}"] for s in shown]
        return DdlResult(["result"], rows)

    def alter_partitions(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        partitions = list(_partitions(table, match["specs"]))
        if match["verb"].lower() == "add":
            new = self._catalog.add_partitions(table, partitions)
            if len(new) < len(partitions) and not match["guard"]:
                taken = next(p for p in partitions if p not in new)
                raise QueryError(
                    "FAILED: Execution Error, return code 1. AlreadyExistsException(message:Partition already exists: "
                    f"{_spec(table, taken.values)})"
                )
            return DdlResult()
        for partition in partitions:
            if not self._catalog.drop_partition(table, partition.values) and not match["guard"]:
                raise QueryError(
                    f"FAILED: SemanticException [Error 10006]: Partition not found {_spec(table, partition.values)}"
                )
        return DdlResult()

    def set_location(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        if not match["spec"]:
            self._catalog.update_table(
                table, StorageDescriptor={**table.storage, "Location": match["location"].rstrip("/")}
            )
            return DdlResult()
        partition = next(_partitions(table, f"{match['spec']} LOCATION '{match['location']}'"))
        self._catalog.move_partition(table, partition)
        return DdlResult()

    def set_properties(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        pairs = dict(re.findall(r"'([^']*)'\s*=\s*'([^']*)'", match["body"]))
        self._catalog.update_table(table, Parameters={**(table.glue.get("Parameters") or {}), **pairs})
        return DdlResult()

    def add_columns(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        new = column_list(match["body"])
        taken = {n for n, _ in table.columns + table.keys} & {c["Name"] for c in new}
        if taken:
            raise QueryError(f"FAILED: Execution Error, return code 1. Duplicate column name: {min(taken)}")
        storage = {**table.storage, "Columns": table.storage.get("Columns", []) + new}
        self._catalog.update_table(table, StorageDescriptor=storage)
        return DdlResult()

    def show_partitions(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        if not table.keys:
            raise QueryError(f"FAILED: SemanticException [Error 10241]: Table {table.name} is not a partitioned table")
        listed = sorted(_spec(table, p.values) for p in self._catalog.partitions(table))
        return DdlResult(["partition"], [[p] for p in listed])

    def show_tables(self, match: re.Match[str], database: str) -> DdlResult:
        names = [
            t.name
            for t in self._catalog.tables((match["db"] or database).lower())
            if t.is_view or match["kind"].lower() == "tables"
        ]
        return DdlResult(["tab_name"], [[name] for name in _shown(names, match["pattern"])])

    def show_databases(self, match: re.Match[str], _: str) -> DdlResult:
        pages = self._catalog.glue.get_paginator("get_databases").paginate()
        names = sorted(d["Name"] for page in pages for d in page["DatabaseList"])
        return DdlResult(["database_name"], [[name] for name in _shown(names, match["pattern"])])

    def show_create(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        return DdlResult(["createtab_stmt"], [[line] for line in show_create(table).split("\n")])

    def describe(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        rows = [[f"{name:<20}\t{kind:<20}\t{'':<20}"] for name, kind in table.columns + table.keys]
        if table.keys:
            rows += [
                [""],
                ["# Partition Information"],
                [f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}"],
                [""],
            ]
            rows += [[f"{name:<20}\t{kind:<20}\t{'':<20}"] for name, kind in table.keys]
        return DdlResult(["col_name", "data_type", "comment"], rows)

    def show_columns(self, match: re.Match[str], database: str) -> DdlResult:
        table = self._table(match, database)
        return DdlResult(["field"], [[f"{name:<20}"] for name, _ in table.columns + table.keys])


def _shown(names: list[str], pattern: str | None) -> list[str]:
    """The names that fit a pattern of Hive's SHOW: `*` any text, `.` any character, `|` between choices."""
    choices = [wildcard_pattern(choice, run="*", one=".") for choice in (pattern or "*").split("|")]
    return [name for name in names if any(choice.fullmatch(name) for choice in choices)]


def _spec(table: Table, values: tuple[str, ...]) -> str:
    return "/".join(f"{name}={value}" for (name, _), value in zip(table.keys, values, strict=True))


def _partitions(table: Table, text: str) -> Any:
    """Partitions named by PARTITION (k = 'v', ...) [LOCATION '...'] ..."""
    position, pattern = 0, re.compile(r"[\s,]*partition\s*\(", re.IGNORECASE)
    while match := pattern.match(text, position):
        close = closing(text, match.end() - 1)
        given = {}
        for pair in split_top(text[match.end() : close]):
            key, _, value = pair.partition("=")
            given[key.strip().strip("`").lower()] = value.strip().strip("'\"")
        if set(given) != {k for k, _ in table.keys}:
            raise QueryError(f"FAILED: SemanticException: partition spec {given} does not name the partition keys")
        values = tuple(given[name] for name, _ in table.keys)
        place = re.compile(r"\s*location\s+'([^']*)'", re.IGNORECASE).match(text, close + 1)
        yield Partition(values, place[1].rstrip("/") + "/" if place else table.default_location(values))
        position = place.end() if place else close + 1
    if text[position:].strip():
        raise QueryError(f"FAILED: ParseException: cannot recognize input near '{text[position:].strip()[:40]}'")


def _kind(text: str) -> str:
    words = [w.upper() for w in re.findall(r"\w+", text)[:3]]
    if words[0] in {"DESCRIBE", "DESC"}:
        return "DESCRIBE_TABLE"
    if words[0] == "ALTER":
        verb = re.search(
            r"\b(ADD|DROP)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?PARTITION|\b(ADD)\s+COLUMNS|\bSET\s+(\w+)",
            text,
            re.IGNORECASE,
        )
        return (
            "ALTER_TABLE"
            if not verb
            else "ALTER_TABLE_" + "_".join(verb[0].upper().split()[:1] + verb[0].upper().split()[-1:])
        )
    return "_".join(w for w in words[:2] if w != "EXTERNAL") + ("_TABLE" if words[1] == "EXTERNAL" else "")


def _semantic(error: ClientError) -> QueryError:
    return QueryError(f"FAILED: Execution Error, return code 1. {error.response['Error']['Message']}")


_HANDLERS: list[tuple[re.Pattern[str], Handler]] = [
    (
        re.compile(
            r"create\s+(?:database|schema)\s+(?P<guard>if\s+not\s+exists\s+)?`?(?P<name>\w+)`?"
            r"(?:\s+comment\s+'(?P<comment>[^']*)')?(?:\s+location\s+'(?P<location>[^']*)')?\s*$",
            _FLAGS,
        ),
        Ddl.create_database,
    ),
    (
        re.compile(
            r"drop\s+(?:database|schema)\s+(?P<guard>if\s+exists\s+)?`?(?P<name>\w+)`?(?:\s+(?P<cascade>cascade)|\s+restrict)?\s*$",
            _FLAGS,
        ),
        Ddl.drop_database,
    ),
    (re.compile(rf"drop\s+(?P<kind>table|view)\s+(?P<guard>if\s+exists\s+)?{_NAME}\s*$", _FLAGS), Ddl.drop_table),
    (
        re.compile(rf"create\s+external\s+table\s+(?P<guard>if\s+not\s+exists\s+)?{_NAME}\s*\(", _FLAGS),
        Ddl.create_table,
    ),
    (re.compile(rf"msck\s+repair\s+table\s+{_NAME}\s*$", _FLAGS), Ddl.repair),
    (
        re.compile(
            rf"alter\s+table\s+{_NAME}\s+(?P<verb>add|drop)\s+(?P<guard>if\s+(?:not\s+)?exists\s+)?(?P<specs>partition\b.*)$",
            _FLAGS,
        ),
        Ddl.alter_partitions,
    ),
    (
        re.compile(
            rf"alter\s+table\s+{_NAME}\s+(?P<spec>partition\s*\(.*?\)\s*)?set\s+location\s+'(?P<location>[^']*)'\s*$",
            _FLAGS,
        ),
        Ddl.set_location,
    ),
    (re.compile(rf"alter\s+table\s+{_NAME}\s+set\s+tblproperties\s*\((?P<body>.*)\)\s*$", _FLAGS), Ddl.set_properties),
    (re.compile(rf"alter\s+table\s+{_NAME}\s+add\s+columns\s*\((?P<body>.*)\)\s*$", _FLAGS), Ddl.add_columns),
    (re.compile(rf"show\s+partitions\s+{_NAME}\s*$", _FLAGS), Ddl.show_partitions),
    (
        re.compile(
            r"show\s+(?P<kind>tables|views)(?:\s+in\s+`?(?P<db>\w+)`?)?(?:\s+'(?P<pattern>[^']*)')?\s*$", _FLAGS
        ),
        Ddl.show_tables,
    ),
    (re.compile(r"show\s+(?:databases|schemas)(?:\s+like\s+'(?P<pattern>[^']*)')?\s*$", _FLAGS), Ddl.show_databases),
    (re.compile(rf"show\s+create\s+table\s+{_NAME}\s*$", _FLAGS), Ddl.show_create),
    (re.compile(rf"show\s+columns\s+(?:in|from)\s+{_NAME}\s*$", _FLAGS), Ddl.show_columns),
    (re.compile(rf"(?:describe|desc)\s+(?:extended\s+|formatted\s+)?{_NAME}\s*$", _FLAGS), Ddl.describe),
]
