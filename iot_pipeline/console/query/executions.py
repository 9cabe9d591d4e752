"""Queries on Athena: submitted through the guard, watched, read, cancelled, and counted against a viewer's limits."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.query.estimate import Estimate, Estimator
from iot_pipeline.console.query.failures import failure_for
from iot_pipeline.console.query.guard import Guarded, RefusedError, Scope, guard
from iot_pipeline.console.query.history import Execution, History, new_id
from iot_pipeline.console.query.limits import LIMITS, Limits
from iot_pipeline.console.viewer import Viewer

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_s3 import S3Client

_TIMED_OUT = "cancelled: it ran for over {seconds:.0f} s, which is your limit. Restrict the partitions, or ask for less"
PAGE_ROWS = 1000


@dataclass(frozen=True)
class Page:
    """Rows of a result: texts as Athena writes them, None for null. `next_token` asks for the rows after them."""

    columns: list[dict[str, str]]
    rows: list[list[str | None]]
    next_token: str | None


@dataclass
class Executions:
    """Runs viewers' queries, each in the workgroup of the viewer's class. `now` is the time, UTC."""

    athena: "AthenaClient"
    s3: "S3Client"
    database: str
    people_workgroup: str
    tenants_workgroup: str
    estimator: Estimator
    history: History
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    limits: Callable[[Viewer], Limits] = lambda viewer: LIMITS[viewer.role]
    _submitting: threading.Lock = field(default_factory=threading.Lock)

    def guarded(self, viewer: Viewer, sql: str) -> Guarded:
        """What would be run for a viewer. Raises ProblemError with the position of what is refused."""
        scope = Scope(self.database, viewer.tenant, self.limits(viewer).rows)
        try:
            return guard(sql, scope)
        except RefusedError as error:
            raise ProblemError(422, error.kind, error.message, line=error.line, column=error.column) from error

    def estimate(self, viewer: Viewer, sql: str) -> Estimate:
        """What a query would scan and cost. Raises as `guarded`."""
        return self.estimator.of(self.guarded(viewer, sql))

    def submit(self, viewer: Viewer, sql: str) -> Execution:
        """Start a query. Raises as `guarded`, and ProblemError for what is beyond the viewer's limits."""
        guarded = self.guarded(viewer, sql)
        estimate = self.estimator.of(guarded)
        limits = self.limits(viewer)
        if estimate.bytes > limits.query_bytes:
            raise _beyond("query_bytes", f"it would scan about {estimate.bytes:,} bytes", limits.query_bytes, estimate)
        with self._submitting:
            self._check_day(viewer, limits, estimate)
            return self._started(viewer, sql, guarded, estimate)

    def _check_day(self, viewer: Viewer, limits: Limits, estimate: Estimate) -> None:
        today = list(self._of_today(viewer))
        running = [each for each in today if not each.ended]
        if len(running) >= limits.at_once:
            detail = f"{len(running)} of your queries are running, and {limits.at_once} may: wait, or cancel one"
            raise ProblemError(429, "at_once", detail, limit=limits.at_once)
        spent = sum(each.counted for each in today)
        if spent + estimate.bytes > limits.day_bytes:
            raise _beyond("day_bytes", f"you have scanned {spent:,} bytes today (UTC)", limits.day_bytes, estimate)

    def _of_today(self, viewer: Viewer) -> Iterator[Execution]:
        """The viewer's executions of this day (UTC) and what may still run of the last, as they are now."""
        now = self.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for execution in self.history.latest(viewer):
            if execution.submitted < midnight - timedelta(hours=1):
                return
            current = self.refreshed(viewer, execution)
            if execution.submitted >= midnight or not current.ended:
                yield current

    def used(self, viewer: Viewer) -> tuple[int, int]:
        """The bytes that count to the viewer's day, and how many of his queries run."""
        today = list(self._of_today(viewer))
        return sum(each.counted for each in today), sum(not each.ended for each in today)

    def _started(self, viewer: Viewer, sql: str, guarded: Guarded, estimate: Estimate) -> Execution:
        limits, now = self.limits(viewer), self.now()
        workgroup = self.people_workgroup if viewer.tenant is None else self.tenants_workgroup
        execution_id = new_id(now)
        answer = self.athena.start_query_execution(
            QueryString=guarded.sql,
            # A retry of the call, as botocore makes after a lost answer, starts no second query.
            ClientRequestToken=execution_id.ljust(32, "-"),
            QueryExecutionContext={"Database": self.database, "Catalog": "AwsDataCatalog"},
            WorkGroup=workgroup,
        )
        execution = Execution(
            id=execution_id,
            athena_id=answer["QueryExecutionId"],
            sql=sql,
            submitted=now,
            workgroup=workgroup,
            estimated=estimate.bytes,
            row_limit=limits.rows,
            limited=guarded.limited,
        )
        self.history.add(viewer, execution)
        timer = threading.Timer(limits.time.total_seconds(), self.refreshed, (viewer, execution))
        timer.daemon = True
        timer.start()
        return execution

    def of(self, viewer: Viewer, execution_id: str) -> Execution:
        """One of the viewer's executions, as it is now. Raises ProblemError 404 for another's."""
        found = self.history.get(viewer, execution_id)
        if found is None:
            raise ProblemError(
                404, "unknown_query", f"you have no query {execution_id!r}; GET /api/queries lists yours"
            )
        return self.refreshed(viewer, found)

    def refreshed(self, viewer: Viewer, execution: Execution) -> Execution:
        """The execution as Athena sees it now; cancelled if its time is over."""
        if execution.ended:
            return execution
        described = self._described(execution)
        status, statistics = described["Status"], described.get("Statistics", {})
        state = str(status["State"])
        if state in {"QUEUED", "RUNNING"}:
            allowed = self.limits(viewer).time
            if self.now() - execution.submitted >= allowed:
                self.athena.stop_query_execution(QueryExecutionId=execution.athena_id)
                reason = _TIMED_OUT.format(seconds=allowed.total_seconds())
                return self.history.update(viewer, execution, state=state, failure=reason)
            if state != execution.state:
                return self.history.update(viewer, execution, state=state)
            return execution
        reason = str(status.get("StateChangeReason") or "")
        failure = None if state == "SUCCEEDED" else execution.failure or failure_for(viewer, reason)
        return self.history.update(
            viewer,
            execution,
            state=state,
            scanned=int(statistics.get("DataScannedInBytes", 0)),
            milliseconds=int(statistics.get("TotalExecutionTimeInMillis", 0)),
            failure=failure,
        )

    def _described(self, execution: Execution) -> Any:
        answer = self.athena.get_query_execution(QueryExecutionId=execution.athena_id)
        return answer["QueryExecution"]

    def cancel(self, viewer: Viewer, execution_id: str) -> Execution:
        """Stop an execution, which one that has ended does not notice. Raises as `of`."""
        execution = self.of(viewer, execution_id)
        if not execution.ended:
            self.athena.stop_query_execution(QueryExecutionId=execution.athena_id)
        return self.refreshed(viewer, execution)

    def succeeded(self, viewer: Viewer, execution_id: str) -> Execution:
        """One of the viewer's executions that has a result. Raises as `of`, and ProblemError 409 for one without."""
        execution = self.of(viewer, execution_id)
        if execution.state != "SUCCEEDED":
            detail = execution.failure or "a result comes when its state is SUCCEEDED"
            raise ProblemError(409, "no_result", f"the query is {execution.state}: {detail}", state=execution.state)
        return execution

    def page(self, viewer: Viewer, execution_id: str, token: str | None, rows: int) -> Page:
        """Rows of a result. Raises as `succeeded`, and ProblemError for a token that is not of this result."""
        execution = self.succeeded(viewer, execution_id)
        # Athena's first row is the header.
        wanted = {"NextToken": token, "MaxResults": rows} if token else {"MaxResults": min(rows + 1, PAGE_ROWS)}
        try:
            answer: Any = self.athena.get_query_results(QueryExecutionId=execution.athena_id, **wanted)  # type: ignore[arg-type]  # options in a dict
        except ClientError as error:
            raise _gone_or_wrong(error) from error
        found = answer["ResultSet"]
        values = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found["Rows"]]
        return Page(columns_of(found), values if token else values[1:], answer.get("NextToken"))

    def columns(self, execution: Execution) -> list[dict[str, str]]:
        """Names and types of the columns of a result."""
        answer = self.athena.get_query_results(QueryExecutionId=execution.athena_id, MaxResults=1)
        return columns_of(answer["ResultSet"])

    def csv(self, execution: Execution) -> Any:
        """The stream of the file that Athena wrote. Raises ProblemError 410 once the bucket has removed it."""
        location = self._described(execution)["ResultConfiguration"]["OutputLocation"]
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            return self.s3.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            raise _gone_or_wrong(error) from error


def columns_of(found: Any) -> list[dict[str, str]]:
    """Names and types, a decimal with its precision."""
    columns = []
    for column in found["ResultSetMetadata"]["ColumnInfo"]:
        kind = column["Type"]
        if kind == "decimal":
            kind = f"decimal({column['Precision']},{column['Scale']})"
        columns.append({"name": column["Name"], "type": kind})
    return columns


def _beyond(limit: str, found: str, allowed: int, estimate: Estimate) -> ProblemError:
    advice = f" {estimate.advice}" if estimate.advice else " Restrict the partitions, or select fewer columns."
    detail = f"{found}; this query would scan {estimate.bytes:,} bytes, and {allowed:,} are allowed.{advice}"
    return ProblemError(422 if limit == "query_bytes" else 429, limit, detail, limit=allowed, bytes=estimate.bytes)


def _gone_or_wrong(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code in {"NoSuchKey", "404"} or "does not exist" in str(error):
        return ProblemError(410, "result_gone", "results are kept for a week: run the query again")
    if code == "InvalidRequestException":
        return ProblemError(422, "token", "this token is of no page of this result: start without one")
    return error
