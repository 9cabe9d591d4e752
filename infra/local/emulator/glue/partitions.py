"""Glue partitions: filters, pages, the batch limits, and replacement in one step.

AWS Glue API reference, "Partition API". Stock ministack returns every partition whatever is asked, empties a
partition before it fills it again on update, looks each one up by a scan, and lacks UpdatePartition and
BatchDeletePartition.
"""

import base64
import json
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, json_response
from ministack.services import glue

from infra.local.emulator.glue.expression import ExpressionError, compile_expression, typed

PAGE = 1000
BATCH_LIMITS = {"PartitionInputList": 100, "Entries": 100, "PartitionsToDelete": 25, "PartitionsToGet": 1000}
Values = tuple[str, ...]

lock = threading.RLock()
_stock_handle = glue._handle_request_sync
_stock_update_table = glue._update_table
_stock_load = glue.load_persisted_state
_TABLE_DEFAULTS: dict[str, Any] = {
    "Description": "",
    "Owner": "",
    "StorageDescriptor": {},
    "PartitionKeys": [],
    "TableType": "",
    "Parameters": {},
    "ViewOriginalText": None,
    "ViewExpandedText": None,
}


class GlueError(Exception):
    """An AWS error: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Replace the partition operations, for the API and for CloudFormation."""
    handlers: dict[str, Callable[[Any], Any]] = {
        "GetPartitions": get_partitions,
        "GetPartition": get_partition,
        "CreatePartition": create_partition,
        "UpdatePartition": update_partition,
        "DeletePartition": delete_partition,
        "BatchGetPartition": batch_get_partition,
        "BatchCreatePartition": batch_create_partition,
        "BatchUpdatePartition": batch_update_partition,
        "BatchDeletePartition": batch_delete_partition,
    }
    glue._update_table = _update_table
    glue.load_persisted_state = _load_persisted_state
    glue._create_partition = _answering(create_partition)
    glue._delete_partition = _answering(delete_partition)
    glue._batch_update_partition = _answering(batch_update_partition)

    def handle(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action in handlers and not path.startswith("/iceberg"):
            return _answering(handlers[action])(json.loads(body))
        return _stock_handle(method, path, headers, body, query)

    glue._handle_request_sync = handle


def _answering(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def answer(data: Any) -> Any:
        try:
            with lock:
                return json_response(operation(data))
        except GlueError as error:
            return error_response_json(error.code, str(error), 400)

    return answer


def _update_table(data: Any) -> Any:
    """UpdateTable replaces the definition: what the input leaves out is gone (stock ministack keeps it)."""
    return _stock_update_table({**data, "TableInput": {**_TABLE_DEFAULTS, **data["TableInput"]}})


def table_of(data: Any) -> Any:
    """The table a request names; raises GlueError."""
    table = glue._tables.get(f"{data['DatabaseName']}/{data['TableName']}")
    if table is None:
        raise GlueError("EntityNotFoundException", f"Table {data['DatabaseName']}.{data['TableName']} not found.")
    return table


def partitions_of(data: Any) -> dict[Values, Any]:
    """A table's partitions by their values; a copy, to be changed and stored."""
    stored = glue._partitions.get(f"{data['DatabaseName']}/{data['TableName']}", [])
    return {tuple(partition["Values"]): partition for partition in stored}


def store(data: Any, partitions: dict[Values, Any]) -> None:
    """Replace a table's partitions in one step: a reader sees those of before or those of after."""
    glue._partitions[f"{data['DatabaseName']}/{data['TableName']}"] = list(partitions.values())


def get_partitions(data: Any) -> Any:
    """GetPartitions, in the order of the values, with Expression, Segment, MaxResults and NextToken."""
    table = table_of(data)
    keys = [(key["Name"].lower(), key.get("Type", "string").lower()) for key in table.get("PartitionKeys") or []]
    found = sorted(partitions_of(data).items())
    if data.get("Expression"):
        found = _matching(found, data["Expression"], keys)
    if segment := data.get("Segment"):
        number, total = segment["SegmentNumber"], segment["TotalSegments"]
        found = [item for item in found if _segment(item[0], total) == number]
    if token := data.get("NextToken"):
        after = tuple(json.loads(base64.b64decode(token)))
        found = [item for item in found if item[0] > after]
    size = min(int(data.get("MaxResults") or PAGE), PAGE)
    page = [_shown(partition, data) for _values, partition in found[:size]]
    response: dict[str, Any] = {"Partitions": page}
    if len(found) > size:
        response["NextToken"] = base64.b64encode(json.dumps(found[size - 1][0]).encode()).decode()
    return response


def _matching(
    found: list[tuple[Values, Any]], expression: str, keys: list[tuple[str, str]]
) -> list[tuple[Values, Any]]:
    try:
        predicate = compile_expression(expression, dict(keys))
        return [
            item
            for item in found
            if predicate({name: typed(value, kind) for (name, kind), value in zip(keys, item[0], strict=True)})
        ]
    except ExpressionError as error:
        raise GlueError("InvalidInputException", str(error)) from error


def _segment(values: Values, total: int) -> int:
    return sum("/".join(values).encode()) % total


def _shown(partition: Any, data: Any) -> Any:
    if not data.get("ExcludeColumnSchema"):
        return partition
    descriptor = {name: value for name, value in partition["StorageDescriptor"].items() if name != "Columns"}
    return partition | {"StorageDescriptor": descriptor}


def get_partition(data: Any) -> Any:
    """GetPartition."""
    table_of(data)
    partition = partitions_of(data).get(tuple(data["PartitionValues"]))
    if partition is None:
        raise GlueError("EntityNotFoundException", f"Partition {data['PartitionValues']} not found.")
    return {"Partition": partition}


def create_partition(data: Any) -> Any:
    """CreatePartition."""
    table, partitions = table_of(data), partitions_of(data)
    _create(data, table, partitions, data["PartitionInput"])
    store(data, partitions)
    return {}


def update_partition(data: Any) -> Any:
    """UpdatePartition; other values in the input move the partition."""
    table, partitions = table_of(data), partitions_of(data)
    _update(data, table, partitions, tuple(data["PartitionValueList"]), data["PartitionInput"])
    store(data, partitions)
    return {}


def delete_partition(data: Any) -> Any:
    """DeletePartition."""
    table_of(data)
    partitions = partitions_of(data)
    _delete(partitions, tuple(data["PartitionValues"]))
    store(data, partitions)
    return {}


def batch_get_partition(data: Any) -> Any:
    """BatchGetPartition; partitions that do not exist are left out."""
    table_of(data)
    partitions = partitions_of(data)
    wanted = [tuple(entry["Values"]) for entry in _entries(data, "PartitionsToGet")]
    found = [partitions[values] for values in wanted if values in partitions]
    return {"Partitions": found, "UnprocessedKeys": []}


def batch_create_partition(data: Any) -> Any:
    """BatchCreatePartition, up to 100: what fails is reported, the others are created."""
    table, partitions = table_of(data), partitions_of(data)
    errors = []
    for entry in _entries(data, "PartitionInputList"):
        try:
            _create(data, table, partitions, entry)
        except GlueError as error:
            errors.append({"PartitionValues": entry["Values"], "ErrorDetail": _detail(error)})
    store(data, partitions)
    return {"Errors": errors}


def batch_update_partition(data: Any) -> Any:
    """BatchUpdatePartition, up to 100: what fails is reported, the others are updated."""
    table, partitions = table_of(data), partitions_of(data)
    errors = []
    for entry in _entries(data, "Entries"):
        values = tuple(entry["PartitionValueList"])
        try:
            _update(data, table, partitions, values, entry["PartitionInput"])
        except GlueError as error:
            errors.append({"PartitionValueList": list(values), "ErrorDetail": _detail(error)})
    store(data, partitions)
    return {"Errors": errors}


def batch_delete_partition(data: Any) -> Any:
    """BatchDeletePartition, up to 25: what fails is reported, the others are deleted."""
    table_of(data)
    partitions = partitions_of(data)
    errors = []
    for entry in _entries(data, "PartitionsToDelete"):
        try:
            _delete(partitions, tuple(entry["Values"]))
        except GlueError as error:
            errors.append({"PartitionValues": entry["Values"], "ErrorDetail": _detail(error)})
    store(data, partitions)
    return {"Errors": errors}


def _entries(data: Any, name: str) -> list[Any]:
    entries: list[Any] = data[name]
    if len(entries) > BATCH_LIMITS[name]:
        raise GlueError("ValidationException", f"{name} has {len(entries)} members; the limit is {BATCH_LIMITS[name]}.")
    return entries


def _detail(error: GlueError) -> dict[str, str]:
    return {"ErrorCode": error.code, "ErrorMessage": str(error)}


def _create(data: Any, table: Any, partitions: dict[Values, Any], entry: Any) -> None:
    values = _values(table, entry.get("Values"))
    if values in partitions:
        raise GlueError("AlreadyExistsException", f"Partition {list(values)} already exists.")
    partitions[values] = record(data, entry, int(time.time()))


def _update(data: Any, table: Any, partitions: dict[Values, Any], values: Values, entry: Any) -> None:
    if values not in partitions:
        raise GlueError("EntityNotFoundException", f"Partition {list(values)} not found.")
    new = _values(table, entry.get("Values") or list(values))
    if new != values and new in partitions:
        raise GlueError("AlreadyExistsException", f"Partition {list(new)} already exists.")
    created = partitions.pop(values)["CreationTime"]
    partitions[new] = record(data, {**entry, "Values": list(new)}, created)


def _delete(partitions: dict[Values, Any], values: Values) -> None:
    if partitions.pop(values, None) is None:
        raise GlueError("EntityNotFoundException", f"Partition {list(values)} not found.")


def _values(table: Any, values: Any) -> Values:
    keys = table.get("PartitionKeys") or []
    if len(values or []) != len(keys):
        names = [key["Name"] for key in keys]
        raise GlueError("InvalidInputException", f"The partition keys are {names}, the values {values}.")
    return tuple(values)


def record(data: Any, entry: Any, created: int) -> dict[str, Any]:
    """A partition as the catalog keeps it."""
    return {
        "Parameters": {},
        **_sharing_columns(entry),
        "DatabaseName": data["DatabaseName"],
        "TableName": data["TableName"],
        "CreationTime": created,
        "LastAccessTime": int(time.time()),
        "CatalogId": get_account_id(),
    }


def _sharing_columns(partition: Any) -> Any:
    """The partition with columns that are there once for all that have the same: they are most of what it takes."""
    descriptor = partition.get("StorageDescriptor") or {}
    if not descriptor.get("Columns"):
        return partition
    return partition | {"StorageDescriptor": descriptor | {"Columns": _shared(json.dumps(descriptor["Columns"]))}}


@lru_cache(maxsize=256)
def _shared(columns: str) -> Any:
    return json.loads(columns)


def _load_persisted_state(state: Any) -> None:
    _stock_load(state)
    for partitions in glue._partitions.all_values():
        partitions[:] = map(_sharing_columns, partitions)
