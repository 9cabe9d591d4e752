"""The Glue Data Catalog as the engine sees it: tables, views, registered partitions."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from infra.local.athena.caller_identity import claims
from infra.local.athena.config import Config
from infra.local.athena.errors import QueryError, UnsupportedError
from infra.local.servers.acting import claim

PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
OPENX_SERDE = "org.openx.data.jsonserde.JsonSerDe"
LAZY_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_QL = "org.apache.hadoop.hive.ql.io"
_TEXT_INPUT, _TEXT_OUTPUT = "org.apache.hadoop.mapred.TextInputFormat", f"{_QL}.HiveIgnoreKeyTextOutputFormat"
STORED_AS = {
    "textfile": (LAZY_SERDE, _TEXT_INPUT, _TEXT_OUTPUT),
    "parquet": (PARQUET_SERDE, f"{_QL}.parquet.MapredParquetInputFormat", f"{_QL}.parquet.MapredParquetOutputFormat"),
    "orc": (f"{_QL}.orc.OrcSerde", f"{_QL}.orc.OrcInputFormat", f"{_QL}.orc.OrcOutputFormat"),
    "avro": (
        "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
        f"{_QL}.avro.AvroContainerInputFormat",
        f"{_QL}.avro.AvroContainerOutputFormat",
    ),
}
"""STORED AS -> (SerDe, input format, output format); those of ORC and Avro are described, not read."""
_ESCAPED = "\"#%'*/:=?\\{[]^\x7f"
"""Of Hive's FileUtils.escapePathName, which Trino has too."""
_T = TypeVar("_T")
BATCH = 100
"""Partitions in one BatchCreatePartition (Glue API reference)."""

_INPUT_KEYS = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
)


@dataclass(frozen=True)
class Partition:
    """One partition: its values as text, in key order, and where it lies (with a closing slash)."""

    values: tuple[str, ...]
    location: str


@dataclass(frozen=True)
class Table:
    """A table or view as Glue describes it."""

    glue: dict[str, Any]

    @property
    def database(self) -> str:
        return str(self.glue["DatabaseName"])

    @property
    def name(self) -> str:
        return str(self.glue["Name"])

    @cached_property
    def storage(self) -> dict[str, Any]:
        """Glue's StorageDescriptor."""
        return dict(self.glue.get("StorageDescriptor") or {})

    @cached_property
    def columns(self) -> list[tuple[str, str]]:
        """(name, Hive type), partition keys left out."""
        return [(c["Name"].lower(), c.get("Type", "string")) for c in self.storage.get("Columns", [])]

    @cached_property
    def keys(self) -> list[tuple[str, str]]:
        """(name, Hive type) of the partition keys."""
        return [(c["Name"].lower(), c.get("Type", "string")) for c in self.glue.get("PartitionKeys") or []]

    @property
    def location(self) -> str:
        return str(self.storage.get("Location") or "").rstrip("/") + "/"

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Table properties, names in lower case."""
        return {k.lower(): v for k, v in (self.glue.get("Parameters") or {}).items()}

    @cached_property
    def serde(self) -> str:
        return str((self.storage.get("SerdeInfo") or {}).get("SerializationLibrary") or "")

    @cached_property
    def serde_parameters(self) -> dict[str, str]:
        return dict((self.storage.get("SerdeInfo") or {}).get("Parameters") or {})

    @property
    def projected(self) -> bool:
        """Whether partitions are computed (partition projection) and Glue's are ignored."""
        return self.parameters.get("projection.enabled", "").lower() == "true"

    @property
    def is_view(self) -> bool:
        return self.glue.get("TableType") == "VIRTUAL_VIEW"

    @property
    def format(self) -> str:
        """parquet, json, csv or text; UnsupportedError for any other SerDe."""
        serde = self.serde.lower()
        for mark, name in (("parquet", "parquet"), ("json", "json"), ("opencsv", "csv"), ("lazysimple", "text")):
            if mark in serde:
                return name
        raise UnsupportedError(f"SerDe {self.serde or '(none)'} of table {self.database}.{self.name}")

    def view_sql(self) -> str:
        """The view's query (Athena keeps it as base64 JSON in ViewOriginalText)."""
        return str(self._view["originalSql"])

    @property
    def view_schema(self) -> str:
        """The database in which names without one in the view's query are looked up."""
        return str(self._view.get("schema") or self.database)

    @cached_property
    def _view(self) -> dict[str, Any]:
        text = str(self.glue.get("ViewOriginalText") or "")
        encoded = re.search(r"Presto View: ([A-Za-z0-9+/=]+)", text)
        if not encoded:
            raise UnsupportedError(f"view {self.database}.{self.name}: not a Presto view")
        return dict(json.loads(base64.b64decode(encoded[1])))

    def default_location(self, values: Iterable[str]) -> str:
        """Hive's location of a partition: <table>/<key>=<value>/, with what a path cannot hold escaped."""
        pairs = zip(self.keys, values, strict=True)
        return self.location + "".join(f"{name}={escaped_in_path(value)}/" for (name, _), value in pairs)


class Catalog:
    """Reads and writes Glue."""

    def __init__(self, config: Config) -> None:
        self.glue = config.client("glue")
        claim(self.glue, claims)

    def find(self, database: str, name: str) -> Table | None:
        """The table or view, or None."""
        try:
            return Table(self.glue.get_table(DatabaseName=database, Name=name)["Table"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise

    def get(self, database: str, name: str) -> Table:
        """The table or view; QueryError TABLE_NOT_FOUND."""
        table = self.find(database, name)
        if table is None:
            raise QueryError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist")
        return table

    def tables(self, database: str) -> Iterator[Table]:
        """All tables and views of a database, by name."""
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        yield from sorted((Table(t) for page in pages for t in page["TableList"]), key=lambda t: t.name)

    def databases(self) -> list[str]:
        """The names of all databases, sorted."""
        pages = self.glue.get_paginator("get_databases").paginate()
        return sorted(str(d["Name"]) for page in pages for d in page["DatabaseList"])

    def partitions(self, table: Table) -> list[Partition]:
        """Every registered partition."""
        pages = self.glue.get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
        return [_partition(p) for page in pages for p in page["Partitions"]]

    def partitions_with(self, table: Table, values: list[list[str]]) -> list[Partition]:
        """The registered partitions among the product of `values` (one list a key)."""
        found = []
        for wanted in _batches(product(*values), 1000):
            found += self._some_partitions(table, [{"Values": list(v)} for v in wanted])
        return found

    def _some_partitions(self, table: Table, wanted: list[dict[str, list[str]]]) -> list[Partition]:
        answer = self.glue.batch_get_partition(
            DatabaseName=table.database, TableName=table.name, PartitionsToGet=wanted
        )
        # The local Glue answers whole. One that did not would have rows missing from a query's result.
        if left := answer.get("UnprocessedKeys"):
            raise QueryError(f"HIVE_METASTORE_ERROR: Glue left {len(left)} partitions of {table.name} unanswered")
        return [_partition(p) for p in answer["Partitions"]]

    def add_partitions(self, table: Table, partitions: list[Partition]) -> list[Partition]:
        """Register partitions, leaving those that exist; returns the new ones."""
        new: list[Partition] = []
        for some in _batches(partitions, BATCH):
            answer = self.glue.batch_create_partition(
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInputList=[_partition_input(table, p) for p in some],
            )
            refused = {tuple(e["PartitionValues"]): e["ErrorDetail"] for e in answer.get("Errors", [])}
            for values, detail in refused.items():
                if detail.get("ErrorCode") != "AlreadyExistsException":
                    raise QueryError(f"HIVE_METASTORE_ERROR: partition {'/'.join(values)}: {detail}")
            new += [p for p in some if p.values not in refused]
        return new

    def move_partition(self, table: Table, partition: Partition) -> None:
        """Point an existing partition at another location."""
        entry = {"PartitionValueList": list(partition.values), "PartitionInput": _partition_input(table, partition)}
        answer = self.glue.batch_update_partition(DatabaseName=table.database, TableName=table.name, Entries=[entry])
        if answer.get("Errors"):
            raise QueryError(f"FAILED: SemanticException [Error 10006]: Partition not found {partition.values}")

    def drop_partition(self, table: Table, values: tuple[str, ...]) -> bool:
        """Remove one partition; False when there was none."""
        if not self.partitions_with(table, [[v] for v in values]):
            return False
        self.glue.delete_partition(DatabaseName=table.database, TableName=table.name, PartitionValues=list(values))
        return True

    def create_table(self, database: str, table_input: dict[str, Any]) -> None:
        """Create; QueryError when the database is missing or the table exists."""
        try:
            self.glue.create_table(DatabaseName=database, TableInput=table_input)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "AlreadyExistsException":
                message = (
                    f"TABLE_ALREADY_EXISTS: Table 'awsdatacatalog.{database}.{table_input['Name']}' already exists"
                )
                raise QueryError(message) from error
            if code == "EntityNotFoundException":
                raise QueryError(f"SCHEMA_NOT_FOUND: Schema {database} not found") from error
            raise

    def update_table(self, table: Table, **changes: Any) -> None:
        """Update with the current description and `changes` to it."""
        kept = {k: table.glue[k] for k in _INPUT_KEYS if table.glue.get(k)}
        self.glue.update_table(DatabaseName=table.database, TableInput={**kept, **changes})


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def formats_of(serde: str) -> tuple[str, str]:
    """(input, output format) that Hive gives a table of this SerDe without STORED AS."""
    for known, *formats in STORED_AS.values():
        if known == serde and known != LAZY_SERDE:
            return formats[0], formats[1]
    if serde == OPENX_SERDE:
        return _TEXT_INPUT, "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"
    return _TEXT_INPUT, _TEXT_OUTPUT


def storage_descriptor(
    columns: list[dict[str, str]], location: str, serde: str, serde_parameters: dict[str, str]
) -> dict[str, Any]:
    """Glue's StorageDescriptor for a table that this server writes."""
    formats = formats_of(serde)
    return {
        "Columns": columns,
        "Location": location.rstrip("/"),
        "InputFormat": formats[0],
        "OutputFormat": formats[1],
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": serde_parameters},
    }


def escaped_in_path(value: str) -> str:
    """A partition's value as Hive writes it into a path: control characters and those of `_ESCAPED` as %XX."""
    return "".join(f"%{ord(char):02X}" if char < " " or char in _ESCAPED else char for char in value)


def partition_name(table: Table, values: Iterable[str]) -> str:
    """A partition as Hive names it: `key=value/key=value`."""
    return "/".join(f"{name}={value}" for (name, _), value in zip(table.keys, values, strict=True))


def _partition(glue: dict[str, Any]) -> Partition:
    return Partition(tuple(glue["Values"]), glue["StorageDescriptor"]["Location"].rstrip("/") + "/")


def _partition_input(table: Table, partition: Partition) -> dict[str, Any]:
    storage = {**table.storage, "Location": partition.location.rstrip("/")}
    return {"Values": list(partition.values), "StorageDescriptor": storage}
