"""How far the history has been exported, kept beside the alerts, and the lease by which one export at a time works."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.episodes import plain, value_of

_KEY = {"id": {"S": "export/alert_history"}}
# Longer than one day's rows take to write; an export that died keeps the next ones waiting for no longer.
LEASE_MS = 5 * 60_000


class ExportBusyError(RuntimeError):
    """Another export is at work, or has taken over from this one. What is published stands and is whole."""


@dataclass
class Progress:
    """One export's hold on the item that says up to when changes are in the lake."""

    dynamodb: Any
    table: str
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)

    def claim(self, now_ms: int) -> int | None:
        """Begin an export: up to when the last one has come, None if there was none.

        Two that changed one day's partition at once would lose what the first of them added. Raises ExportBusyError.
        """
        answer = self._update(
            "SET holder = :holder, lease_ms = :lease",
            {":lease": now_ms + LEASE_MS, ":now": now_ms},
            "attribute_not_exists(holder) OR lease_ms < :now",
            "another export of the alerts is at work, or died within the last five minutes; the next run takes over",
        )
        until_ms = answer.get("until_ms")
        return None if until_ms is None else int(until_ms)

    def renew(self, now_ms: int) -> None:
        """Before something is published: that this export still is the one. Raises ExportBusyError if it is not."""
        self._update("SET lease_ms = :lease", {":lease": now_ms + LEASE_MS}, "holder = :holder", _TAKEN_OVER)

    def finish(self, until_ms: int) -> None:
        """All changes up to then are in the lake. Raises ExportBusyError if another export has taken over."""
        self._update(
            "SET until_ms = :until REMOVE holder, lease_ms", {":until": until_ms}, "holder = :holder", _TAKEN_OVER
        )

    def release(self) -> None:
        """Let the next export begin at once, where this one has failed. Raises ExportBusyError if another has begun."""
        self._update("REMOVE holder, lease_ms", {}, "holder = :holder", _TAKEN_OVER)

    def _update(self, expression: str, values: Mapping[str, Any], condition: str, otherwise: str) -> dict[str, Any]:
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key=_KEY,
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues={
                    name: value_of(value) for name, value in {**values, ":holder": self.holder}.items()
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ExportBusyError(otherwise) from error
            raise
        return plain(answer["Attributes"])


_TAKEN_OVER = "this export took so long that another has taken over; what it published stands, and nothing is lost"
