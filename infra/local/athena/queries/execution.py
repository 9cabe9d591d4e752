"""One query execution, from its request to what became of it."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from infra.local.athena.errors import CancelledError
from infra.local.athena.queries.results import ResultFile, TextResult
from infra.local.athena.queries.workgroups import ENGINE, WorkGroup


@dataclass(slots=True)
class Execution:
    """One StartQueryExecution and all that became of it.

    Once it has ended it is kept in a file (`ended_executions.py`): whatever it holds can be pickled then.
    """

    sql: str
    database: str
    workgroup: WorkGroup
    output: str
    parameters: list[str] | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    statement_type: str = "DML"
    substatement_type: str = ""
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    completed: datetime | None = None
    reason: str | None = None
    error: dict[str, Any] | None = None
    scanned: int = 0
    input_rows: int = 0
    queue_ms: int = 0
    planning_ms: int = 0
    engine_ms: int = 0
    manifest: str | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: ResultFile | TextResult = field(default_factory=lambda: TextResult([]))
    update_count: int | None = None
    has_result: bool = False
    """Whether its output is an object: what writes tables or files leaves none."""
    cursor: duckdb.DuckDBPyConnection | None = None
    cancelled: bool = False
    caller: str | None = None
    """The access key of whoever asked; None for the root."""

    def check_cancelled(self) -> None:
        """Raise CancelledError if somebody stopped the query."""
        if self.cancelled:
            raise CancelledError

    def describe(self) -> dict[str, Any]:
        """The API's QueryExecution."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed:
            status["CompletionDateTime"] = self.completed
        if self.reason:
            status["StateChangeReason"] = self.reason
        if self.error:
            status["AthenaError"] = self.error
        statistics = {
            "EngineExecutionTimeInMillis": self.engine_ms,
            "DataScannedInBytes": self.scanned,
            "TotalExecutionTimeInMillis": self.queue_ms + self.engine_ms,
            "QueryQueueTimeInMillis": self.queue_ms,
            "QueryPlanningTimeInMillis": self.planning_ms,
            "ServiceProcessingTimeInMillis": 0,
        }
        if self.manifest:
            statistics["DataManifestLocation"] = self.manifest  # type: ignore[assignment]  # the one text among numbers
        described = {
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": self.statement_type,
            "ResultConfiguration": {"OutputLocation": self.output},
            "QueryExecutionContext": {"Database": self.database, "Catalog": "awsdatacatalog"},
            "Status": status,
            "Statistics": statistics,
            "WorkGroup": self.workgroup.name,
            "EngineVersion": ENGINE,
        }
        if self.substatement_type:
            described["SubstatementType"] = self.substatement_type
        if self.parameters:
            described["ExecutionParameters"] = self.parameters
        return described
