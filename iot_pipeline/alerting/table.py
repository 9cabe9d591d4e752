"""The table of alerts: episodes, silences for planned work, and the outbox of what people are to be told."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.episodes import ACKNOWLEDGED, Item, iso, plain, typed, value_of, written

# In the index of open episodes, silences stand under a name that no tenant can have.
SILENCES = "#silences"
# And the alerts of the pipeline itself under this one.
PIPELINE = "#pipeline"
# The item that says what is being sent, so that it is sent again as it was if the sending is interrupted.
_PLAN = "outbox/plan"
# Which parts of it are sent already; an item of its own, because the plan is large.
_SENT = "outbox/sent"
_CONFLICT = "ConditionalCheckFailedException"
_DAY_MS = 86_400_000


class AlertError(ValueError):
    """What is asked of an alert cannot be done: which alert, and why."""


@dataclass(frozen=True)
class Silence:
    """Planned work: alerts within `scope` tell nobody from `from_ms` to `until_ms`.

    `scope` has some of tenant, site, device and rule.
    """

    id: str
    scope: Mapping[str, str]
    from_ms: int
    until_ms: int
    author: str
    reason: str

    def covers(self, episode: Item, now_ms: int) -> bool:
        """Whether an episode is held back now."""
        return self.from_ms <= now_ms < self.until_ms and all(
            episode.get(name) == wanted for name, wanted in self.scope.items()
        )


class AlertsTable:
    """Reads and small writes; what changes with a device's state is written with it (edge/state_store.py)."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def get(self, episode: str) -> Item:
        """An episode as it is now. Raises AlertError if there is none of that id."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(episode), ConsistentRead=True)
        if "Item" not in answer:
            raise AlertError(f"no episode has the id {episode!r}; `alerts` lists those that are open")
        return plain(answer["Item"])

    def open(self, tenant: str) -> Iterator[Item]:
        """The open episodes of a tenant, the oldest first."""
        return self._query("open", "open", tenant)

    def all_open(self) -> Iterator[Item]:
        """The open episodes of all tenants, in no order."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, IndexName="open")
        for page in pages:
            yield from (item for item in map(plain, page["Items"]) if item["open"] != SILENCES)

    def history(self, subject: str) -> Iterator[Item]:
        """All episodes of a subject that are kept here, the newest first."""
        return self._query("subject", "subject", subject, forward=False)

    def pending(self) -> Iterator[Item]:
        """Episodes of which people are still to be told something, the longest waiting first."""
        return self._query("pending", "pending", "1")

    def changed(self, since_ms: int, until_ms: int) -> Iterator[Item]:
        """Episodes of which something was last written in this time, both ends included; those of a day together.

        An index answers, which follows the table within moments and reads nothing but what it gives.
        """
        first, last = iso(since_ms), iso(until_ms)
        for day in _days(since_ms, until_ms):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                IndexName="written",
                KeyConditionExpression="written_day = :day AND written_at BETWEEN :first AND :last",
                ExpressionAttributeValues={":day": {"S": day}, ":first": {"S": first}, ":last": {"S": last}},
            )
            for page in pages:
                yield from map(plain, page["Items"])

    def everything(self) -> Iterator[Item]:
        """Every item of the table, for export: episodes and silences."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            yield from map(plain, page["Items"])

    def acknowledge(self, episode: str, who: str, reason: str, now_ms: int) -> Item:
        """A person has taken it on: nobody is reminded any more, and the channels that show it are told.

        Raises AlertError if it is unknown or over.
        """
        standing = self.get(episode)
        if standing["status"] == "resolved":
            raise AlertError(f"episode {episode} is resolved already, since {iso(int(standing['resolved_ms']))}")
        values: dict[str, Any] = {":who": who, ":at": now_ms, ":reason": reason, ":resolved": "resolved"}
        values |= _noted(ACKNOWLEDGED, now_ms)
        return self._update(
            episode,
            f"SET acknowledged_by = :who, acknowledged_ms = :at, acknowledged_reason = :reason, {_NOTED}",
            values,
            "attribute_exists(id) AND #status <> :resolved",
            {"#status": "status"},
            now_ms,
        )

    def note(self, episode: str, what: str, now_ms: int) -> None:
        """Put a further notification into an open episode's outbox; nothing happens if it has been resolved."""
        values = {**_noted(what, now_ms), ":ms": now_ms}
        expression = f"SET {_NOTED}, reminded_ms = :ms REMOVE parent"
        self._try(episode, expression, values, "attribute_exists(#open)", {"#open": "open"}, now_ms)

    def settle(self, episode: str, notes: Sequence[Item], sent_ms: int, held_by: str | None = None) -> None:
        """Take notes out of an episode's outbox, the first that are in it; what has come in since stays.

        Nothing happens where they have been taken out already. `held_by`: the silence or the wider alert because of
        which nothing was sent.
        """
        first = notes[0]
        values: dict[str, Any] = {":count": len(notes), ":sent": sent_ms, ":what": first["what"], ":at": first["at_ms"]}
        expression = "SET notified_ms = :sent"
        if held_by is not None:
            expression += ", held_by = :by"
            values[":by"] = held_by
        names = {"#what": "what"}
        theirs = "outbox[0].#what = :what AND outbox[0].at_ms = :at"
        whole = f"{expression} REMOVE outbox, pending, pending_at"
        if not self._try(episode, whole, values, f"size(outbox) = :count AND {theirs}", names, sent_ms):
            part = f"{expression} REMOVE {', '.join(f'outbox[{each}]' for each in range(len(notes)))}"
            self._try(episode, part, values, f"size(outbox) > :count AND {theirs}", names, sent_ms)

    def write_down(self, plan: str) -> None:
        """Keep the text of what is about to be sent, in place of an earlier one."""
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(_PLAN),
            UpdateExpression="SET sending = :plan",
            ExpressionAttributeValues={":plan": {"S": plan}},
        )

    def written_down(self) -> str | None:
        """What was about to be sent when the sending ended; None if all of it was done."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(_PLAN), ConsistentRead=True)
        item = answer.get("Item", {})
        return str(item["sending"]["S"]) if "sending" in item else None

    def cross_out(self) -> None:
        """Forget what was written down: it is done."""
        self._dynamodb.update_item(TableName=self._table, Key=_key(_PLAN), UpdateExpression="REMOVE sending")

    def note_sent(self, plan: str, parts: Sequence[int]) -> None:
        """Remember which parts of a plan are sent; `plan` is a name for it."""
        values = typed({":plan": plan, ":parts": list(parts)})
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(_SENT),
            UpdateExpression="SET #plan = :plan, parts = :parts",
            ExpressionAttributeNames={"#plan": "plan"},
            ExpressionAttributeValues=values,
        )

    def sent_of(self, plan: str) -> set[int]:
        """Which parts of a plan are known to be sent."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(_SENT), ConsistentRead=True)
        item = plain(answer.get("Item", {}))
        return {int(each) for each in item["parts"]} if item.get("plan") == plan else set()

    def add_silence(self, silence: Silence) -> None:
        """Record planned work."""
        item = {
            "id": f"silence/{silence.id}",
            "open": SILENCES,
            "opened_at": iso(silence.from_ms),
            "scope": dict(silence.scope),
            "from_ms": silence.from_ms,
            "until_ms": silence.until_ms,
            "author": silence.author,
            "reason": silence.reason,
            "expires_at": silence.until_ms // 1000 + 86_400,
        }
        self._dynamodb.put_item(TableName=self._table, Item=typed(item))

    def silences(self) -> list[Silence]:
        """All planned work that is not long over."""
        return [
            Silence(
                item["id"].removeprefix("silence/"),
                item["scope"],
                int(item["from_ms"]),
                int(item["until_ms"]),
                item["author"],
                item["reason"],
            )
            for item in self._query("open", "open", SILENCES)
        ]

    def _query(self, index: str, name: str, value: str, *, forward: bool = True) -> Iterator[Item]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": name},
            ExpressionAttributeValues={":value": {"S": value}},
            ScanIndexForward=forward,
        )
        for page in pages:
            yield from map(plain, page["Items"])

    def _try(
        self,
        episode: str,
        expression: str,
        values: Mapping[str, Any],
        condition: str,
        names: Mapping[str, str],
        now_ms: int,
    ) -> bool:
        try:
            self._update(episode, expression, values, condition, names, now_ms)
        except ClientError as error:
            if error.response["Error"]["Code"] == _CONFLICT:
                return False
            raise
        return True

    def _update(
        self,
        episode: str,
        expression: str,
        values: Mapping[str, Any],
        condition: str,
        names: Mapping[str, str],
        now_ms: int,
    ) -> Item:
        noted = written(now_ms)
        also = ", ".join(f"{name} = :{name}" for name in noted)
        values = {**values, **{f":{name}": value for name, value in noted.items()}}
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(episode),
            UpdateExpression=f"SET {also}, {expression.removeprefix('SET ')}",
            ConditionExpression=condition,
            ExpressionAttributeValues={name: value_of(value) for name, value in values.items()},
            ReturnValues="ALL_NEW",
            **({"ExpressionAttributeNames": dict(names)} if names else {}),
        )
        return plain(answer["Attributes"])


# Puts a note into an episode's outbox, with the values of `_noted`.
_NOTED = "outbox = list_append(if_not_exists(outbox, :none), :notes), pending = :one, pending_at = :now"


def _noted(what: str, now_ms: int) -> dict[str, Any]:
    note = {"what": what, "at_ms": now_ms, "noted_ms": now_ms}
    return {":none": [], ":notes": [note], ":one": "1", ":now": iso(now_ms)}


def silence(scope: Mapping[str, str], from_ms: int, until_ms: int, author: str, reason: str) -> Silence:
    """A silence with a new id. Raises AlertError for one that covers everything, or no time."""
    names = ("tenant", "site", "device", "rule")
    if not scope or not scope.keys() <= set(names):
        raise AlertError(f"a silence needs at least one of {', '.join(names)}, got {', '.join(scope) or 'nothing'}")
    if until_ms <= from_ms:
        raise AlertError(f"a silence ends after it begins: {iso(from_ms)} to {iso(until_ms)}")
    return Silence(uuid.uuid4().hex[:12], scope, from_ms, until_ms, author, reason)


def first_covering(silences: Sequence[Silence], episode: Item, now_ms: int) -> Silence | None:
    """The silence that holds an episode back now."""
    return next((each for each in silences if each.covers(episode, now_ms)), None)


def _days(since_ms: int, until_ms: int) -> Iterator[str]:
    """The days of UTC from one moment to another, as ISO 8601 has them."""
    yield from (iso(number * _DAY_MS)[:10] for number in range(since_ms // _DAY_MS, until_ms // _DAY_MS + 1))


def _key(episode: str) -> Item:
    return {"id": {"S": episode}}
