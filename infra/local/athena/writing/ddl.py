"""DDL in Hive's grammar (AWS Athena user guide, "DDL statements"): read by shape, done in Glue, data never touched."""

import re

from infra.local.athena.queries.execution import Execution
from infra.local.athena.reading.glue_tables import Catalog
from infra.local.athena.reading.objects import ObjectStore
from infra.local.athena.writing import database_ddl, describe, partition_ddl, show, table_ddl
from infra.local.athena.writing.ddl_result import DdlResult, Handlers, Scope
from infra.local.athena.writing.refused_ddl import refuse
from infra.local.athena.writing.statement_kind import kind_of

_HANDLERS: Handlers = [
    *database_ddl.HANDLERS,
    *table_ddl.HANDLERS,
    *partition_ddl.HANDLERS,
    *show.HANDLERS,
    *describe.HANDLERS,
]
_COMMENTS = re.compile(r"\s*+(?:--[^\n]*+(?:\n|\Z)\s*+|/\*(?:[^*]++|\*(?!/))*+\*/\s*+)*+")


class Ddl:
    """Runs DDL statements against Glue."""

    def __init__(self, catalog: Catalog, store: ObjectStore) -> None:
        self._catalog, self._store = catalog, store

    def run(self, sql: str, execution: Execution) -> DdlResult | None:
        """Do the statement, or None when it is none of these; UnsupportedError for those that only Athena does."""
        started = _COMMENTS.match(sql)
        text = sql[started.end() if started else 0 :].strip()
        scope = Scope(self._catalog, self._store, execution.database)
        for pattern, handler in _HANDLERS:
            match = pattern.match(text)
            if match:
                result = handler(scope, match)
                result.substatement_type = result.substatement_type or kind_of(text)
                return result
        refuse(text)
        return None
