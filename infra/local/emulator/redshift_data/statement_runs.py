"""Statements run: each in a thread, over a connection of its own or of its session."""

import select
import time
import uuid
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock, Thread
from typing import Any

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGresult

from infra.local.emulator.redshift_data.api_errors import DataApiError, invalid, not_found
from infra.local.emulator.redshift_data.named_parameters import positional
from infra.local.emulator.redshift_data.statement_store import Run, Statement
from infra.local.emulator.redshift_data.typed_results import Result, ResultTooLargeError, columns_of
from infra.local.emulator.redshift_data.warehouse_login import Login

# Others wait as SUBMITTED, as they do in Redshift's queues.
AT_ONCE = 16
# "Considerations ...": 500 sessions a cluster.
MOST_SESSIONS = 500
CANCEL_MILLISECONDS = 500
_ROWS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.SINGLE_TUPLE)


class _StatementError(Exception):
    """Redshift refused a statement."""


@dataclass
class OpenSession:
    """A connection that is kept between statements; `expires` (seconds since 1970) is put off by each of them."""

    login: Login
    keep_alive: int
    caller: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    expires: float = 0.0
    status: str = "AVAILABLE"
    connection: "psycopg.Connection[Any] | None" = None

    def listed(self) -> dict[str, Any]:
        """Its entry of ListSessions."""
        target = {name: value for name, value in self.login.target.items() if name != "SecretArn"}
        return {
            **target,
            "DbUser": self.login.user,
            "SessionId": self.id,
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "SessionAliveSeconds": self.keep_alive,
            "SessionTtl": self.expires,
        }


class Runner:
    """Runs statements, and keeps sessions."""

    def __init__(self) -> None:
        self._slots = BoundedSemaphore(AT_ONCE)
        self._lock = Lock()
        self._sessions: dict[str, OpenSession] = {}
        self._connections: dict[str, psycopg.Connection[Any]] = {}

    def open_session(self, login: Login, keep_alive: int, caller: str) -> OpenSession:
        """A new session. Raises ActiveSessionsExceededException."""
        with self._lock:
            self._close_expired()
            if sum(session.status != "CLOSED" for session in self._sessions.values()) >= MOST_SESSIONS:
                raise DataApiError(
                    "ActiveSessionsExceededException", "Active sessions exceeded the allowed quota (500)."
                )
            session = OpenSession(login, keep_alive, caller, status="BUSY")
            self._sessions[session.id] = session
            return session

    def take_session(self, session_id: str, caller: str, keep_alive: int | None) -> OpenSession:
        """A session for the next statement. Raises ResourceNotFoundException, and ValidationException if it is busy."""
        with self._lock:
            self._close_expired()
            session = self._sessions.get(session_id)
            if session is None or session.caller != caller or session.status == "CLOSED":
                raise not_found("Session", session_id)
            if session.status == "BUSY":
                raise invalid("Session is busy: another query is running in it.")
            session.status, session.updated = "BUSY", time.time()
            session.keep_alive = session.keep_alive if keep_alive is None else keep_alive
            return session

    def sessions(self, caller: str) -> list[OpenSession]:
        """The caller's sessions, the newest first."""
        with self._lock:
            self._close_expired()
            return [session for session in reversed(self._sessions.values()) if session.caller == caller]

    def _close_expired(self) -> None:
        now = time.time()
        for session in self._sessions.values():
            if session.status == "AVAILABLE" and session.expires <= now:
                session.status, session.updated = "CLOSED", now
                if session.connection is not None:
                    session.connection.close()

    def start(self, statement: Statement, session: OpenSession | None) -> None:
        """Run a statement; its `done` tells when it has ended."""
        Thread(target=self._work, args=(statement, session), daemon=True, name=f"data-api {statement.id}").start()

    def cancel(self, statement: Statement) -> None:
        """Stop a statement. Raises ValidationException if it does not run."""
        with self._lock:
            if statement.done.done():
                raise invalid(
                    f"Could not cancel a query that is already in {statement.status} state with ID: {statement.id}"
                )
            statement.cancelled = True
            connection = self._connections.get(statement.id)
        if connection is not None:
            connection.cancel_safe()

    def _work(self, statement: Statement, session: OpenSession | None) -> None:
        try:
            with self._slots:
                statement.move("PICKED")
                self._connected(statement, session)
        except (psycopg.Error, OSError) as error:
            _fail(statement, statement.runs, str(error).strip())
        finally:
            with self._lock:
                if session is not None:
                    lost = session.connection is None or session.connection.closed
                    session.status, session.updated = "CLOSED" if lost else "AVAILABLE", time.time()
                    session.expires = session.updated + session.keep_alive
                    self._close_expired()
                statement.done.set_result(None)

    def _connected(self, statement: Statement, session: OpenSession | None) -> None:
        connection = session.connection if session and session.connection else statement.login.connect()
        if session is not None:
            session.connection = connection
        try:
            statement.pid = connection.info.backend_pid
            with self._lock:
                self._connections[statement.id] = connection
            statement.move("STARTED")
            _run_all(statement, connection)
        finally:
            with self._lock:
                self._connections.pop(statement.id)
            if session is None:
                connection.close()


def _run_all(statement: Statement, connection: "psycopg.Connection[Any]") -> None:
    """All texts in order: as one transaction, which the first error ends, or each by itself."""
    values = {given["name"]: given["value"] for given in statement.parameters}
    if statement.in_transaction:
        _command(connection, b"BEGIN")
    failed = False
    for place, run in enumerate(statement.runs):
        if statement.cancelled or (failed and statement.in_transaction):
            _fail(statement, statement.runs[place:], None)
            break
        failed = not _run_one(statement, run, connection, values) or failed
    if statement.in_transaction:
        error = _command(connection, b"ROLLBACK" if failed or statement.cancelled else b"COMMIT")
        if error:
            _fail(statement, statement.runs, error)
    finished = not statement.in_transaction and all(run.status == "FINISHED" for run in statement.runs)
    aborted = statement.cancelled and not finished
    statement.move("ABORTED" if aborted else "FAILED" if failed or statement.error else "FINISHED")


def _run_one(statement: Statement, run: Run, connection: "psycopg.Connection[Any]", values: dict[str, str]) -> bool:
    run.move("STARTED")
    started = time.monotonic_ns()
    try:
        text, names = positional(run.sql, list(values))
        run.result, run.rows = _executed(connection, statement, text, [values[name] for name in names])
        run.move("FINISHED")
    except (_StatementError, ResultTooLargeError) as error:
        run.error = str(error)
        run.move("ABORTED" if statement.cancelled else "FAILED")
        statement.error = statement.error or run.error
    run.duration = time.monotonic_ns() - started
    return run.error is None


def _executed(
    connection: "psycopg.Connection[Any]", statement: Statement, sql: str, values: list[str]
) -> tuple[Result | None, int]:
    """(rows, how many were returned or changed: -1 if neither). One row after the other, so that no more are held."""
    wire = connection.pgconn
    wire.send_query_params(sql.encode(), [value.encode() for value in values])
    wire.set_single_row_mode()
    result: Result | None = None
    rows = -1
    error: _StatementError | ResultTooLargeError | None = None
    while found := _next_result(connection, statement):
        if found.status in _ROWS:
            result = result or Result(columns_of(found), statement.format == "CSV")
            try:
                for row in range(found.ntuples):
                    result.add([found.get_value(row, column) for column in range(found.nfields)])
            except ResultTooLargeError as too_large:
                error = error or too_large
                connection.cancel_safe()
        elif found.status == pq.ExecStatus.COMMAND_OK:
            rows = found.command_tuples if found.command_tuples is not None else -1
        else:
            error = error or _StatementError(_message(found))
    if error:
        raise error
    if result is not None:
        result.end()
        rows = result.rows
    return result, rows


def _next_result(connection: "psycopg.Connection[Any]", statement: Statement) -> PGresult | None:
    """The next result; `get_result` alone would hold all threads up, since it waits with Python's lock held.

    A cancel that came just before the statement is sent once more.
    """
    wire = connection.pgconn
    readable = select.poll()
    readable.register(wire.socket, select.POLLIN)
    while wire.is_busy():
        if readable.poll(CANCEL_MILLISECONDS):
            wire.consume_input()
        elif statement.cancelled:
            connection.cancel_safe()
    return wire.get_result()


def _command(connection: "psycopg.Connection[Any]", sql: bytes) -> str:
    """Run one of our own; the error, if there is one."""
    found = connection.pgconn.exec_(sql)
    return _message(found) if found.error_message else ""


def _message(failed: PGresult) -> str:
    """As Redshift's driver words it, which the Data API repeats."""
    wanted = (pq.DiagnosticField.MESSAGE_PRIMARY, pq.DiagnosticField.MESSAGE_DETAIL)
    text, detail = [(failed.error_field(part) or b"").decode() for part in wanted]
    return f"ERROR: {text or failed.error_message.decode().strip()}" + (f"\n  Detail: {detail}" if detail else "")


def _fail(statement: Statement, runs: Any, error: str | None) -> None:
    """These texts did not run, or are undone."""
    for run in runs:
        if run.status not in ("FAILED", "FINISHED") or error:
            run.move("ABORTED")
    if error:
        for run in runs:
            run.error = run.error or error
        statement.error = statement.error or error
        statement.move("ABORTED" if statement.cancelled else "FAILED")
