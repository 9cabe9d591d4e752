"""What a statement of Hive's grammar is given, and what it shows."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from infra.local.athena.errors import QueryError
from infra.local.athena.reading.glue_tables import Catalog, Table
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.writing.hive_text import table_name

FLAGS = re.IGNORECASE | re.DOTALL


@dataclass
class DdlResult:
    """The columns and rows that a statement shows, and its kinds by the API reference, "QueryExecution"."""

    names: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    substatement_type: str = ""
    statement_type: str = "DDL"


@dataclass(frozen=True)
class Scope:
    """Where a statement runs: Glue, S3 and the current database."""

    catalog: Catalog
    store: ObjectStore
    database: str

    def table(self, name: str) -> Table:
        """The table that a statement names; QueryError TABLE_NOT_FOUND, UnsupportedError for another catalog."""
        found = table_name(name, self.database)
        return self.catalog.get(found.database, found.table)


Handler = Callable[[Scope, re.Match[str]], DdlResult]
Handlers = list[tuple[re.Pattern[str], Handler]]


def shown(names: list[str], rows: list[list[str]]) -> DdlResult:
    """The result of a statement that only shows something."""
    return DdlResult(names, rows, statement_type="UTILITY")


def glue_error(error: ClientError) -> QueryError:
    """What Glue refused, as Hive's executor words it."""
    return QueryError(f"FAILED: Execution Error, return code 1. {error.response['Error']['Message']}")
