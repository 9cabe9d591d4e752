"""The console's own table in DynamoDB: sessions, API keys, saved queries, layouts, the audit.

One table of items under a partition key `key` and a sort key `sort`, as `session#<id>` or `audit#<day>`. An item with
`expires` (epoch seconds) is removed some time after that (DynamoDB developer guide, "Using time to live"): whoever
reads one compares the time too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

Item = dict[str, Any]
_CONFLICT = "ConditionalCheckFailedException"


class TakenError(Exception):
    """An item of this key is there already."""


class Store:
    """Reads and writes items; numbers come back as Decimal."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def get(self, key: str, sort: str = "-") -> Item | None:
        """One item, None if there is none."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(key, sort), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def put(self, key: str, sort: str, values: Mapping[str, Any], *, new: bool = False) -> None:
        """Write an item whole. Raises TakenError if it is to be new and is not."""
        condition = {"ConditionExpression": "attribute_not_exists(#k)", "ExpressionAttributeNames": {"#k": "key"}}
        item = _key(key, sort) | {name: TypeSerializer().serialize(value) for name, value in values.items()}
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, **(condition if new else {}))
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONFLICT:
                raise
            raise TakenError(f"{key} {sort} is there already") from error

    def remove(self, key: str, sort: str = "-") -> None:
        """Remove an item; no error if there is none."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(key, sort))

    def below(self, key: str, *, newest_first: bool = False, limit: int | None = None) -> Iterator[Item]:
        """The items of a key by their sort key."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#k = :key",
            ExpressionAttributeNames={"#k": "key"},
            ExpressionAttributeValues={":key": {"S": key}},
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit},
        )
        for page in pages:
            yield from map(_plain, page["Items"])


def _key(key: str, sort: str) -> dict[str, Any]:
    return {"key": {"S": key}, "sort": {"S": sort}}


def _plain(item: Mapping[str, Any]) -> Item:
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
