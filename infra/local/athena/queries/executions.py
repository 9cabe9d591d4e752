"""Query executions: queued, run on a few threads, stopped on request, remembered."""

import hashlib
import logging
import pickle
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

import duckdb

from infra.local.athena.caller_identity import acting_for
from infra.local.athena.errors import ApiError, CancelledError, InternalError, athena_error
from infra.local.athena.queries.ended_executions import EndedExecutions
from infra.local.athena.queries.execution import Execution

log = logging.getLogger(__name__)
SLOTS = 2
_AGAIN_SECONDS = 0.05
FINISHED = {"SUCCEEDED", "FAILED", "CANCELLED"}


class Runner(Protocol):
    """Runs a statement."""

    def run(self, execution: Execution) -> None:
        """Run it, filling in the execution; raise what went wrong."""


class Executions:
    """All executions of this server's life: those at work, and by their ids those that have ended, in a file."""

    def __init__(self, runner: Runner, ended: Path) -> None:
        """`ended` is the file, which is begun anew."""
        self._runner, self._ended = runner, EndedExecutions(ended)
        self._pool = ThreadPoolExecutor(SLOTS, thread_name_prefix="query")
        self._at_work: dict[str, tuple[int, Execution]] = {}
        self._by_token: dict[str, tuple[str, bytes]] = {}
        self._started = 0
        self._lock = threading.Lock()

    def start(self, execution: Execution, token: str | None) -> Execution:
        """Queue it; the same token returns what it started before (StartQueryExecution)."""
        asked = hashlib.sha256(execution.sql.encode(errors="surrogatepass")).digest()
        with self._lock:
            earlier, same = self._by_token.get(token or "", ("", asked))
            if same != asked:
                raise ApiError("InvalidRequestException", "Idempotent parameters do not match")
            if not earlier:
                self._started += 1
                number = self._started
                self._at_work[execution.id] = (number, execution)
                if token:
                    self._by_token[token] = (execution.id, asked)
        if earlier:
            return self.get(earlier)
        self._pool.submit(self._do, execution, number)
        return execution

    def get(self, execution_id: str) -> Execution:
        """The execution; ApiError when unknown."""
        found = self.find(execution_id)
        if found is None:
            raise ApiError("InvalidRequestException", f"QueryExecution {execution_id} was not found")
        return found

    def find(self, execution_id: str) -> Execution | None:
        """The execution, None when unknown."""
        at_work = self._at_work.get(execution_id)
        return at_work[1] if at_work else self._ended.find(execution_id)

    def ids(self, workgroup: str) -> list[str]:
        """Ids of a workgroup's executions, newest first."""
        with self._lock:
            at_work = {number: e.id for number, e in self._at_work.values() if e.workgroup.name == workgroup}
        found = at_work | self._ended.ids(workgroup)
        return [found[number] for number in sorted(found, reverse=True)]

    def stop(self, execution: Execution) -> None:
        """Cancel: a queued one never starts, a running one is interrupted, a finished one stays as it is."""
        if execution.state not in FINISHED:
            execution.cancelled = True
            threading.Thread(target=_interrupt, args=(execution,), daemon=True).start()

    def shutdown(self) -> None:
        """Cancel everything and wait for it."""
        with self._lock:
            at_work = list(self._at_work.values())
        for _, execution in at_work:
            self.stop(execution)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._ended.close()

    def _do(self, execution: Execution, number: int) -> None:
        self._run(execution)
        try:
            self._ended.put(number, execution)
        except (sqlite3.Error, pickle.PickleError, TypeError):
            log.exception("query %s stays in memory", execution.id)
            return
        with self._lock:
            del self._at_work[execution.id]

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
