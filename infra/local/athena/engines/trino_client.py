"""Trino's client REST API: a statement is posted, and its pages are followed (Trino docs, "Trino client REST API")."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.local.athena.errors import SYSTEM, QueryError

CATALOG = "awsdatacatalog"
"""Athena's name of the Glue Data Catalog; the server's catalog is called the same."""
# A page waits on the server for up to a second or so; a busy machine may need far longer to send it.
_TIMEOUT = httpx.Timeout(600)
_SYSTEM_ERRORS = {"INTERNAL_ERROR", "EXTERNAL", "INSUFFICIENT_RESOURCES"}


class TrinoError(QueryError):
    """An error of Trino, in its words."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error['errorName']}: {error.get('message', '')}")
        if error.get("errorType") in _SYSTEM_ERRORS:
            self.category, self.error_type = SYSTEM, 1000


@dataclass
class Answer:
    """What a statement has given so far."""

    id: str = ""
    columns: list[dict[str, Any]] | None = None
    """Each with its name and, as `typeSignature`, its type."""
    scanned: int = 0
    """Bytes read from storage."""
    update_count: int | None = None
    next_uri: str | None = None
    rows: list[list[Any]] = field(default_factory=list)
    """Of the newest page."""


class TrinoClient:
    """Statements at one server, as one user, in UTC."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False)

    def pages(
        self,
        sql: str,
        schema: str,
        watch: Callable[[Answer], None],
        session: Mapping[str, str] | None = None,
    ) -> Iterator[Answer]:
        """The statement's answer after each page; the same object, filled in further.

        `watch` is called with each page and ends the statement by raising; `session` are properties of the session.
        Raises TrinoError. A statement whose pages are not read to the end is cancelled.
        """
        headers = {
            "X-Trino-User": "athena",
            "X-Trino-Source": "infra.local.athena",
            "X-Trino-Catalog": CATALOG,
            "X-Trino-Schema": schema,
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
            "X-Trino-Session": ",".join(f"{name}={value}" for name, value in (session or {}).items()),
        }
        answer = Answer()
        _take(answer, self._http.post("/v1/statement", content=sql.encode(), headers=headers))
        try:
            while True:
                watch(answer)
                yield answer
                if answer.next_uri is None:
                    return
                _take(answer, self._http.get(answer.next_uri))
        finally:
            if answer.next_uri is not None:
                self._http.delete(answer.next_uri)

    def whole(
        self,
        sql: str,
        schema: str,
        watch: Callable[[Answer], None],
        session: Mapping[str, str] | None = None,
    ) -> tuple[Answer, list[list[Any]]]:
        """The last answer and all rows of a statement with few of them; raises as `pages` does."""
        rows, last = [], Answer()
        for last in self.pages(sql, schema, watch, session):
            rows += last.rows
        return last, rows


def _take(answer: Answer, response: httpx.Response) -> None:
    response.raise_for_status()
    # Trino sends what is no UTF-8 in a text as it is.
    page = json.loads(response.content.decode("utf-8", errors="replace"))
    answer.id = page["id"]
    answer.columns = page.get("columns") or answer.columns
    answer.rows = page.get("data") or []
    answer.scanned = max(answer.scanned, int(page["stats"].get("physicalInputBytes") or 0))
    answer.update_count = page.get("updateCount", answer.update_count)
    answer.next_uri = page.get("nextUri")
    if "error" in page:
        answer.next_uri = None
        raise TrinoError(page["error"])
