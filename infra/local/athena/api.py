"""The operations of the Athena API (Amazon Athena API reference)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infra.local.athena import caller_identity
from infra.local.athena.catalog_api import CatalogApi, check_catalog
from infra.local.athena.errors import ApiError
from infra.local.athena.execute import Statements
from infra.local.athena.named_queries import NamedQueryApi
from infra.local.athena.pages import Body, page
from infra.local.athena.queries.execution import Execution
from infra.local.athena.queries.execution_parameters import Prepared
from infra.local.athena.queries.executions import Executions
from infra.local.athena.queries.workgroups import ENGINE, WorkGroups
from infra.local.athena.sql.bounds import too_long

MAX_PAGE = 1000
"""Rows in one GetQueryResults page (API reference)."""

_UNFINISHED = {"QUEUED", "RUNNING"}
_OF_NO_WORKGROUP = {
    "ListWorkGroups",
    "ListEngineVersions",
    "ListDataCatalogs",
    "BatchGetNamedQuery",
    "ListTagsForResource",
}


class Api:
    """Operations by name; each takes the request body and returns the answer."""

    def __init__(self, workgroups: WorkGroups, statements: Statements, executions: Executions) -> None:
        self._workgroups, self._statements, self._executions = workgroups, statements, executions
        self._catalog_api = CatalogApi(statements.catalog)
        self._named_queries = NamedQueryApi(workgroups.emulator)

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """StartQueryExecution and so on -> method."""
        parts = (self, self._catalog_api, self._named_queries)
        return {name: operation for part in parts for name, operation in _operations_of(part).items()}

    def resources(self, operation: str, body: Mapping[str, Any]) -> Sequence[str]:
        """What an operation is on, as the end of an ARN (service authorization reference, "Amazon Athena").

        Raises ApiError for an execution that is unknown. Whatever is asked of a named query by its id is on `*`.
        """
        if "QueryExecutionIds" in body:
            known = [self._executions.find(name) for name in body["QueryExecutionIds"]]
            groups = {execution.workgroup.name for execution in known if execution}
        elif "QueryExecutionId" in body:
            groups = {self._executions.get(body["QueryExecutionId"]).workgroup.name}
        elif "CatalogName" in body or operation == "GetDataCatalog":
            return [f"datacatalog/{body.get('CatalogName') or body.get('Name')}"]
        elif operation in _OF_NO_WORKGROUP or operation.endswith("NamedQuery"):
            return ["*"]
        else:
            groups = {str(body.get("WorkGroup") or body.get("Name") or "primary")}
        return [f"workgroup/{name}" for name in sorted(groups)]

    # Query executions

    def start_query_execution(self, body: Body) -> Body:
        sql = body["QueryString"]
        if message := too_long(sql):
            raise ApiError("InvalidRequestException", message)
        if not sql.strip():
            raise ApiError("InvalidRequestException", "Query string cannot be empty")
        _refuse_reuse(body)
        context = body.get("QueryExecutionContext") or {}
        check_catalog(context.get("Catalog") or "AwsDataCatalog")
        group = self._workgroups.get(body.get("WorkGroup"))
        if group.state != "ENABLED":
            raise ApiError("InvalidRequestException", f"WorkGroup {group.name} is disabled.")
        output = (body.get("ResultConfiguration") or {}).get("OutputLocation")
        output = group.output_location or output if group.enforced else output or group.output_location
        if not output:
            raise ApiError(
                "InvalidRequestException",
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input.",
            )
        # awswrangler quotes a database as DDL does.
        database = (context.get("Database") or "default").strip("`").lower()
        self._statements.check_results(output)
        execution = Execution(
            sql, database, group, "", body.get("ExecutionParameters"), caller=caller_identity.current()
        )
        execution.output = f"{output.rstrip('/')}/{execution.id}.csv"
        return {"QueryExecutionId": self._executions.start(execution, body.get("ClientRequestToken")).id}

    def get_query_execution(self, body: Body) -> Body:
        return {"QueryExecution": self._executions.get(body["QueryExecutionId"]).describe()}

    def batch_get_query_execution(self, body: Body) -> Body:
        found, missing = [], []
        for name in body["QueryExecutionIds"]:
            try:
                found.append(self._executions.get(name).describe())
            except ApiError as error:
                missing.append({"QueryExecutionId": name, "ErrorCode": error.code, "ErrorMessage": error.message})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_query_executions(self, body: Body) -> Body:
        ids = self._executions.ids(body.get("WorkGroup") or "primary")
        return page(ids, body, "QueryExecutionIds", 50)

    def stop_query_execution(self, body: Body) -> Body:
        self._executions.stop(self._executions.get(body["QueryExecutionId"]))
        return {}

    def get_query_results(self, body: Body) -> Body:
        execution = self._executions.get(body["QueryExecutionId"])
        _require_success(execution)
        if body.get("QueryResultType", "DATA_ROWS") != "DATA_ROWS":
            raise ApiError("InvalidRequestException", "NOT_SUPPORTED_LOCALLY: QueryResultType DATA_MANIFEST")
        size = min(int(body.get("MaxResults") or MAX_PAGE), MAX_PAGE)
        start = int(body.get("NextToken") or 0)
        if start == 0 and execution.has_result:
            self._statements.check_result(execution.output)
        rows = execution.rows.page(start, size)
        answer: Body = {
            "ResultSet": {
                "Rows": [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": execution.columns},
            },
            "UpdateCount": execution.update_count or 0,
        }
        if start + size < len(execution.rows):
            answer["NextToken"] = str(start + size)
        return answer

    def get_query_runtime_statistics(self, body: Body) -> Body:
        execution = self._executions.get(body["QueryExecutionId"])
        described = execution.describe()["Statistics"]
        timeline = {k: v for k, v in described.items() if k.endswith("InMillis")}
        rows = {"InputBytes": execution.scanned, "OutputRows": len(execution.rows)}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    # Workgroups

    def get_work_group(self, body: Body) -> Body:
        return {"WorkGroup": self._workgroups.get(body["WorkGroup"]).describe()}

    def list_work_groups(self, body: Body) -> Body:
        groups = [{k: v for k, v in g.describe().items() if k != "Configuration"} for g in self._workgroups.all()]
        return page(groups, body, "WorkGroups", 50)

    def create_work_group(self, body: Body) -> Body:
        self._workgroups.create(body["Name"], body.get("Configuration") or {}, body.get("Description", ""))
        return {}

    def update_work_group(self, body: Body) -> Body:
        updates = body.get("ConfigurationUpdates") or {}
        self._workgroups.update(body["WorkGroup"], updates, body.get("Description"), body.get("State"))
        return {}

    def delete_work_group(self, body: Body) -> Body:
        self._workgroups.delete(body["WorkGroup"])
        return {}

    def list_engine_versions(self, body: Body) -> Body:
        return page(
            [ENGINE, {**ENGINE, "SelectedEngineVersion": "Athena engine version 3"}], body, "EngineVersions", 10
        )

    # Prepared statements

    def create_prepared_statement(self, body: Body) -> Body:
        self._statements.prepared.put(_prepared(body), new=True)
        return {}

    def update_prepared_statement(self, body: Body) -> Body:
        self._statements.prepared.get(body["WorkGroup"], body["StatementName"])
        self._statements.prepared.put(_prepared(body), new=False)
        return {}

    def get_prepared_statement(self, body: Body) -> Body:
        found = self._statements.prepared.get(body["WorkGroup"], body["StatementName"])
        return {
            "PreparedStatement": {
                "StatementName": found.name,
                "QueryStatement": found.sql,
                "WorkGroupName": found.workgroup,
                "Description": found.description,
            }
        }

    def list_prepared_statements(self, body: Body) -> Body:
        names = [{"StatementName": s.name} for s in self._statements.prepared.of(body["WorkGroup"])]
        return page(names, body, "PreparedStatements", 50)

    def delete_prepared_statement(self, body: Body) -> Body:
        self._statements.prepared.delete(body["WorkGroup"], body["StatementName"])
        return {}

    # Tags

    def list_tags_for_resource(self, _: Body) -> Body:
        return {"Tags": []}


def _operations_of(part: object) -> dict[str, Callable[[Body], Body]]:
    return {
        "".join(word.capitalize() for word in name.split("_")): getattr(part, name)
        for name in dir(type(part))
        if not name.startswith("_") and name != "operations"
    }


def _require_success(execution: Execution) -> None:
    if execution.state in _UNFINISHED:
        raise ApiError("InvalidRequestException", f"Query has not yet finished. Current state: {execution.state}")
    if execution.state != "SUCCEEDED":
        message = f"Query did not finish successfully. Final query state: {execution.state}"
        raise ApiError("InvalidRequestException", message)


def _refuse_reuse(body: Body) -> None:
    """Every statement runs here, so that a client that counts on an earlier result is told (API reference,
    "ResultReuseConfiguration").
    """
    by_age = (body.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
    if by_age.get("Enabled"):
        raise ApiError(
            "InvalidRequestException",
            "NOT_SUPPORTED_LOCALLY: ResultReuseConfiguration; every statement runs here: leave it out, or set "
            "ResultReuseByAgeConfiguration.Enabled to false",
        )


def _prepared(body: Body) -> Prepared:
    return Prepared(body["StatementName"], body["WorkGroup"], body["QueryStatement"], body.get("Description", ""))
