"""One transaction for an item that says where alerts stand and for the episodes that change with it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from iot_pipeline.alerting.episodes import Change, Item, write_of

# DynamoDB API, TransactWriteItems: at most 100 items.
MAX_ITEMS = 100
# Why an item of a transaction was refused: it is not as its condition says.
CHECK_FAILED = "ConditionalCheckFailed"
log = logging.getLogger(__name__)


def write_together(dynamodb: Any, own: Item, changes: Sequence[Change], table: str, now_ms: int) -> None:
    """Put an item and write, with it or not at all, the episodes of the table of alerts that change.

    Where that table holds other episodes than the item knows, such as after one of the two was restored, it is what is
    there that says whether an episode is new. Raises botocore's errors; `refusals` says whether the item was the cause.
    """

    def write(unexpected: set[str]) -> None:
        episodes = (
            write_of(each, table, now_ms, is_new=each.opens != (each.episode in unexpected)) for each in changes
        )
        dynamodb.transact_write_items(TransactItems=[{"Put": own}, *episodes])

    try:
        write(set())
    except ClientError as error:
        mine, *theirs = refusals(error) or [None]
        unexpected = {change.episode for change, why in zip(changes, theirs, strict=False) if why == CHECK_FAILED}
        if mine == CHECK_FAILED or not unexpected:
            raise
        (name,) = (held["S"] for key, held in own["Item"].items() if key in ("device", "id"))
        log.warning("%s: the table of alerts differs from what was known in %s", name, sorted(unexpected))
        write(unexpected)


def refusals(error: ClientError) -> list[str | None]:
    """Why each item of a transaction was refused, in their order; empty if it was no transaction that was."""
    reasons: Sequence[Mapping[str, Any]] = error.response.get("CancellationReasons", [])
    return [reason.get("Code") for reason in reasons]
