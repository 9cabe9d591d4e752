"""Erasing from the tables of the console and of the pulls, in a DynamoDB."""

from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from iot_pipeline.erasure.item_steps import ItemEraser, items_of
from iot_pipeline.erasure.subject import Subject
from iot_pipeline_tests.support.emulator import LocalAws, unique

SUBJECT = Subject("device", "meter-1", frozenset({"meter-1"}))


def table(dynamodb: Any, keys: list[str], *items: dict[str, Any]) -> str:
    """A new table with these keys, all texts, and these items."""
    name = unique("kept")
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in items:
        written = {key: TypeSerializer().serialize(value) for key, value in item.items()}
        dynamodb.put_item(TableName=name, Item=written)
    return name


def held(dynamodb: Any, name: str, key: str) -> dict[str, dict[str, Any]]:
    return {item[key]: item for item in items_of(dynamodb, name)}


@pytest.fixture
def dynamodb(local_aws: LocalAws) -> Any:
    return local_aws.client("dynamodb")


def test_of_a_pull_the_last_error_is_redacted_and_where_it_stands_stays(dynamodb: Any) -> None:
    pull = table(
        dynamodb,
        ["id"],
        {"id": "weather/a", "error": "page 3: meter-1 has no unit", "done_to_ms": 5},
        {"id": "weather/b", "error": "", "done_to_ms": 6},
        {"id": "gap/meter-1/observations/7", "expected": 2},
    )
    eraser = ItemEraser(dynamodb, "no-console", pull, SUBJECT)
    assert eraser.erase() == 1
    left = held(dynamodb, pull, "id")
    assert "meter-1" not in left["weather/a"]["error"]
    assert left["weather/a"]["error"].startswith("page 3: ")
    assert [left[name]["done_to_ms"] for name in ("weather/a", "weather/b")] == [5, 6]
    # What the vendor's file is called is said, and is not taken away.
    assert [found.place for found in eraser.found()] == [f"{pull} gap/meter-1/observations/7"]


def test_of_the_console_layouts_keep_other_devices_and_the_audit_stays(dynamodb: Any) -> None:
    console = table(
        dynamodb,
        ["key", "sort"],
        {"key": "layout#ann", "sort": "1", "devices": ["meter-1", "meter-2"]},
        {"key": "layout#bob", "sort": "1", "devices": ["meter-1"]},
        {"key": "saved#ann", "sort": "1", "sql": "SELECT 'meter-1'"},
        {"key": "audit#2026", "sort": "1", "what": "moved meter-1"},
        {"key": "layout#eve", "sort": "1", "devices": ["meter-10"]},
    )
    eraser = ItemEraser(dynamodb, console, None, SUBJECT)
    assert eraser.erase() == 3
    left = held(dynamodb, console, "key")
    assert {name: item.get("devices") for name, item in left.items()} == {
        "layout#ann": ["meter-2"],
        "audit#2026": None,
        "layout#eve": ["meter-10"],
    }
    assert [(found.place, found.expires) for found in eraser.found()] == [
        (f"{console} audit#2026 1", "400 days after each entry")
    ]
    assert eraser.erase() == 0
