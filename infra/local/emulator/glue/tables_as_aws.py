"""Glue's databases and tables as clients expect them (AWS Glue API reference, "Database API", "Table API").

Names are folded to lower case when they are stored and looked up ("For Hive compatibility, this name is entirely
lowercase"). Stock ministack keeps their case, lists the tables of a database that is not there, and answers with texts
that nobody gave as empty ones, which a client that sends a table back (UpdateTable) is refused for.
"""

import json
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import glue

from infra.local.emulator.glue import table_versions

_FOLDED = frozenset({"DatabaseName", "TableName"})
_TABLE = frozenset({"GetTable", "DeleteTable", "CreateTable", "UpdateTable"})
_DATABASE = frozenset({"GetDatabase", "DeleteDatabase", "CreateDatabase", "UpdateDatabase"})


def install() -> None:
    """Replace reading of tables, and fold the names of every request, those of partitions among them."""
    stock = glue._handle_request_sync
    glue._get_table = _get_table
    glue._get_tables = _get_tables
    table_versions.install()

    def handle(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if not body or not action or path.startswith("/iceberg"):
            return stock(method, path, headers, body, query)
        try:
            data = _folded(json.loads(body), action)
        except ValueError:  # no JSON: stock ministack says so
            return stock(method, path, headers, body, query)
        answer = table_versions.answer(action, data)
        return answer or stock(method, path, headers, json.dumps(data).encode(), query)

    glue._handle_request_sync = handle


def _folded(data: Any, action: str) -> Any:
    names = _FOLDED | ({"Name"} if action in _TABLE | _DATABASE else set())
    folded: dict[str, Any] = {
        key: value.lower() if key in names and isinstance(value, str) else value for key, value in data.items()
    }
    for part in ("TableInput", "DatabaseInput"):
        if isinstance(folded.get(part), dict) and isinstance(folded[part].get("Name"), str):
            folded[part] = {**folded[part], "Name": folded[part]["Name"].lower()}
    if isinstance(folded.get("TablesToDelete"), list):
        folded["TablesToDelete"] = [str(name).lower() for name in folded["TablesToDelete"]]
    return folded


def _get_table(data: Any) -> Any:
    """GetTable."""
    table = glue._tables.get(f"{data.get('DatabaseName')}/{data.get('Name')}")
    if not table:
        return error_response_json("EntityNotFoundException", "Entity Not Found", 400)
    return json_response({"Table": table_versions.shown(table)})


def _get_tables(data: Any) -> Any:
    """GetTables, by name, in pages of MaxResults (at most 100)."""
    database = data.get("DatabaseName")
    if database not in glue._databases:
        return error_response_json("EntityNotFoundException", f"Database {database} not found.", 400)
    found = sorted(
        (table for table in glue._tables.values() if table["DatabaseName"] == database), key=lambda table: table["Name"]
    )
    if data.get("Expression"):
        found = [table for table in found if glue._simple_glob_match(data["Expression"], table["Name"])]
    start, size = int(data.get("NextToken") or 0), min(int(data.get("MaxResults") or 100), 100)
    answer: dict[str, Any] = {"TableList": [table_versions.shown(table) for table in found[start : start + size]]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return json_response(answer)
