"""DynamoDB, as far as the edge relies on it.

DynamoDB developer guide: "Condition expressions", "Working with items" (ReturnValuesOnConditionCheckFailure), "Amazon
DynamoDB Transactions: How it works", "Scanning tables", "Parallel scan", "Using Global Secondary Indexes", "Quotas in
Amazon DynamoDB". API reference: BatchGetItem, TransactWriteItems, Query, Scan.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline_tests.support.emulator import LocalAws, unique

pytestmark = pytest.mark.integration

INDEXES = (("subject", "opened_at"), ("open", "opened_at"), ("pending", "pending_at"))


def s(value: str) -> dict[str, str]:
    return {"S": value}


def n(value: int) -> dict[str, str]:
    return {"N": str(value)}


@dataclass
class Tables:
    """Two tables as the edge's stack has them."""

    client: Any
    state: str
    alerts: str

    def put_state(self, device: str, version: int, **more: Any) -> Any:
        """The write of a device's state: only over the version before."""
        return self.client.put_item(
            TableName=self.state,
            Item={"device": s(device), "version": n(version), **more},
            ConditionExpression="attribute_not_exists(device) OR version = :before",
            ExpressionAttributeValues={":before": n(version - 1)},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def state_of(self, device: str) -> Any:
        return self.client.get_item(TableName=self.state, Key={"device": s(device)}, ConsistentRead=True).get("Item")

    def alert(self, name: str, **more: Any) -> dict[str, Any]:
        """A Put of an alert that must not be there yet, as part of a transaction."""
        item = {"id": s(name), "subject": s("device"), "opened_at": s(f"2026-{name}"), **more}
        return {"Put": {"TableName": self.alerts, "Item": item, "ConditionExpression": "attribute_not_exists(id)"}}

    def query(self, index: str, value: str, **more: Any) -> Any:
        return self.client.query(
            TableName=self.alerts,
            IndexName=index,
            KeyConditionExpression="#p = :p",
            ExpressionAttributeNames={"#p": index},
            ExpressionAttributeValues={":p": s(value)},
            **more,
        )


def create(client: Any, name: str, partition: str, indexes: tuple[tuple[str, str], ...] = ()) -> None:
    attributes = {partition, *(attribute for index in indexes for attribute in index)}
    keys = [
        {
            "IndexName": hash_key,
            "KeySchema": [
                {"AttributeName": hash_key, "KeyType": "HASH"},
                {"AttributeName": range_key, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
        for hash_key, range_key in indexes
    ]
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": partition, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in sorted(attributes)],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": keys} if keys else {}),
    )


@pytest.fixture
def tables(local_aws: LocalAws) -> Tables:
    client, made = local_aws.client("dynamodb"), Tables(local_aws.client("dynamodb"), unique("state"), unique("alerts"))
    create(client, made.state, "device")
    create(client, made.alerts, "id", INDEXES)
    return made


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def test_a_condition_that_fails_changes_nothing_and_answers_what_is_there(tables: Tables) -> None:
    tables.put_state("a", 1, doc=s("x"))
    tables.put_state("a", 2, doc=s("y"))
    with pytest.raises(ClientError) as raised:
        tables.put_state("a", 2, doc=s("z"))
    assert code(raised) == "ConditionalCheckFailedException"
    there: Any = raised.value.response
    assert there["Item"] == {"device": s("a"), "version": n(2), "doc": s("y")} == tables.state_of("a")


def test_an_update_s_condition_answers_what_is_there_too(tables: Tables) -> None:
    tables.put_state("a", 1)
    with pytest.raises(ClientError) as raised:
        tables.client.update_item(
            TableName=tables.state,
            Key={"device": s("a")},
            UpdateExpression="SET version = :v",
            ConditionExpression="version = :old",
            ExpressionAttributeValues={":v": n(9), ":old": n(5)},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    there: Any = raised.value.response
    assert (code(raised), there["Item"]["version"]) == ("ConditionalCheckFailedException", n(1))
    with pytest.raises(ClientError) as raised:
        tables.client.update_item(
            TableName=tables.state,
            Key={"device": s("new")},
            UpdateExpression="SET version = :v",
            ConditionExpression="attribute_exists(device)",
            ExpressionAttributeValues={":v": n(9)},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert "Item" not in raised.value.response, "there is none"
    assert tables.state_of("new") is None


def test_of_writers_at_the_same_time_one_wins(tables: Tables) -> None:
    barrier = threading.Barrier(8)

    def write(number: int) -> bool:
        barrier.wait()
        try:
            tables.put_state("a", 1, by=n(number))
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(8))) == 1


def test_a_transaction_is_all_or_nothing_and_says_which_condition_failed(tables: Tables) -> None:
    tables.put_state("a", 1)
    state = {
        "Put": {
            "TableName": tables.state,
            "Item": {"device": s("a"), "version": n(6)},
            "ConditionExpression": "version = :before",
            "ExpressionAttributeValues": {":before": n(5)},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    with pytest.raises(ClientError) as raised:
        tables.client.transact_write_items(TransactItems=[tables.alert("1"), state, tables.alert("2")])
    assert code(raised) == "TransactionCanceledException"
    answer: Any = raised.value.response
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["None", "ConditionalCheckFailed", "None"]
    assert answer["CancellationReasons"][1]["Item"] == {"device": s("a"), "version": n(1)}
    assert tables.client.scan(TableName=tables.alerts)["Count"] == 0
    state["Put"]["ExpressionAttributeValues"] = {":before": n(1)}
    tables.client.transact_write_items(TransactItems=[tables.alert("1"), state, tables.alert("2")])
    assert tables.client.scan(TableName=tables.alerts)["Count"] == 2
    assert tables.state_of("a")["version"] == n(6)


def test_a_transaction_names_no_item_twice_and_at_most_a_hundred(tables: Tables) -> None:
    with pytest.raises(ClientError) as raised:
        tables.client.transact_write_items(TransactItems=[tables.alert("1"), tables.alert("1")])
    assert code(raised) == "ValidationException"
    assert "multiple operations on one item" in str(raised.value)
    tables.client.transact_write_items(TransactItems=[tables.alert(f"{number}") for number in range(100)])
    with pytest.raises(ClientError) as raised:
        tables.client.transact_write_items(TransactItems=[tables.alert(f"b{number}") for number in range(101)])
    assert code(raised) == "ValidationException"
    assert tables.client.scan(TableName=tables.alerts)["Count"] == 100


def test_a_transaction_s_token_makes_its_repetition_harmless(tables: Tables) -> None:
    item = {"Update": {
        "TableName": tables.state,
        "Key": {"device": s("a")},
        "UpdateExpression": "ADD version :one",
        "ExpressionAttributeValues": {":one": n(1)},
    }}  # fmt: skip
    for _ in range(2):
        tables.client.transact_write_items(TransactItems=[item], ClientRequestToken="once")
    item["Update"]["ExpressionAttributeValues"] = {":one": n(2)}
    with pytest.raises(tables.client.exceptions.IdempotentParameterMismatchException):
        tables.client.transact_write_items(TransactItems=[item], ClientRequestToken="once")
    assert tables.state_of("a")["version"] == n(1)


def test_an_item_has_at_most_400_kb_and_a_transaction_4_mb(tables: Tables) -> None:
    tables.put_state("a", 1, doc=s("x" * (400 * 1024 - 50)))
    with pytest.raises(ClientError) as raised:
        tables.put_state("b", 1, doc=s("x" * 400 * 1024))
    assert code(raised) == "ValidationException"
    assert "size has exceeded" in str(raised.value)
    large = [tables.alert(f"{number}", doc=s("x" * 390 * 1024)) for number in range(11)]
    with pytest.raises(ClientError) as raised:
        tables.client.transact_write_items(TransactItems=large)
    assert code(raised) == "ValidationException"
    assert tables.client.scan(TableName=tables.alerts)["Count"] == 0


def test_a_batch_get_takes_a_hundred_keys_and_answers_16_mb(tables: Tables) -> None:
    for number in range(45):
        tables.client.put_item(TableName=tables.state, Item={"device": s(f"{number}"), "doc": s("x" * 390 * 1024)})

    def get(keys: int) -> Any:
        named = [{"device": s(f"{number}")} for number in range(keys)]
        return tables.client.batch_get_item(RequestItems={tables.state: {"Keys": named, "ConsistentRead": True}})

    first = get(45)
    rest = first["UnprocessedKeys"][tables.state]
    assert 0 < len(rest["Keys"]) < 45, "45 items of 390 KB are more than 16 MB"
    assert len(first["Responses"][tables.state]) + len(rest["Keys"]) == 45
    again = tables.client.batch_get_item(RequestItems=first["UnprocessedKeys"])
    assert not again["UnprocessedKeys"]
    assert get(1)["Responses"][tables.state][0]["device"] == s("0")
    with pytest.raises(ClientError) as raised:
        get(101)
    assert code(raised) == "ValidationException"
    with pytest.raises(ClientError) as raised:
        tables.client.batch_get_item(RequestItems={tables.state: {"Keys": [{"device": s("0")}, {"device": s("0")}]}})
    assert code(raised) == "ValidationException"


def test_a_sparse_index_holds_what_has_both_of_its_attributes(tables: Tables) -> None:
    waiting = {"open": s("acme"), "pending": s("p")}
    for number in range(25):
        tables.client.transact_write_items(
            TransactItems=[tables.alert(f"{number:02}", **waiting, pending_at=s(f"{25 - number:02}"))]
        )
    tables.client.transact_write_items(
        TransactItems=[tables.alert("closed"), tables.alert("half", pending=s("p")), tables.alert("c", open=s("other"))]
    )
    found: list[str] = []
    page: dict[str, Any] = {}
    pages = 0
    while True:
        answer = tables.query("pending", "p", Limit=10, **page)
        found += [item["id"]["S"] for item in answer["Items"]]
        pages += 1
        if "LastEvaluatedKey" not in answer:
            break
        assert set(answer["LastEvaluatedKey"]) == {"id", "pending", "pending_at"}
        page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert found == [f"{number:02}" for number in reversed(range(25))], "in the order of the sort key"
    assert pages == 3
    assert tables.query("open", "acme", Select="COUNT")["Count"] == 25
    tables.client.update_item(
        TableName=tables.alerts, Key={"id": s("03")}, UpdateExpression="REMOVE pending, pending_at, #open",
        ExpressionAttributeNames={"#open": "open"},
    )  # fmt: skip
    assert tables.query("open", "acme", Select="COUNT")["Count"] == 24
    assert "03" not in [item["id"]["S"] for item in tables.query("pending", "p")["Items"]]
    newest = tables.query("subject", "device", ScanIndexForward=False, Limit=1)["Items"]
    assert [item["id"]["S"] for item in newest] == ["half"]
    with pytest.raises(ClientError) as raised:
        tables.query("open", "acme", ConsistentRead=True)
    assert code(raised) == "ValidationException", "indexes are eventually consistent"


def test_segments_of_a_scan_are_the_table_in_pages_of_a_megabyte(tables: Tables) -> None:
    for start in range(0, 2000, 25):
        puts = [
            {"PutRequest": {"Item": {"device": s(f"d{number}"), "doc": s("x" * 2000)}}}
            for number in range(start, start + 25)
        ]
        tables.client.batch_write_item(RequestItems={tables.state: puts})

    def segment(number: int) -> tuple[list[str], int]:
        found: list[str] = []
        page: dict[str, Any] = {}
        pages = 0
        while True:
            answer = tables.client.scan(TableName=tables.state, Segment=number, TotalSegments=2, **page)
            assert sum(len(item["doc"]["S"]) for item in answer["Items"]) <= 1 << 20
            found += [item["device"]["S"] for item in answer["Items"]]
            pages += 1
            if "LastEvaluatedKey" not in answer:
                return found, pages
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    (first, pages), (second, _) = segment(0), segment(1)
    assert sorted(first + second) == sorted(f"d{number}" for number in range(2000))
    assert min(len(first), len(second)) > 500, "the keys are spread evenly"
    assert pages >= 2


def test_a_removed_item_is_put_anew_and_ttl_is_no_clock(tables: Tables) -> None:
    """ "Using time to live": items expire within a few days, and are read until then."""
    tables.client.update_time_to_live(
        TableName=tables.state, TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True}
    )
    tables.put_state("a", 1, expires_at=n(int(time.time()) + 3600))
    assert tables.state_of("a") is not None
    tables.client.delete_item(TableName=tables.state, Key={"device": s("a")})
    tables.put_state("a", 1)
    assert tables.state_of("a")["version"] == n(1)


def test_an_index_of_ten_thousand_alerts_is_asked_as_fast_as_an_empty_one(tables: Tables) -> None:
    def seconds() -> float:
        took = []
        for _ in range(15):
            began = time.perf_counter()
            tables.query("pending", "p", Limit=10)
            took.append(time.perf_counter() - began)
        return min(took)

    empty = seconds()
    for start in range(0, 10_000, 25):
        puts = [
            {"PutRequest": {"Item": {"id": s(f"{number}"), "subject": s(f"d{number % 500}"), "opened_at": s("2026")}}}
            for number in range(start, start + 25)
        ]
        tables.client.batch_write_item(RequestItems={tables.alerts: puts})
    assert seconds() < 2 * empty + 0.002
