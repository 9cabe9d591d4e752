"""Letters: what one channel is still to be told, or has been, as items of the alerts table.

A letter's id follows from its channel and its message, so that writing it again changes nothing. Its place in the index
`pending` says where it stands: it waits to be sent, it is held back by quiet hours, or it has been told in a summary.
Once sent or given up it leaves the index, and stays for a while as the note that it was.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.channels.message import Message
from iot_pipeline.alerting.episodes import Item, iso, plain, typed

# How long the note that something was sent stays, and at most a letter of a channel that is no more.
KEPT_SECONDS = 30 * 86_400
_CONFLICT = "ConditionalCheckFailedException"


class Place(StrEnum):
    """Where a letter stands, by its partition in the index."""

    WAITING = "letters"
    HELD = "held"
    # Of the summary of quiet hours: it is written, and what it tells is not yet marked as told.
    GATHERING = "gathering"
    # Told in a summary; counted by the digest.
    TOLD = "told"

    def of(self, channel: str) -> str:
        """The partition of a channel's letters in this place."""
        return f"{self.value}/{channel}"


@dataclass(frozen=True)
class Letter:
    """A message to one channel. `episodes` are those it is about: letters about one of them keep their order.

    `due_ms`: not to be tried before. `tells`: the ids of the letters that a summary speaks for.
    """

    channel: str
    message: Message
    episodes: tuple[str, ...]
    written_ms: int
    order: str
    due_ms: int = 0
    since_ms: int = 0
    attempts: int = 0
    tells: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The item's key."""
        return f"letter/{self.channel}/{self.message.id}"


def letter(channel: str, message: Message, episodes: Sequence[str], now_ms: int, number: int = 0) -> Letter:
    """A new letter; `number` orders those of one moment."""
    return Letter(channel, message, tuple(episodes), now_ms, f"{iso(now_ms)}/{number:06d}")


class Letters:
    """Reads and writes letters. The index follows the table within moments; conditions make up for that."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def write(self, new: Letter, place: Place = Place.WAITING) -> bool:
        """Put a letter into a place; False if it is on record already, wherever it stands now."""
        return self._put(new, place, "attribute_not_exists(id)")

    def revive(self, again: Letter) -> bool:
        """Have a letter that was given up tried again; False for one that is on its way, or has arrived."""
        return self._put(again, Place.WAITING, "attribute_not_exists(id) OR attribute_exists(given_up_ms)")

    def _put(self, new: Letter, place: Place, condition: str) -> bool:
        item = {
            "id": new.id,
            "channel": new.channel,
            "content": json.dumps(new.message.encode(), separators=(",", ":")),
            "episodes": list(new.episodes),
            "written_ms": new.written_ms,
            "due_ms": new.due_ms,
            "since_ms": new.since_ms or new.written_ms,
            "attempts": 0,
            "tells": list(new.tells),
            "pending": place.of(new.channel),
            "pending_at": new.order,
            "expires_at": new.written_ms // 1000 + KEPT_SECONDS,
        }
        return self._try(
            lambda: self._dynamodb.put_item(TableName=self._table, Item=typed(item), ConditionExpression=condition)
        )

    def all(self, channel: str, place: Place) -> Iterator[Letter]:
        """The letters of a channel in a place, in their order."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="pending",
            KeyConditionExpression="pending = :place",
            ExpressionAttributeValues={":place": {"S": place.of(channel)}},
        )
        for page in pages:
            yield from map(_letter, map(plain, page["Items"]))

    def stands(self, seen: Letter, place: Place) -> bool:
        """Whether a letter is in a place, by the table itself."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"id": {"S": seen.id}}, ConsistentRead=True, ProjectionExpression="pending"
        )
        return bool(plain(answer.get("Item", {})).get("pending") == place.of(seen.channel))

    def has_due(self, channel: str, now_ms: int) -> bool:
        """Whether a letter of a channel may be due."""
        return any(each.due_ms <= now_ms for each in self.all(channel, Place.WAITING))

    def count_told(self, channel: str, since_ms: int) -> int:
        """How many letters of a channel were told in summaries since then, or are held back still."""
        held = sum(1 for _ in self.all(channel, Place.HELD))
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="pending",
            KeyConditionExpression="pending = :place AND pending_at > :since",
            ExpressionAttributeValues={":place": {"S": Place.TOLD.of(channel)}, ":since": {"S": iso(since_ms)}},
            Select="COUNT",
        )
        return held + sum(int(page["Count"]) for page in pages)

    def claim(self, seen: Letter, again_ms: int) -> bool:
        """Take a letter for one attempt; False if another has taken or sent it since it was seen.

        It counts before the sending, so that one which kills its sender is given up too; and until `again_ms` nobody
        else takes it.
        """
        return self._change(
            seen,
            "SET attempts = :next, due_ms = :again",
            {":next": seen.attempts + 1, ":again": again_ms, ":seen": seen.attempts, ":place": self._waits(seen)},
            "attempts = :seen AND pending = :place",
        )

    def postpone(self, claimed: Letter, due_ms: int) -> None:
        """Not to be tried before then."""
        values = {":due": due_ms, ":place": self._waits(claimed)}
        self._change(claimed, "SET due_ms = :due", values, "pending = :place")

    def sent(self, claimed: Letter, now_ms: int) -> None:
        """Note that it has arrived."""
        self._done(claimed, "sent_ms", now_ms, "")

    def given_up(self, claimed: Letter, now_ms: int, reason: str) -> None:
        """Note that it never will, and why."""
        self._done(claimed, "given_up_ms", now_ms, reason)

    def move(self, seen: Letter, source: Place, target: Place, now_ms: int) -> bool:
        """From one place to another; False if it is not there any more."""
        values = {":target": target.of(seen.channel), ":source": source.of(seen.channel), ":now": now_ms}
        return self._change(seen, "SET pending = :target, since_ms = :now", values, "pending = :source")

    def told(self, channel: str, name: str) -> None:
        """A summary speaks for the letter of this key, which was held."""
        values = typed({":held": Place.HELD.of(channel), ":told": Place.TOLD.of(channel)})
        self._try(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": name}},
                UpdateExpression="SET pending = :told REMOVE content, episodes",
                ConditionExpression="pending = :held",
                ExpressionAttributeValues=values,
            )
        )

    def _done(self, claimed: Letter, when: str, now_ms: int, reason: str) -> None:
        values: dict[str, Any] = {":now": now_ms, ":expires": now_ms // 1000 + KEPT_SECONDS, ":reason": reason}
        expression = (
            f"SET {when} = :now, expires_at = :expires, outcome = :reason REMOVE pending, pending_at, content, episodes"
        )
        self._change(claimed, expression, values, "attribute_exists(id)")

    def _waits(self, seen: Letter) -> str:
        return Place.WAITING.of(seen.channel)

    def _change(self, seen: Letter, expression: str, values: Item, condition: str) -> bool:
        return self._try(
            lambda: self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": seen.id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=typed(values),
            )
        )

    @staticmethod
    def _try(write: Any) -> bool:
        try:
            write()
        except ClientError as error:
            if error.response["Error"]["Code"] == _CONFLICT:
                return False
            raise
        return True


def _letter(item: Item) -> Letter:
    return Letter(
        channel=item["channel"],
        message=Message.decode(json.loads(item.get("content", '{"id":"","what":"","severity":"","title":""}'))),
        episodes=tuple(item.get("episodes", ())),
        written_ms=int(item["written_ms"]),
        order=item["pending_at"],
        due_ms=int(item["due_ms"]),
        since_ms=int(item["since_ms"]),
        attempts=int(item["attempts"]),
        tells=tuple(item.get("tells", ())),
    )
