"""The Redshift Data API (`redshift-data`), which ministack lacks: SQL over HTTPS, run through the local Redshift.

Amazon Redshift management guide, "Using the Amazon Redshift Data API", and its API reference. What is not here is
refused by name: events of EventBridge (`WithEvent`) and listings of one IAM session (`RoleLevel` false).
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, router
from ministack.services import secretsmanager

from infra.local.emulator.redshift_data import schema_listing
from infra.local.emulator.redshift_data.api_errors import JSON_TYPE, DataApiError, invalid
from infra.local.emulator.redshift_data.named_parameters import check_used
from infra.local.emulator.redshift_data.request_model import check_request
from infra.local.emulator.redshift_data.statement_runs import OpenSession, Runner
from infra.local.emulator.redshift_data.statement_store import Run, Statement, Statements
from infra.local.emulator.redshift_data.warehouse_login import Login, login_of
from infra.local.emulator.settings import EmulatorSettings

SERVICE = "redshift-data"
# "Considerations when calling the Amazon Redshift Data API".
MOST_SQL_BYTES = 100 * 1024
PAGE_ENTRIES = 1000
LISTED = 100
_LOCAL = "not supported by the local Data API: "

Request = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]


def install(settings: EmulatorSettings) -> None:
    """Serve the Data API beside ministack's services: routed by its target, signed and authorised as they are."""
    router.SERVICE_PATTERNS[SERVICE] = {"target_prefixes": ["RedshiftData"], "credential_scope": SERVICE}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_HANDLERS[SERVICE] = DataApi(settings.state_dir).handle


class DataApi:
    """Its operations. `state_dir` has the registration of the warehouse."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._statements = Statements()
        self._runner = Runner()

    async def handle(
        self, _method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, Any]
    ) -> Response:
        """Answer one request."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            answer = await self._operation(operation)(check_request(operation, _parsed(body)))
        except DataApiError as error:
            return error.response()
        return 200, {"Content-Type": JSON_TYPE}, json.dumps(answer).encode()

    def _operation(self, name: str) -> Callable[[Request], Any]:
        return {
            "ExecuteStatement": self._execute,
            "BatchExecuteStatement": self._execute,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "GetStatementResultV2": self._result_in_csv,
            "CancelStatement": self._cancel,
            "ListStatements": self._list_statements,
            "ListSessions": self._list_sessions,
            "ListDatabases": self._list_databases,
            "ListSchemas": self._list_schemas,
            "ListTables": self._list_tables,
            "DescribeTable": self._describe_table,
        }.get(name, _unknown(name))

    async def _execute(self, asked: Request) -> Request:
        texts: Sequence[str] = asked["Sqls"] if "Sqls" in asked else [asked["Sql"]]
        _check_statement(asked, texts)
        caller, repeated = _caller(), json.dumps(asked, sort_keys=True)
        statement = self._statements.by_token(caller, asked.get("ClientToken"), repeated)
        if statement is None:
            statement = self._submit(asked, texts, caller, repeated)
        await _wait(statement, asked)
        session = {"SessionId": statement.session_id} if statement.session_id else {}
        waited = {}
        if asked.get("WaitTimeSeconds"):
            told = statement.described()
            waited = {name: told[name] for name in ("Status", "RedshiftPid", "HasResultSet") if name in told}
        return {
            **statement.login.target,
            "DbUser": statement.login.user,
            "Id": statement.id,
            "CreatedAt": statement.created,
            **session,
            **waited,
        }

    def _submit(self, asked: Request, texts: Sequence[str], caller: str, repeated: str) -> Statement:
        keep_alive = asked.get("SessionKeepAliveSeconds")
        if asked.get("SessionId"):
            login_members = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")
            if named := [name for name in login_members if asked.get(name)]:
                raise invalid(f"{', '.join(named)} cannot be specified with SessionId.")
            taken = self._runner.take_session(asked["SessionId"], caller, keep_alive)
            session: OpenSession | None = taken
            login = taken.login
        else:
            login = self._login(asked, asked.get("Database", ""))
            session = self._runner.open_session(login, keep_alive, caller) if keep_alive else None
        statement = Statement(login, asked, [], "Sqls" in asked, session.id if session else None, caller)
        statement.runs = [Run(text, statement.created) for text in texts]
        self._statements.add(statement, asked.get("ClientToken"), repeated)
        self._runner.start(statement, session)
        return statement

    def _login(self, asked: Request, database: str) -> Login:
        return login_of(asked, self._state_dir, secretsmanager.resolve_secret_string, database)

    async def _describe(self, asked: Request) -> Request:
        statement, run = self._statements.get(asked["Id"], _caller())
        await _wait(statement, asked)
        if run is None:
            return statement.described()
        return {**run.described(), **statement.login.target, "Id": asked["Id"], "ResultFormat": statement.format}

    async def _result(self, asked: Request) -> Request:
        statement, run, number = await self._finished(asked)
        if statement.format != "JSON":
            raise invalid("The result is in CSV format: use GetStatementResultV2.")
        answer = _page(run, number)
        return answer | {"Records": json.loads(run.result.page(number)) if run.result else []}

    async def _result_in_csv(self, asked: Request) -> Request:
        statement, run, number = await self._finished(asked)
        if statement.format != "CSV":
            raise invalid("The result is in JSON format: use GetStatementResult.")
        text = run.result.page(number) if run.result else ""
        return _page(run, number) | {"Records": [{"CSVRecords": text}], "ResultFormat": "CSV"}

    async def _finished(self, asked: Request) -> tuple[Statement, Run, int]:
        """(the statement, the text whose rows are asked for, the page). Raises as AWS where there are none."""
        statement, run = self._statements.get(asked["Id"], _caller())
        await _wait(statement, asked)
        if run is None and statement.batch:
            raise invalid("The result of a batch is that of its statements: append :1, :2, ... to the Id.")
        run = run or statement.runs[0]
        if run.status != "FINISHED" or statement.status != "FINISHED":
            raise DataApiError("ResourceNotFoundException", "Query is not in FINISHED state.", ResourceId=asked["Id"])
        if run.result is None:
            raise DataApiError("ResourceNotFoundException", "Query does not have result.", ResourceId=asked["Id"])
        number = _place(asked)
        if number >= run.result.pages:
            raise invalid("Invalid NextToken.")
        return statement, run, number

    async def _cancel(self, asked: Request) -> Request:
        statement, run = self._statements.get(asked["Id"], _caller())
        if run is not None:
            raise invalid("Cannot cancel a sub-statement of a batch.")
        await asyncio.to_thread(self._runner.cancel, statement)
        return {"Status": True}

    async def _list_statements(self, asked: Request) -> Request:
        _whole_role(asked)
        wanted = asked.get("Status") or "ALL"
        found = [
            statement.listed()
            for statement in self._statements.newest_first(_caller())
            if wanted in ("ALL", statement.status)
            and str(statement.request.get("StatementName") or "").startswith(asked.get("StatementName") or "")
            and _targets(asked, statement.login)
        ]
        return _listed("Statements", found, asked, LISTED)

    async def _list_sessions(self, asked: Request) -> Request:
        _whole_role(asked)
        filters = [name for name in ("Status", "ClusterIdentifier", "WorkgroupName", "Database") if asked.get(name)]
        if asked.get("SessionId") and filters:
            raise invalid(f"{', '.join(filters)} cannot be specified with SessionId.")
        statuses = (asked["Status"],) if asked.get("Status") else ("AVAILABLE", "BUSY")
        found = [
            session.listed()
            for session in self._runner.sessions(_caller())
            if (session.id == asked["SessionId"] if asked.get("SessionId") else session.status in statuses)
            and _targets(asked, session.login)
        ]
        return _listed("Sessions", found, asked, LISTED)

    async def _list_databases(self, asked: Request) -> Request:
        login = self._login(asked, asked.get("Database", ""))
        return _listed("Databases", await asyncio.to_thread(schema_listing.databases, login), asked, PAGE_ENTRIES)

    async def _list_schemas(self, asked: Request) -> Request:
        found = await asyncio.to_thread(schema_listing.schemas, self._connected(asked), asked.get("SchemaPattern"))
        return _listed("Schemas", found, asked, PAGE_ENTRIES)

    async def _list_tables(self, asked: Request) -> Request:
        patterns = asked.get("SchemaPattern"), asked.get("TablePattern")
        found = await asyncio.to_thread(schema_listing.tables, self._connected(asked), *patterns)
        return _listed("Tables", found, asked, PAGE_ENTRIES)

    async def _describe_table(self, asked: Request) -> Request:
        names = asked.get("Schema"), asked.get("Table")
        found = await asyncio.to_thread(schema_listing.table_columns, self._connected(asked), *names)
        table = {"TableName": asked["Table"]} if asked.get("Table") else {}
        return table | _listed("ColumnList", found, asked, PAGE_ENTRIES)

    def _connected(self, asked: Request) -> Login:
        """A listing is of `Database`, connected to `ConnectedDatabase` where that is given; here both are the same."""
        database = asked["Database"]
        if asked.get("ConnectedDatabase") not in (None, "", database):
            raise invalid(f"{_LOCAL}a ConnectedDatabase other than Database")
        return self._login(asked, database)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise DataApiError("SerializationException", "The request body is not JSON.") from error


def _unknown(name: str) -> Callable[[Request], Any]:
    def refuse(_asked: Request) -> Any:
        raise DataApiError("UnknownOperationException", f"{_LOCAL}{name}")

    return refuse


def _check_statement(asked: Request, texts: Sequence[str]) -> None:
    if asked.get("WithEvent"):
        raise invalid(f"{_LOCAL}WithEvent; ask DescribeStatement for the status")
    if any(not text.strip() for text in texts):
        raise invalid("SQL statement is empty.")
    if sum(len(text.encode()) for text in texts) > MOST_SQL_BYTES:
        raise invalid("Cannot process query string larger than 100kB")
    check_used([given["name"] for given in asked.get("Parameters") or []], texts)


def _whole_role(asked: Request) -> None:
    if asked.get("RoleLevel") is False:
        raise invalid(f"{_LOCAL}RoleLevel false: what one IAM session has run")


def _caller() -> str:
    """Whose statements these are: the sessions of a role share them ("Authorizing access ...", same guide)."""
    arn: str = iam_evaluator.caller_arn()
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn


async def _wait(statement: Statement, asked: Request) -> None:
    """Up to WaitTimeSeconds, for the statement's end."""
    if seconds := asked.get("WaitTimeSeconds"):
        await asyncio.wait([asyncio.wrap_future(statement.done)], timeout=seconds)


def _page(run: Run, number: int) -> Request:
    """What both forms of a result have in common."""
    if run.result is None:
        return {}
    following = {"NextToken": str(number + 1)} if number + 1 < run.result.pages else {}
    metadata = [column.metadata() for column in run.result.columns]
    return {"ColumnMetadata": metadata, "TotalNumRows": run.result.rows, **following}


def _place(asked: Request) -> int:
    token = asked.get("NextToken") or "0"
    if not token.isdecimal() or len(token) > 9:
        raise invalid("Invalid NextToken.")
    return int(token)


def _listed(name: str, found: Sequence[Any], asked: Request, most: int) -> Request:
    start, size = _place(asked), asked.get("MaxResults") or most
    following = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {name: list(found[start : start + size]), **following}


def _targets(asked: Request, login: Login) -> bool:
    """Whether a statement or session is of the warehouse and database that a listing names, if it names one."""
    names = ("ClusterIdentifier", "WorkgroupName", "Database")
    return all(asked[name] == login.target.get(name) for name in names if asked.get(name))
