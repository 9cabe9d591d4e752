"""Query executions: queued, run on a few threads, stopped on request, remembered."""

import logging
import threading
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, Protocol

import duckdb

from infra.local.athena.caller_identity import acting_for
from infra.local.athena.errors import ApiError, CancelledError, InternalError, athena_error
from infra.local.athena.queries.results import ResultFile, TextResult
from infra.local.athena.queries.workgroups import ENGINE, WorkGroup

log = logging.getLogger(__name__)
SLOTS = 2
_AGAIN_SECONDS = 0.05
FINISHED = {"SUCCEEDED", "FAILED", "CANCELLED"}


@dataclass(slots=True)
class Execution:
    """One StartQueryExecution and all that became of it.

    Athena remembers it for 45 days (user guide, "View recent queries"), this server for as long as it runs: so that it
    is kept small: when it has ended, its statement is packed, and `text` has it.
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
    _packed: bytes = b""

    @property
    def text(self) -> str:
        """The statement, as it was asked."""
        return zlib.decompress(self._packed).decode(errors="surrogatepass") if self._packed else self.sql

    def pack(self) -> None:
        """Keep the statement small from now on: a build's has 30 KB, and there are hundreds a day."""
        self._packed, self.sql = zlib.compress(self.sql.encode(errors="surrogatepass")), ""

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
            "Query": self.text,
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


class Runner(Protocol):
    """Runs a statement."""

    def run(self, execution: Execution) -> None:
        """Run it, filling in the execution; raise what went wrong."""


class Executions:
    """All executions of this server's life."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._pool = ThreadPoolExecutor(SLOTS, thread_name_prefix="query")
        self._by_id: dict[str, Execution] = {}
        self._by_token: dict[str, Execution] = {}
        self._lock = threading.Lock()

    def start(self, execution: Execution, token: str | None) -> Execution:
        """Queue it; the same token returns what it started before (StartQueryExecution)."""
        with self._lock:
            earlier = self._by_token.get(token) if token else None
            if earlier:
                if earlier.text != execution.text:
                    raise ApiError("InvalidRequestException", "Idempotent parameters do not match")
                return earlier
            self._by_id[execution.id] = execution
            if token:
                self._by_token[token] = execution
        self._pool.submit(self._run, execution)
        return execution

    def get(self, execution_id: str) -> Execution:
        """The execution; ApiError when unknown."""
        if execution_id not in self._by_id:
            raise ApiError("InvalidRequestException", f"QueryExecution {execution_id} was not found")
        return self._by_id[execution_id]

    def find(self, execution_id: str) -> Execution | None:
        """The execution, None when unknown."""
        return self._by_id.get(execution_id)

    def ids(self, workgroup: str) -> list[str]:
        """Ids of a workgroup's executions, newest first."""
        return [e.id for e in reversed(list(self._by_id.values())) if e.workgroup.name == workgroup]

    def stop(self, execution: Execution) -> None:
        """Cancel: a queued one never starts, a running one is interrupted, a finished one stays as it is."""
        if execution.state not in FINISHED:
            execution.cancelled = True
            threading.Thread(target=_interrupt, args=(execution,), daemon=True).start()

    def shutdown(self) -> None:
        """Cancel everything and wait for it."""
        for execution in list(self._by_id.values()):
            if execution.state not in FINISHED:
                self.stop(execution)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, execution: Execution) -> None:
        started = monotonic()
        execution.queue_ms = int((datetime.now(UTC) - execution.submitted).total_seconds() * 1000)
        state, reason = "SUCCEEDED", None
        execution.state = "RUNNING"
        try:
            execution.check_cancelled()
            with acting_for(execution.caller):
                self._runner.run(execution)
        except (CancelledError, duckdb.InterruptException):
            state, reason = "CANCELLED", "Query cancelled by user"
        except Exception as raised:
            error = athena_error(raised)
            if isinstance(error, InternalError):
                log.exception("query %s failed: %s", execution.id, execution.sql[:2000])
            state, reason = ("CANCELLED" if execution.cancelled else "FAILED"), error.message
            execution.error = {
                "ErrorCategory": error.category,
                "ErrorType": error.error_type,
                "Retryable": False,
                "ErrorMessage": error.message,
            }
        execution.cursor = None
        execution.pack()
        execution.engine_ms = int((monotonic() - started) * 1000)
        execution.completed = datetime.now(UTC)
        execution.reason = reason
        execution.state = state


def _interrupt(execution: Execution) -> None:
    """Interrupt a running execution until it has ended: DuckDB forgets an interrupt that finds it idle."""
    while execution.state not in FINISHED:
        cursor = execution.cursor
        if cursor is not None and execution.state == "RUNNING":
            # It may be closed in this moment.
            with suppress(duckdb.Error):
                cursor.interrupt()
        sleep(_AGAIN_SECONDS)
