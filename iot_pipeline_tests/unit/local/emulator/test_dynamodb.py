"""DynamoDB beside stock ministack's: how it keeps items, and what it remembers of transactions."""

import copy
import json
import operator
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.core.responses import request_scope
from ministack.services import dynamodb as stock

from infra.local.emulator import dynamodb
from infra.local.emulator.dynamodb import RequestDigest
from infra.local.emulator.packed_items import PackedItems


def request(number: int, state: str = "x" * 20_000) -> dict[str, Any]:
    item = {"device": {"S": f"device-{number}"}, "body": {"S": f"{number} {state}"}}
    return {"TransactItems": [{"Put": {"TableName": "state", "Item": item}}], "ReturnConsumedCapacity": "NONE"}


def test_a_token_takes_little_however_large_its_request_is() -> None:
    tracemalloc.start()
    for number in range(500):
        dynamodb._keep_token(f"token-{number}", {"signature": request(number), "response": {}, "sizes": {}})
    size, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 500 < 1_500
    assert stock._txn_token_lookup("token-7")["signature"] == request(7)
    stock._txn_idempotency.clear()


def test_a_digest_is_equal_to_its_request_alone() -> None:
    digest = RequestDigest(request(1))
    assert digest == dict(reversed(request(1).items()))
    assert digest != request(2)
    assert digest != request(1, "y")
    assert digest != "something else"


ITEM = st.dictionaries(
    st.text(min_size=1, max_size=9),
    st.fixed_dictionaries({"S": st.text()}) | st.fixed_dictionaries({"M": st.just({"a": {"L": [{"BOOL": True}]}})}),
    max_size=5,
)


@given(st.dictionaries(st.text(), ITEM, max_size=4), st.text(), ITEM)
def test_packed_items_are_as_a_dict_of_them(items: dict[str, Any], sort: str, item: Any) -> None:
    packed, plain = PackedItems(items), dict(items)
    assert_same(packed, plain)
    packed[sort], plain[sort] = item, item
    assert_same(packed, plain)
    assert_same(copy.deepcopy(packed), plain)
    packed[sort]["changed"] = {"S": "what is read is no part of what is stored"}
    assert_same(packed, plain)
    assert packed.pop(sort) == plain.pop(sort)
    assert packed.pop(sort, None) is packed.get(sort) is None
    assert sort not in packed
    assert packed.setdefault(sort, item) == plain.setdefault(sort, item)
    assert_same(packed, plain)
    assert {**packed} == plain
    for merge, one, other in ((operator.or_, packed, plain), (operator.or_, plain, packed), (operator.ior, packed, {})):
        with pytest.raises(TypeError, match=r"copy\.deepcopy"):
            merge(one, other)
    with pytest.raises(KeyError):
        packed.pop(sort * 2 + "x")


def assert_same(packed: PackedItems, plain: dict[str, Any]) -> None:
    assert (len(packed), list(packed), list(packed.keys())) == (len(plain), list(plain), list(plain.keys()))
    assert list(packed.values()) == list(plain.values())
    assert list(packed.items()) == list(plain.items())
    assert dict(packed) == plain == packed
    assert all(sort in packed and packed.get(sort) == packed[sort] == item for sort, item in plain.items())
    assert json.dumps(packed) == json.dumps(plain)


def alert(number: int) -> dict[str, Any]:
    return {"id": {"S": f"alert-{number}"}, **{f"attribute {n}": {"S": f"value {n} {number}"} for n in range(20)}}


def test_an_item_takes_little_more_than_its_json(table: dict[str, Any]) -> None:
    size = len(json.dumps(alert(1000)))
    tracemalloc.start()
    for number in range(1000):
        assert dynamodb._set_item(table, f"alert-{number}", "__no_sort__", alert(number)) is None
    taken, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < taken / 1000 < 2 * size
    assert dynamodb._set_item(table, "alert-7", "__no_sort__", {"id": {"S": "alert-7"}}) == alert(7)
    assert stock._remove_item(table, "alert-7", "__no_sort__") == {"id": {"S": "alert-7"}}
    assert table["ItemCount"] == len(table["items"]) == 999


KEY = {"id": {"S": "alert-1"}}
NAMED = {"TableName": "alerts", "Key": KEY, "ReturnValues": "ALL_NEW"}
ONE = {":one": {"N": "1"}}
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("_put_item", {"TableName": "alerts", "Item": alert(1)}),
    ("_update_item", NAMED | {"UpdateExpression": "SET a = :one", "ExpressionAttributeValues": ONE}),
    ("_update_item", NAMED | {"UpdateExpression": "ADD a :one", "ExpressionAttributeValues": ONE}),
    ("_update_item", NAMED | {"UpdateExpression": "SET m = :m", "ExpressionAttributeValues": {":m": {"M": ONE}}}),
    (
        "_update_item",
        NAMED
        | {
            "UpdateExpression": "SET m.#one = :one, l = list_append(if_not_exists(l, :none), :ones)",
            "ExpressionAttributeNames": {"#one": ":one"},
            "ExpressionAttributeValues": {":one": {"N": "2"}, ":none": {"L": []}, ":ones": {"L": [ONE[":one"]]}},
        },
    ),
    ("_update_item", NAMED | {"AttributeUpdates": {"a": {"Action": "ADD", "Value": {"N": "5"}}}}),
    ("_execute_statement", {"Statement": "UPDATE alerts SET a = 7 SET m.x = 'y' WHERE id = 'alert-1'"}),
    (
        "_transact_write_items",
        {
            "TransactItems": [
                {"Put": {"TableName": "alerts", "Item": alert(2)}},
                {
                    "Update": {
                        "TableName": "alerts",
                        "Key": KEY,
                        "UpdateExpression": "SET b = a REMOVE a",
                    }
                },
            ]
        },
    ),
    ("_batch_write_item", {"RequestItems": {"alerts": [{"PutRequest": {"Item": alert(3)}}]}}),
    ("_delete_item", {"TableName": "alerts", "Key": {"id": {"S": "alert-2"}}, "ReturnValues": "ALL_OLD"}),
]


@pytest.mark.parametrize("begun", range(1, len(WRITES) + 1))
def test_every_kind_of_write_leaves_what_stock_leaves(begun: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def written() -> list[Any]:
        stock._tables._data.clear()
        with request_scope("000000000000", "eu-west-1"):
            keys = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}
            types = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
            answers = [stock._create_table({"TableName": "alerts", "BillingMode": "PAY_PER_REQUEST", **keys, **types})]
            answers += [getattr(stock, name)(copy.deepcopy(data)) for name, data in WRITES[:begun]]
            scanned = json.loads(stock._scan({"TableName": "alerts"})[2])["Items"]
        assert [answer[0] for answer in answers] == [200] * len(answers), answers
        stock._tables._data.clear()
        return [*(answer[2] for answer in answers[1:]), scanned]

    expected = written()
    monkeypatch.setattr(stock, "_set_item", dynamodb._set_item)
    assert written() == expected


def test_items_of_a_saved_state_are_packed_too(table: dict[str, Any]) -> None:
    table["items"]["alert-1"] = {"__no_sort__": alert(1)}
    state = stock.get_state()
    stock._tables._data.clear()
    dynamodb._load_persisted_state(state)
    (loaded,) = stock._tables.all_values()
    assert isinstance(loaded["items"]["alert-1"], PackedItems)
    assert loaded["items"]["alert-1"]["__no_sort__"] == alert(1)
    assert loaded["items"]["another"] == {}  # stock's own, of a partition that is not there


@pytest.fixture
def table() -> Iterator[dict[str, Any]]:
    table: dict[str, Any] = {"TableName": "alerts", "items": defaultdict(dict)}
    stock._tables.set_scoped("000000000000", "eu-west-1", "alerts", table)
    yield table
    stock._tables._data.clear()
