"""Erasing from tables beside the edge's: what people keep in the console, and what a pull last said of a vendor."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from iot_pipeline.erasure.found import Found
from iot_pipeline.erasure.subject import Subject

# The partition keys of the console's audit (iot_pipeline/console/audit.py), and for how long an entry stays.
_AUDIT = "audit#"
_AUDIT_KEPT = "400 days after each entry"
Item = dict[str, Any]


def items_of(dynamodb: Any, table: str) -> Iterator[Item]:
    """Every item of a table, read consistently; numbers are Decimal."""
    read = TypeDeserializer()
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield {name: read.deserialize(value) for name, value in item.items()}


@dataclass(frozen=True)
class ItemEraser:
    """Erases a subject from the console's table, if there is one, and from that of the pulls (None: there is none)."""

    dynamodb: Any
    console: str
    pull: str | None
    subject: Subject
    progress: Callable[[str], None] = lambda _: None

    def erase(self) -> int:
        """Remove the console's items that name the subject, but for its audit, and redact what pulls have said; in how
        many items.

        A layout keeps its other devices. Of a tenant also the people, sessions and API keys go that are its own.
        """
        erased = 0
        for item in self._mentioning(self.console):
            if not item["key"].startswith(_AUDIT):
                self._erase_kept(item)
                erased += 1
        for item in self._mentioning(self.pull):
            # A name elsewhere in an item is the vendor's, as its file has it.
            if self.subject.mentioned_in(error := item.get("error", "")):
                self._set(str(self.pull), {"id": item["id"]}, "error", self.subject.redacted(error))
                erased += 1
        self.progress(f"erased {erased} items of console and pulls")
        return erased

    def found(self) -> Iterator[Found]:
        """Items that mention the subject, whatever in them does; those of the audit expire."""
        for item in self._mentioning(self.console):
            expires = _AUDIT_KEPT if item["key"].startswith(_AUDIT) else None
            yield Found("console", f"{self.console} {item['key']} {item['sort']}", 1, expires=expires)
        for item in self._mentioning(self.pull):
            yield Found("vendors' cursors", f"{self.pull} {item['id']}", 1)

    def _erase_kept(self, item: Item) -> None:
        key = {"key": item["key"], "sort": item["sort"]}
        left = [device for device in item.get("devices", ()) if not self.subject.mentioned_in(device)]
        if left and not self._mentions(item | {"devices": left}):
            self._set(self.console, key, "devices", left)
        else:
            self.dynamodb.delete_item(TableName=self.console, Key=_serialized(key))

    def _mentioning(self, table: str | None) -> Iterator[Item]:
        if table is None:
            return
        try:
            yield from (item for item in items_of(self.dynamodb, table) if self._mentions(item))
        except ClientError as error:
            # A deployment without services has no console, whose table is known by its name alone.
            if table != self.console or error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise

    def _mentions(self, item: Item) -> bool:
        return self.subject.mentioned_in(json.dumps(item, default=str))

    def _set(self, table: str, key: Item, name: str, value: Any) -> None:
        self.dynamodb.update_item(
            TableName=table,
            Key=_serialized(key),
            UpdateExpression="SET #name = :value",
            ConditionExpression="attribute_exists(#name)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues=_serialized({":value": value}),
        )


def _serialized(values: Item) -> Item:
    return {name: TypeSerializer().serialize(value) for name, value in values.items()}
