"""What the query API takes and gives, as documents of its OpenAPI description."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from iot_pipeline.console.query.estimate import Estimate
from iot_pipeline.console.query.executions import Page
from iot_pipeline.console.query.guard import Guarded
from iot_pipeline.console.query.guard.text import MAX_CHARACTERS
from iot_pipeline.console.query.history import Execution, SavedQuery
from iot_pipeline.lake.pricing import query_cost

SavedName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,79}$")]


class QueryText(BaseModel):
    """A query to be run, estimated, validated or saved."""

    model_config = ConfigDict(extra="forbid")

    sql: str = Field(
        max_length=MAX_CHARACTERS * 2,
        description="One SELECT in Athena's SQL (Trino), on the tables of GET /api/tables",
        examples=[
            "SELECT site, avg(temperature) AS mean FROM telemetry WHERE year = '2026' AND month = '11' GROUP BY 1"
        ],
    )


class ValidatedQuery(BaseModel):
    """A query that may be run."""

    tables: list[str] = Field(description="The tables it reads")
    runs: str = Field(description="The text that would be run: yours, each table with its filter")
    limited: bool = Field(description="Whether your limit of rows was written into it")

    @classmethod
    def of(cls, guarded: Guarded) -> "ValidatedQuery":
        """From what the guard gave."""
        return cls(tables=sorted(guarded.tables), runs=guarded.sql, limited=guarded.limited)


class EstimatedTable(BaseModel):
    """What a query would read of one table; a view is named by the tables below it."""

    table: str
    bytes: int
    partitions: int = Field(description="How many partitions are read")
    restricted_by: str = Field(description="The condition that restricts the partitions; empty: all are read")
    sampled: bool = Field(description="Whether some partitions stand for all")


class EstimatedQuery(BaseModel):
    """What a query would scan and cost. An upper bound, but where `sampled`."""

    bytes: int
    dollars: float = Field(description="US dollars; Athena bills at least 10 MB a query")
    tables: list[EstimatedTable]
    advice: str | None = Field(description="Where partitions are not restricted: what to add")

    @classmethod
    def of(cls, estimate: Estimate) -> "EstimatedQuery":
        """From an estimate."""
        tables = [EstimatedTable(**vars(each)) for each in estimate.tables]
        return cls(bytes=estimate.bytes, dollars=estimate.dollars, tables=tables, advice=estimate.advice)


class QueryState(BaseModel):
    """A query of yours, as it is now."""

    id: str
    state: str = Field(description="QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED")
    sql: str
    submitted: datetime
    estimated_bytes: int
    scanned_bytes: int | None = Field(description="What Athena says it scanned, once it has ended")
    dollars: float | None = Field(description="US dollars, once it has ended: a failed query is free")
    milliseconds: int | None = Field(description="How long Athena took, queueing included, once it has ended")
    failure: str | None = Field(description="Why it has no result")
    row_limit: int | None = Field(description="If your limit of rows was written into it: how many it gives at most")

    @classmethod
    def of(cls, execution: Execution) -> "QueryState":
        """From an execution."""
        dollars = None
        if execution.scanned is not None:
            dollars = 0.0 if execution.state == "FAILED" else query_cost(execution.scanned)
        return cls(
            id=execution.id,
            state=execution.state,
            sql=execution.sql,
            submitted=execution.submitted,
            estimated_bytes=execution.estimated,
            scanned_bytes=execution.scanned,
            dollars=dollars,
            milliseconds=execution.milliseconds,
            failure=execution.failure,
            row_limit=execution.row_limit if execution.limited else None,
        )


class ResultColumn(BaseModel):
    """A column of a result."""

    name: str
    type: str = Field(description="Athena's type", examples=["double"])


class ResultPage(BaseModel):
    """Rows of a result."""

    columns: list[ResultColumn]
    rows: list[list[str | None]] = Field(description="Each value as Athena writes it; null for null")
    next_token: str | None = Field(description="For the rows after these; null with the last")

    @classmethod
    def of(cls, page: Page) -> "ResultPage":
        """From a page."""
        columns = [ResultColumn(**each) for each in page.columns]
        return cls(columns=columns, rows=page.rows, next_token=page.next_token)


class SavedQueryDocument(BaseModel):
    """A query that you keep."""

    name: str
    sql: str
    saved: datetime

    @classmethod
    def of(cls, saved: SavedQuery) -> "SavedQueryDocument":
        """From a saved query."""
        return cls(name=saved.name, sql=saved.sql, saved=saved.saved)


class Usage(BaseModel):
    """Your limits, and what of them is used."""

    query_bytes: int = Field(description="What a query may scan")
    day_bytes: int = Field(description="What your queries of a day (UTC) may scan")
    day_bytes_used: int
    at_once: int = Field(description="How many may run at once")
    running: int
    seconds: float = Field(description="After so long a query is cancelled")
    rows: int = Field(description="How many rows a query gives at most")


class OpenColumn(BaseModel):
    """A column that you may ask for."""

    name: str
    type: str = Field(description="Glue's type")
    comment: str
    partition: bool = Field(description="Whether a condition on it restricts what is scanned")


class OpenTable(BaseModel):
    """A table or view that you may ask."""

    name: str
    description: str
    columns: list[OpenColumn]
