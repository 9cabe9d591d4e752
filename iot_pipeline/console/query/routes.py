"""The query API: validate, estimate, submit, watch, read, cancel; history and saved queries."""

import tempfile
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.changes import Recorded
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError, documented
from iot_pipeline.console.query.documents import (
    EstimatedQuery,
    OpenTable,
    QueryState,
    QueryText,
    ResultPage,
    SavedName,
    SavedQueryDocument,
    Usage,
    ValidatedQuery,
)
from iot_pipeline.console.query.executions import PAGE_ROWS, Executions
from iot_pipeline.console.query.guard import Scope
from iot_pipeline.console.query.parquet import write_parquet
from iot_pipeline.console.query.schema import open_tables

Responses = dict[int | str, dict[str, Any]]
_CHUNK = 256 * 1024
_SPILLED = 16 * 1024 * 1024
_MAX_SAVED = 200
_UNKNOWN = documented(404, "You have no such query")
_REFUSED = documented(422, "The guard refuses the query, and says where")
_LIMITED = documented(429, "Your limit of a day, or of queries at once, is reached")
_WITHOUT = documented(409, "The query has no result, or none yet") | documented(410, "The result is no longer kept")

router = APIRouter(prefix="/api", tags=["queries"])


def _executions(request: Request) -> Executions:
    return parts_of(request).queries


Engine = Annotated[Executions, Depends(_executions)]


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """The description of the API for programs (OpenAPI)."""
    app: FastAPI = request.app
    return JSONResponse(app.openapi())


@router.get("/tables", summary="The tables and columns that you may ask")
def get_tables(viewer: SignedIn, engine: Engine) -> list[OpenTable]:
    """Staff see the rows of all tenants; a tenant's users see those of their tenant, in fewer tables."""
    return open_tables(Scope(engine.database, viewer.tenant))


@router.get("/query-limits", summary="Your limits, and what of them is used")
def get_limits(viewer: SignedIn, engine: Engine) -> Usage:
    """Bytes count to the day (UTC) on which the query was submitted."""
    limits = engine.limits(viewer)
    used, running = engine.used(viewer)
    return Usage(
        query_bytes=limits.query_bytes,
        day_bytes=limits.day_bytes,
        day_bytes_used=used,
        at_once=limits.at_once,
        running=running,
        seconds=limits.time.total_seconds(),
        rows=limits.rows,
    )


@router.post("/queries/validate", summary="Whether a query may be run", responses=_REFUSED)
def validate(text: QueryText, viewer: SignedIn, engine: Engine) -> ValidatedQuery:
    """The same guard as for running it. Nothing is run, and Athena's own checks (types, columns) are not made."""
    return ValidatedQuery.of(engine.guarded(viewer, text.sql))


@router.post("/queries/estimate", summary="What a query would scan and cost", responses=_REFUSED)
def estimate(text: QueryText, viewer: SignedIn, engine: Engine) -> EstimatedQuery:
    """From partitions in Glue and Parquet footers; nothing is run."""
    return EstimatedQuery.of(engine.estimate(viewer, text.sql))


@router.post("/queries", status_code=202, summary="Run a query", responses=_REFUSED | _LIMITED)
def submit(text: QueryText, viewer: SignedIn, engine: Engine, response: Response, record: Recorded) -> QueryState:
    """Gives an id at once; `Location` is where its state is. Poll that until its state is SUCCEEDED."""
    started = engine.submit(viewer, text.sql)
    record("query", started.id)
    response.headers["Location"] = f"/api/queries/{started.id}"
    return QueryState.of(started)


@router.get("/queries", summary="Your queries, the newest first")
def history(viewer: SignedIn, engine: Engine, limit: Annotated[int, Query(ge=1, le=100)] = 50) -> list[QueryState]:
    """As they are now. Kept for 30 days; the results for a week."""
    return [QueryState.of(engine.refreshed(viewer, each)) for each in engine.history.latest(viewer, limit)]


@router.get("/queries/{query}", summary="The state of a query", responses=_UNKNOWN)
def state(query: str, viewer: SignedIn, engine: Engine) -> QueryState:
    """Once it has ended, with what Athena says that it scanned, cost and took."""
    return QueryState.of(engine.of(viewer, query))


@router.post("/queries/{query}/cancel", summary="Cancel a query", responses=_UNKNOWN)
def cancel(query: str, viewer: SignedIn, engine: Engine, record: Recorded) -> QueryState:
    """Athena bills what it scanned until then. One that has ended stays as it is."""
    cancelled = engine.cancel(viewer, query)
    record("cancel_query", cancelled.id)
    return QueryState.of(cancelled)


@router.get("/queries/{query}/rows", summary="A page of a result", responses=_UNKNOWN | _WITHOUT)
def rows(
    query: str,
    viewer: SignedIn,
    engine: Engine,
    token: Annotated[str | None, Query(max_length=2000, description="`next_token` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS - 1, description="Rows of the page, at most")] = 100,
) -> ResultPage:
    """Values are texts as Athena writes them, so that none loses digits; their types are those of the columns."""
    return ResultPage.of(engine.page(viewer, query, token, limit))


@router.get(
    "/queries/{query}/result.csv",
    summary="A result as CSV",
    response_class=StreamingResponse,
    responses=_UNKNOWN | _WITHOUT | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def result_csv(query: str, viewer: SignedIn, engine: Engine) -> StreamingResponse:
    """The file that Athena wrote, byte for byte: UTF-8, a header, every value quoted, null as nothing.

    Texts from devices are as they were sent: a spreadsheet may take one that begins with `=` for a formula.
    """
    body = engine.csv(engine.succeeded(viewer, query))
    return StreamingResponse(body.iter_chunks(_CHUNK), media_type="text/csv", headers=_named(query, "csv"))


@router.get(
    "/queries/{query}/result.parquet",
    summary="A result as Parquet",
    response_class=StreamingResponse,
    responses=_UNKNOWN
    | _WITHOUT
    | {200: {"content": {"application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}}}},
)
def result_parquet(query: str, viewer: SignedIn, engine: Engine) -> StreamingResponse:
    """Typed by the columns of the result; arrays, maps, rows and JSON as texts. Columns of one name are numbered."""
    execution = engine.succeeded(viewer, query)
    columns = engine.columns(execution)
    target: Any = tempfile.SpooledTemporaryFile(max_size=_SPILLED)  # noqa: SIM115  # the stream below closes it
    try:
        write_parquet(engine.csv(execution), columns, target)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return StreamingResponse(
        _chunks(target), media_type="application/vnd.apache.parquet", headers=_named(query, "parquet")
    )


@router.get("/saved-queries", summary="The queries that you keep")
def saved_queries(viewer: SignedIn, engine: Engine) -> list[SavedQueryDocument]:
    """By name."""
    return [SavedQueryDocument.of(each) for each in engine.history.saved(viewer)]


@router.put("/saved-queries/{name}", summary="Keep a query", responses=_REFUSED)
def save_query(
    name: SavedName, text: QueryText, viewer: SignedIn, engine: Engine, record: Recorded
) -> SavedQueryDocument:
    """Under a name, in place of one that was kept there. It must be one that may be run."""
    engine.guarded(viewer, text.sql)
    kept = {each.name for each in engine.history.saved(viewer)}
    if name not in kept and len(kept) >= _MAX_SAVED:
        raise ProblemError(409, "too_many_saved", f"you keep {len(kept)} queries, and {_MAX_SAVED} may be: forget one")
    saved = engine.history.save(viewer, name, text.sql, engine.now())
    record("save_query", name)
    return SavedQueryDocument.of(saved)


@router.delete("/saved-queries/{name}", status_code=204, summary="Keep a query no longer")
def forget_query(name: SavedName, viewer: SignedIn, engine: Engine, record: Recorded) -> None:
    """No error if there is none."""
    engine.history.forget(viewer, name)
    record("forget_query", name)


def _named(query: str, ending: str) -> dict[str, str]:
    """The name under which a browser saves a file. An id that was found is one of ours."""
    return {"Content-Disposition": f'attachment; filename="{query}.{ending}"', "X-Content-Type-Options": "nosniff"}


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
