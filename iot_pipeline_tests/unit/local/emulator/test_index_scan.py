"""A scan of an index answers as stock ministack's does, and reads no item that the index has not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ministack.core.responses import request_scope
from ministack.services import dynamodb as stock

from infra.local.emulator import dynamodb, index_scan
from infra.local.emulator.packed_items import PackedItems

TEXT = {"AttributeType": "S"}


def key(partition: str, sort: str | None = None) -> list[dict[str, str]]:
    ranged = [{"AttributeName": sort, "KeyType": "RANGE"}] if sort else []
    return [{"AttributeName": partition, "KeyType": "HASH"}, *ranged]


def index(name: str, schema: list[dict[str, str]]) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}


TABLE: dict[str, Any] = {
    "TableName": "alerts",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": key("id", "at"),
    "AttributeDefinitions": [{"AttributeName": name, **TEXT} for name in ("id", "at", "open", "since")],
    "GlobalSecondaryIndexes": [index("open", key("open", "since")), index("state", key("open"))],
    "LocalSecondaryIndexes": [index("local", key("id", "since"))],
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stock, "_set_item", dynamodb._set_item)
    tables = stock._tables.__class__
    stock._tables.__class__ = index_scan._Tables
    yield
    stock._tables.__class__ = tables
    stock._tables._data.clear()


def fill(items: dict[tuple[str, str], dict[str, str]]) -> None:
    stock._tables._data.clear()
    assert stock._create_table(TABLE)[0] == 200
    for (partition, sort), others in items.items():
        item = {name: {"S": value} for name, value in {"id": partition, "at": sort, **others}.items()}
        assert stock._put_item({"TableName": "alerts", "Item": item})[0] == 200


def pages(scan: Any, asked: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        status, _headers, body = scan({"TableName": "alerts", **asked, **start})
        found.append((status, json.loads(body)))
        last = found[-1][1].get("LastEvaluatedKey")
        if not last:
            return found
        start = {"ExclusiveStartKey": last}


LETTER = st.sampled_from("abc")
ITEMS = st.dictionaries(
    st.tuples(LETTER, LETTER), st.fixed_dictionaries({}, optional={"open": LETTER, "since": LETTER}), max_size=9
)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "IndexName": st.sampled_from(["open", "state", "local", "of another"]),
        "Limit": st.integers(0, 4),
        "Select": st.sampled_from(["COUNT", "ALL_ATTRIBUTES"]),
        "ConsistentRead": st.booleans(),
        "ReturnConsumedCapacity": st.just("INDEXES"),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ITEMS, ASKED)
def test_it_answers_as_stock_does(items: dict[tuple[str, str], dict[str, str]], asked: dict[str, Any]) -> None:
    with request_scope("000000000000", "eu-west-1"):
        fill(items)
        assert pages(index_scan._scan, asked) == pages(index_scan._stock_scan, asked)
        unknown = {"TableName": "others", **asked}
        assert index_scan._scan(unknown) == index_scan._stock_scan(unknown)
        assert index_scan._scan({}) == index_scan._stock_scan({})


def test_it_reads_what_the_index_has(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    get = PackedItems.__getitem__

    def counted(items: PackedItems, sort: Any) -> Any:
        read.append(sort)
        return get(items, sort)

    with request_scope("000000000000", "eu-west-1"):
        fill({(f"{n}", "x"): {"open": "yes", "since": "1"} if n % 10 == 0 else {} for n in range(100)})
        index_scan._scan({"TableName": "alerts", "IndexName": "open"})
        monkeypatch.setattr(PackedItems, "__getitem__", counted)
        (page,) = pages(index_scan._scan, {"IndexName": "open"})
    assert page[1]["Count"] == len(read) == 10
