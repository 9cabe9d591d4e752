"""AWS's batch calls answer 200 when a part of them failed, and listings end at a page: the rest must be looked for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.servers.checkout import CHECKOUT

# boto3's method: where its answer says what was not done (each service's API reference).
PARTS = {
    "batch_create_partition": "Errors",
    "batch_delete_partition": "Errors",
    "batch_delete_table": "Errors",
    "batch_delete_table_version": "Errors",
    "batch_execute_statement": "Responses",
    "batch_get_item": "UnprocessedKeys",
    "batch_get_partition": "UnprocessedKeys",
    "batch_get_query_execution": "UnprocessedQueryExecutionIds",
    "batch_stop_job_run": "Errors",
    "batch_update_partition": "Errors",
    "batch_write_item": "UnprocessedItems",
    "change_message_visibility_batch": "Failed",
    "delete_message_batch": "Failed",
    "delete_objects": "Errors",
    "publish_batch": "Failed",
    "put_events": "FailedEntryCount",
    "put_log_events": "rejectedLogEventsInfo",
    "put_record_batch": "FailedPutCount",
    "put_records": "FailedRecordCount",
    "send_message_batch": "Failed",
    "tag_resources": "FailedResourcesMap",
}
# Read by their paginators, or by what stands here in place of one. The tables of DynamoDB are `query` and `scan`.
PAGES = {
    "describe_instances": "",
    "get_partitions": "",
    "get_tables": "",
    "list_attached_policies": "",
    "list_certificates": "",
    "list_objects_v2": "",
    "list_object_versions": "",
    "list_thing_principals": "",
    "list_things": "",
    "scan": "LastEvaluatedKey",
}
# The servers of the local AWS answer these calls; they make none of them.
SERVERS = CHECKOUT / "infra" / "local" / "emulator"
# PyArrow's datasets are scanned too.
NO_TABLES = {"infra/local/bench/table_formats.py"}
SOURCES = sorted(
    path
    for folder in ("iot_pipeline", "simulator", "infra")
    for path in (CHECKOUT / folder).rglob("*.py")
    if SERVERS not in path.parents and str(path.relative_to(CHECKOUT)) not in NO_TABLES
)


def unlooked(source: str) -> Iterator[str]:
    """Calls of which a function does not look for the part that failed, or for the pages that follow."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        nodes = list(ast.walk(function))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not _is_bounded(node):
                needed = (PARTS | PAGES).get(node.func.attr)
                if needed is not None and needed not in texts:
                    yield f"{function.name} (line {node.lineno}): {node.func.attr} without {needed or 'its paginator'}"


def _is_bounded(call: ast.Call) -> bool:
    """Whether a listing says that it wants no more than so many."""
    return any(keyword.arg == "MaxKeys" for keyword in call.keywords)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_what_a_call_did_not_do_is_looked_for(path: Path) -> None:
    assert list(unlooked(path.read_text(encoding="utf-8"))) == []


def test_a_call_that_is_not_looked_at_is_found() -> None:
    careless = "def f(sqs):\n    sqs.delete_message_batch(Entries=[])\n    return sqs.list_objects_v2(Bucket='b')"
    assert list(unlooked(careless)) == [
        "f (line 2): delete_message_batch without Failed",
        "f (line 3): list_objects_v2 without its paginator",
    ]
    assert list(unlooked("def f(sqs):\n    return sqs.delete_message_batch(Entries=[])['Failed']")) == []
