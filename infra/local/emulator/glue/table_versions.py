"""Versions of Glue's tables, which stock ministack lacks (AWS Glue API reference, "GetTableVersions" and its kin).

UpdateTable keeps the version before it, unless SkipArchive says otherwise. Versions are kept in the table's own record,
so that they are saved and deleted with it.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import glue

KEPT = "__versions"
"""The record's key for them; no answer shows it."""
_OK = 200


def install() -> None:
    """Archive on update; `answer` serves the operations."""
    stock = glue._update_table

    def update_table(data: Any) -> Any:
        table = _record(data, (data.get("TableInput") or {}).get("Name"))
        before = shown(table) if table else {}
        response = stock(data)
        if table and response[0] == _OK and not data.get("SkipArchive"):
            table[KEPT] = [*table.get(KEPT, []), before]
        return response

    glue._update_table = update_table


def shown(table: dict[str, Any]) -> dict[str, Any]:
    """A table without its versions and without texts that nobody gave."""
    return {name: value for name, value in table.items() if value not in ("", None) and name != KEPT}


def answer(action: str, data: Any) -> Any:
    """The answer of one of the operations below, or None for any other."""
    operation = _OPERATIONS.get(action)
    if operation is None:
        return None
    table = _record(data, data.get("TableName"))
    if table is None:
        return error_response_json("EntityNotFoundException", "Entity Not Found", 400)
    return operation(table, data)


def _record(data: Any, name: Any) -> Any:
    return glue._tables.get(f"{data.get('DatabaseName')}/{name}")


def _all(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions, newest first."""
    return [shown(table), *reversed(table.get(KEPT, []))]


def _get_all(table: dict[str, Any], data: Any) -> Any:
    """GetTableVersions, in pages of MaxResults (at most 100)."""
    found = [_version(item) for item in _all(table)]
    start, size = int(data.get("NextToken") or 0), min(int(data.get("MaxResults") or 100), 100)
    answer: dict[str, Any] = {"TableVersions": found[start : start + size]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return json_response(answer)


def _get_one(table: dict[str, Any], data: Any) -> Any:
    """GetTableVersion; the current one where no VersionId is given."""
    wanted = str(data.get("VersionId") or table.get("VersionId", "1"))
    found = next((item for item in _all(table) if item.get("VersionId", "1") == wanted), None)
    if found is None:
        return error_response_json("EntityNotFoundException", f"Version {wanted} not found.", 400)
    return json_response({"TableVersion": _version(found)})


def _delete_one(table: dict[str, Any], data: Any) -> Any:
    """DeleteTableVersion."""
    errors = _deleted(table, [str(data["VersionId"])])
    if errors:
        return error_response_json(errors[0]["ErrorCode"], errors[0]["ErrorMessage"], 400)
    return json_response({})


def _delete_some(table: dict[str, Any], data: Any) -> Any:
    """BatchDeleteTableVersion; what fails is reported, the others are deleted."""
    errors = [
        {"TableName": table["Name"], "VersionId": error.pop("VersionId"), "ErrorDetail": error}
        for error in _deleted(table, [str(version) for version in data["VersionIds"]])
    ]
    return json_response({"Errors": errors})


def _deleted(table: dict[str, Any], versions: list[str]) -> list[dict[str, str]]:
    """Remove archived versions; what is refused: the current one, and one that is not there."""
    kept = {item.get("VersionId", "1"): item for item in table.get(KEPT, [])}
    errors = []
    for version in versions:
        if version == table.get("VersionId", "1"):
            said = {"ErrorCode": "InvalidInputException", "ErrorMessage": "The current version cannot be deleted."}
            errors.append({"VersionId": version, **said})
        elif kept.pop(version, None) is None:
            said = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": f"Version {version} not found."}
            errors.append({"VersionId": version, **said})
    table[KEPT] = list(kept.values())
    return errors


def _version(table: dict[str, Any]) -> dict[str, Any]:
    return {"Table": table, "VersionId": table.get("VersionId", "1")}


_OPERATIONS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "GetTableVersions": _get_all,
    "GetTableVersion": _get_one,
    "DeleteTableVersion": _delete_one,
    "BatchDeleteTableVersion": _delete_some,
}
