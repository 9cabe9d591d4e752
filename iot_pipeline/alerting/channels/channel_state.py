"""What is known of a channel between two calls: who sends to it now, when it may be tried, which digest it had."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.episodes import plain, typed


@dataclass(frozen=True)
class ChannelState:
    """`failures`: how often in a row it could not be reached. `not_before_ms`: when it may be tried again.

    `digest_ms`: the moment of the last digest; None before the first look.
    """

    failures: int = 0
    not_before_ms: int = 0
    digest_ms: int | None = None


class ChannelStates:
    """One item a channel, in the alerts table."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def get(self, channel: str) -> ChannelState:
        """What is known of a channel."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(channel), ConsistentRead=True)
        item = plain(answer.get("Item", {}))
        return ChannelState(int(item.get("failures", 0)), int(item.get("not_before_ms", 0)), item.get("digest_ms"))

    def lease(self, channel: str, holder: str, now_ms: int, until_ms: int) -> bool:
        """Be the only one who sends to a channel, until then at the latest; False while somebody else is."""
        try:
            self._set(
                channel,
                {"holder": holder, "held_until_ms": until_ms},
                "attribute_not_exists(held_until_ms) OR held_until_ms <= :now",
                {":now": now_ms},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def release(self, channel: str, holder: str) -> None:
        """Let others send again; nothing happens if the lease has passed to another."""
        try:
            self._set(channel, {"held_until_ms": 0}, "holder = :mine", {":mine": holder})
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def reached(self, channel: str, failures: int, not_before_ms: int) -> None:
        """Note how it went with a channel."""
        self._set(channel, {"failures": failures, "not_before_ms": not_before_ms})

    def had_digest(self, channel: str, moment_ms: int) -> None:
        """Note which digest a channel had last."""
        self._set(channel, {"digest_ms": moment_ms})

    def _set(
        self, channel: str, values: dict[str, Any], condition: str = "", given: dict[str, Any] | None = None
    ) -> None:
        names = ", ".join(f"{name} = :{name}" for name in values)
        more = {"ConditionExpression": condition} if condition else {}
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(channel),
            UpdateExpression=f"SET {names}",
            ExpressionAttributeValues=typed({f":{name}": value for name, value in values.items()} | (given or {})),
            **more,
        )


def _key(channel: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"channel/{channel}"}}
