"""Athena for those who watch: each query is stopped after some seconds, and all are counted."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3

from iot_pipeline.lake.athena import Athena, QueryResult
from iot_pipeline.settings import deployment

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient


@dataclass
class Meter:
    """What all queries of this process have cost since it began."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    queries: int = 0
    scanned_bytes: int = 0
    dollars: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, result: QueryResult) -> None:
        """Count one that has succeeded."""
        with self._lock:
            self.queries += 1
            self.scanned_bytes += result.scanned_bytes
            self.dollars += result.dollars


class BoundedAthena(Athena):
    """One thread's Athena: statements run in people's workgroup, whose own limit of bytes holds."""

    def __init__(self, meter: Meter, seconds: float) -> None:
        """`seconds`: a query that takes longer is stopped on the server, and fails."""
        where = deployment()
        super().__init__(where.people_workgroup, where.glue_database, on_start=self._note)
        self._client: AthenaClient = boto3.client("athena")
        self._meter, self._seconds = meter, seconds
        self._query_id, self._is_late = "", False

    def run(self, sql: str) -> QueryResult:
        """As `Athena.run`."""
        self._query_id, self._is_late = "", False
        stopping = threading.Timer(self._seconds, self._stop)
        stopping.daemon = True
        stopping.start()
        try:
            result = super().run(sql)
        finally:
            stopping.cancel()
        # A watcher asks for ever; what each query gave is not kept.
        self.results.clear()
        self._meter.add(result)
        return result

    def _note(self, query_id: str) -> None:
        self._query_id = query_id
        if self._is_late:
            self._stop()

    def _stop(self) -> None:
        self._is_late = True
        if self._query_id:
            self._client.stop_query_execution(QueryExecutionId=self._query_id)
