"""Runs one statement: DDL against Glue, the rest by the engine."""

import re
from typing import Any, Protocol

from botocore.exceptions import ClientError

from infra.local.athena import caller_identity
from infra.local.athena.config import Config
from infra.local.athena.engines.duckdb_engine import DuckDBEngine
from infra.local.athena.engines.trino_engine import TrinoEngine
from infra.local.athena.errors import ApiError
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.execution_parameters import PreparedStatements, prepare_statement, substituted
from infra.local.athena.queries.outputs import Outputs
from infra.local.athena.reading.glue_tables import Catalog
from infra.local.athena.reading.objects import ObjectStore, S3Object, split_uri
from infra.local.athena.sql.bounds import check_bounds
from infra.local.athena.writing.ddl import Ddl
from infra.local.athena.writing.unload import parse_unload


class Engine(Protocol):
    """Runs statements in Trino's SQL, filling in the execution; raises what went wrong."""

    def run(self, execution: Execution, sql: str) -> None:
        """A query, CREATE TABLE AS, INSERT or CREATE VIEW."""

    def explain(self, execution: Execution, sql: str) -> None:
        """The plan of a query, as text."""

    def unload(self, execution: Execution, query: str, location: str, options: dict[str, Any]) -> None:
        """The query's rows as files at a location; `options` are UNLOAD's WITH, names in lower case."""


class Statements:
    """Everything a statement needs: the engine, Glue, S3."""

    def __init__(self, config: Config) -> None:
        self.prepared = PreparedStatements()
        self.catalog = Catalog(config)
        store = ObjectStore(config)
        self._outputs = Outputs(store, config.state_dir)
        self._store = store
        self._ddl = Ddl(self.catalog, store)
        self._engine: Engine = (
            TrinoEngine(config.trino_url, self.catalog, store, self._outputs)
            if config.trino_url
            else DuckDBEngine(config, self.catalog, store, self._outputs)
        )

    def check_results(self, location: str) -> None:
        """Raise ApiError unless the caller may use the bucket of results."""
        if caller_identity.current() is None:
            return
        bucket, _ = split_uri(location)
        try:
            self._store.s3.get_bucket_location(Bucket=bucket)
        except ClientError as error:
            raise ApiError(
                "InvalidRequestException", f"Unable to verify/create output bucket {bucket}. {_said(error)}"
            ) from error

    def check_result(self, uri: str) -> None:
        """Raise ApiError unless the caller may read a statement's result (API reference, "GetQueryResults")."""
        bucket, key = split_uri(uri)
        try:
            self._store.check_readable([S3Object(bucket, key, 0, "")])
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRange":  # an empty object, which the caller may read
                return
            raise ApiError(
                "InvalidRequestException",
                "You do not seem to have access to the S3 location of your query results. Please confirm your account "
                f"has access to the S3 location where your query results are saved and try again. {_said(error)}",
            ) from error

    def run(self, execution: Execution) -> None:
        """Run the statement of an execution; whatever it raises is the failure."""
        check_bounds(execution.sql)
        if prepare_statement(execution.sql, execution.workgroup.name, self.prepared):
            execution.statement_type = "UTILITY"
            return self._outputs.put_text(execution, [], [])
        sql = substituted(execution, self.prepared)
        ddl = self._ddl.run(sql, execution)
        if ddl is not None:
            execution.statement_type = ddl.statement_type
            execution.substatement_type = ddl.substatement_type
            return self._outputs.put_text(execution, ddl.names, ddl.rows)
        unload = parse_unload(sql)
        if unload:
            execution.substatement_type = "UNLOAD"
            return self._engine.unload(execution, *unload)
        explained = re.match(r"\s*explain\s+(?!analyze)", sql, re.IGNORECASE)
        if explained:
            execution.statement_type, execution.substatement_type = "UTILITY", "EXPLAIN"
            return self._engine.explain(execution, sql[explained.end() :])
        return self._engine.run(execution, sql)


def _said(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))
