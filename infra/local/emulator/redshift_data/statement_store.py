"""The statements that were sent: what is told of them, and for how long.

"Considerations when calling the Amazon Redshift Data API": results are kept for 24 hours; a client token for eight.
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from infra.local.emulator.redshift_data.api_errors import DataApiError, invalid, not_found
from infra.local.emulator.redshift_data.typed_results import Result
from infra.local.emulator.redshift_data.warehouse_login import Login

KEPT_SECONDS = 24 * 3600
TOKEN_SECONDS = 8 * 3600
# Statements that are STARTED or SUBMITTED. AWS's number was not found in its pages of today; an older copy says 200.
MOST_ACTIVE = 500
ENDED = ("FINISHED", "FAILED", "ABORTED")


@dataclass
class Run:
    """One SQL text: alone, or one of a batch. `rows` is -1 where nothing was counted; times are seconds since 1970."""

    sql: str
    created: float
    status: str = "SUBMITTED"
    updated: float = 0.0
    duration: int = 0
    error: str | None = None
    rows: int = -1
    result: Result | None = None

    def move(self, status: str) -> None:
        """Go to a status."""
        self.status, self.updated = status, time.time()

    def described(self) -> dict[str, Any]:
        """What DescribeStatement says of it, its identifier left out."""
        found = {
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated or self.created,
            "Duration": self.duration,
            "HasResultSet": self.result is not None,
            "QueryString": self.sql,
            "ResultRows": self.rows,
            "ResultSize": self.result.size if self.result else (0 if self.rows >= 0 else -1),
            "RedshiftQueryId": -1,
        }
        return found | ({"Error": self.error} if self.error else {})


@dataclass
class Statement:
    """What one ExecuteStatement or BatchExecuteStatement asked for; `runs` has one SQL text, a batch's has each."""

    login: Login
    request: Mapping[str, Any]
    runs: Sequence[Run]
    batch: bool
    session_id: str | None
    caller: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: float = field(default_factory=time.time)
    status: str = "SUBMITTED"
    updated: float = field(default_factory=time.time)
    started: float = 0.0
    error: str | None = None
    pid: int | None = None
    cancelled: bool = False
    done: "Future[None]" = field(default_factory=Future)

    @property
    def format(self) -> str:
        """JSON or CSV."""
        return str(self.request.get("ResultFormat") or "JSON")

    @property
    def parameters(self) -> Sequence[Mapping[str, str]]:
        """The parameters as they were given."""
        given: Sequence[Mapping[str, str]] = self.request.get("Parameters") or []
        return given

    @property
    def in_transaction(self) -> bool:
        """Whether its texts are one transaction."""
        return self.batch and self.request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION"

    def move(self, status: str) -> None:
        """Go to a status."""
        self.status, self.updated = status, time.time()

    def described(self) -> dict[str, Any]:
        """DescribeStatement's answer."""
        common: dict[str, Any] = {"Id": self.id, "ResultFormat": self.format, "Status": self.status}
        common |= self.login.target
        common |= {"DbUser": self.login.user}
        common |= {"SessionId": self.session_id} if self.session_id else {}
        common |= {"RedshiftPid": self.pid} if self.pid else {}
        common |= {"QueryParameters": list(self.parameters)} if self.parameters else {}
        if not self.batch:
            return {**self.runs[0].described(), **common, **self._error()}
        subs = [{"Id": f"{self.id}:{place}", **run.described()} for place, run in enumerate(self.runs, 1)]
        return {
            **common,
            **self._error(),
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "Duration": sum(run.duration for run in self.runs),
            "HasResultSet": any(run.result for run in self.runs),
            "ResultRows": sum(max(run.rows, 0) for run in self.runs),
            "ResultSize": sum(run.result.size for run in self.runs if run.result),
            "RedshiftQueryId": 0,
            "ExecutionMode": self.request.get("ExecutionMode", "TRANSACTION"),
            "SubStatements": subs,
        }

    def _error(self) -> dict[str, str]:
        return {"Error": self.error} if self.error else {}

    def listed(self) -> dict[str, Any]:
        """Its entry of ListStatements."""
        texts = [run.sql for run in self.runs]
        found: dict[str, Any] = {
            "Id": self.id,
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "IsBatchStatement": self.batch,
            "ResultFormat": self.format,
            **({"QueryStrings": texts} if self.batch else {"QueryString": texts[0]}),
        }
        optional = {"StatementName": self.request.get("StatementName"), "SessionId": self.session_id}
        optional |= {"SecretArn": self.login.target.get("SecretArn"), "QueryParameters": list(self.parameters)}
        return found | {name: value for name, value in optional.items() if value}


class Statements:
    """All that is remembered, the newest last. Used by the event loop alone."""

    def __init__(self) -> None:
        self._by_id: dict[str, Statement] = {}
        self._tokens: dict[tuple[str, str], tuple[float, str, Statement]] = {}

    def add(self, statement: Statement, token: str | None, asked: str) -> None:
        """Remember a statement, and by which client token and request. Raises ActiveStatementsExceededException."""
        self._forget()
        if sum(found.status not in ENDED for found in self._by_id.values()) >= MOST_ACTIVE:
            raise DataApiError(
                "ActiveStatementsExceededException", "Active statements exceeded the allowed quota (500)."
            )
        self._by_id[statement.id] = statement
        if token:
            self._tokens[statement.caller, token] = (time.time(), asked, statement)

    def by_token(self, caller: str, token: str | None, asked: str) -> Statement | None:
        """What the same request with the same client token has made. Raises ValidationException for another request."""
        self._forget()
        found = self._tokens.get((caller, token or ""))
        if found is None:
            return None
        if found[1] != asked:
            raise invalid("The request parameters do not match those of the first request with this ClientToken.")
        return found[2]

    def get(self, name: str, caller: str) -> tuple[Statement, Run | None]:
        """(the statement, the part of a batch that a suffix names). Raises ResourceNotFoundException."""
        self._forget()
        identifier, _, place = name.partition(":")
        statement = self._by_id.get(identifier)
        if statement is None or statement.caller != caller:
            raise not_found("Query", name)
        if not place:
            return statement, None
        if not statement.batch or not 1 <= int(place) <= len(statement.runs):
            raise not_found("Query", name)
        return statement, statement.runs[int(place) - 1]

    def newest_first(self, caller: str) -> Iterator[Statement]:
        """Those of one caller."""
        self._forget()
        return (found for found in reversed(list(self._by_id.values())) if found.caller == caller)

    def _forget(self) -> None:
        now = time.time()
        for statement in list(self._by_id.values()):
            if statement.status in ENDED and statement.updated < now - KEPT_SECONDS:
                del self._by_id[statement.id]
        for key, (made, _, _) in list(self._tokens.items()):
            if made < now - TOKEN_SECONDS:
                del self._tokens[key]
