"""Running statements on Athena, through PyAthena."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pyathena import connect
from pyathena.connection import Connection
from pyathena.cursor import Cursor

from iot_pipeline.lake.pricing import query_cost

Row = tuple[Any, ...]


@dataclass(frozen=True)
class QueryResult:
    """What a statement gave: its rows and column names, the bytes it scanned and the time the engine took."""

    query_id: str
    columns: tuple[str, ...]
    rows: list[Row]
    scanned_bytes: int
    engine_milliseconds: int

    @property
    def dollars(self) -> float:
        """Price of the query in US dollars."""
        return query_cost(self.scanned_bytes)


@dataclass
class Athena:
    """One workgroup and database. Keeps what its queries cost, for the metadata of whoever uses it.

    `session` is boto3's; without one PyAthena makes its own, which loads botocore's models anew.
    """

    workgroup: str
    database: str
    poll_seconds: float = 0.1
    on_start: Callable[[str], None] = lambda _: None
    results: list[QueryResult] = field(default_factory=list)
    session: Any = None

    def run(self, sql: str) -> QueryResult:
        """Run a statement to its end. An interrupt cancels it on the server too.

        Raises pyathena.error.OperationalError with Athena's reason if it fails or is cancelled.
        """
        with self._connection.cursor(poll_interval=self.poll_seconds) as cursor:
            cursor.execute(sql, on_start_query_execution=self.on_start)
            rows = list(cursor.fetchall()) if cursor.description else []
            result = QueryResult(
                query_id=cursor.query_id or "",
                columns=tuple(column[0] for column in cursor.description or ()),
                rows=rows,
                scanned_bytes=cursor.data_scanned_in_bytes or 0,
                engine_milliseconds=cursor.engine_execution_time_in_millis or 0,
            )
        self.results.append(result)
        return result

    @property
    def scanned_bytes(self) -> int:
        """Bytes scanned by all queries so far."""
        return sum(result.scanned_bytes for result in self.results)

    @property
    def dollars(self) -> float:
        """Price in US dollars of all queries so far."""
        return sum((result.dollars for result in self.results), start=0.0)

    @cached_property
    def _connection(self) -> "Connection[Cursor]":
        return connect(
            work_group=self.workgroup,
            schema_name=self.database,
            kill_on_interrupt=True,
            session=self.session,
        )
