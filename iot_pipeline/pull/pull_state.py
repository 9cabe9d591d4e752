"""How far each resource of a vendor has been read: one item a resource, which one invocation at a time may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

# Where an item says when it may go, in seconds since 1970: a back-fill some time after its end.
EXPIRES = "expires_at"
_KEPT_SECONDS = 90 * 86_400
_REFUSED = "ConditionalCheckFailedException"


class LeaseLostError(RuntimeError):
    """Another invocation has taken the resource over: this one was away for longer than its lease."""


@dataclass(frozen=True)
class PullState:
    """How far a resource has been read. Times are epoch milliseconds UTC.

    Windows before `done_to_ms` are done; the one that begins there is at the page `position`. `arrival_ms` is the time
    of arrival of that page, noted before it is asked for: whoever asks for it again, after a crash, then writes the
    same object. `items` and `pages` are digests of the pages of this window so far, `total` what the vendor said last.
    `end_ms` is where a back-fill ends, 0 for the resource itself. `error` is the last failure, "" after a success.
    """

    id: str
    done_to_ms: int
    end_ms: int = 0
    position: str = ""
    arrival_ms: int = 0
    items: int = 0
    total: int | None = None
    pages: tuple[str, ...] = ()
    not_before_ms: int = 0
    failures: int = 0
    error: str = ""
    lease: str = field(default="", compare=False)

    @property
    def is_finished(self) -> bool:
        """Whether this is a back-fill that has reached its end."""
        return bool(self.end_ms) and self.done_to_ms >= self.end_ms


class PullStates:
    """The table of the states, and of the gaps that were found."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def acquire(self, fresh: PullState, token: str, now_ms: int, until_ms: int) -> PullState | None:
        """The state under a lease until then, made as `fresh` if there is none; None while another has the lease."""
        values = {":token": {"S": token}, ":now": {"N": str(now_ms)}, ":until": {"N": str(until_ms)}}
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": fresh.id}},
                UpdateExpression="SET lease = :token, lease_until_ms = :until",
                ConditionExpression="attribute_not_exists(lease) OR lease_until_ms < :now",
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _REFUSED:
                return None
            raise
        item = answer["Attributes"]
        return _state(item) if "done_to_ms" in item else replace(fresh, lease=token)

    def save(self, state: PullState, until_ms: int) -> None:
        """Write the state and keep the lease until then. Raises LeaseLostError."""
        self._put(state, {"lease": {"S": state.lease}, "lease_until_ms": {"N": str(until_ms)}})

    def release(self, state: PullState, now_ms: int) -> None:
        """Write the state and give the lease back; a finished back-fill goes in a while. Raises LeaseLostError."""
        goes = {EXPIRES: {"N": str(now_ms // 1000 + _KEPT_SECONDS)}} if state.is_finished else {}
        self._put(state, goes)

    def _put(self, state: PullState, more: dict[str, Any]) -> None:
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(state) | more,
                ConditionExpression="lease = :token",
                ExpressionAttributeValues={":token": {"S": state.lease}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _REFUSED:
                raise LeaseLostError(f"{state.id} is read by another invocation") from error
            raise

    def note_gap(self, resource: str, from_ms: int, to_ms: int, expected: int, found: int) -> None:
        """Note a window of which the vendor gave another number of items than it said, until it is read again."""
        item = {
            **_gap_key(resource, from_ms),
            "to_ms": {"N": str(to_ms)},
            "expected": {"N": str(expected)},
            "found": {"N": str(found)},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def close_gap(self, resource: str, from_ms: int) -> None:
        """A window has been read whole."""
        self._dynamodb.delete_item(TableName=self._table, Key=_gap_key(resource, from_ms))


def _gap_key(resource: str, from_ms: int) -> dict[str, Any]:
    return {"id": {"S": f"gap/{resource}/{from_ms}"}}


def _item(state: PullState) -> dict[str, Any]:
    return {
        "id": {"S": state.id},
        "done_to_ms": {"N": str(state.done_to_ms)},
        "end_ms": {"N": str(state.end_ms)},
        "position": {"S": state.position},
        "arrival_ms": {"N": str(state.arrival_ms)},
        "items": {"N": str(state.items)},
        **({} if state.total is None else {"total": {"N": str(state.total)}}),
        "pages": {"L": [{"S": page} for page in state.pages]},
        "not_before_ms": {"N": str(state.not_before_ms)},
        "failures": {"N": str(state.failures)},
        "error": {"S": state.error},
    }


def _state(item: Mapping[str, Any]) -> PullState:
    return PullState(
        id=item["id"]["S"],
        done_to_ms=int(item["done_to_ms"]["N"]),
        end_ms=int(item["end_ms"]["N"]),
        position=item["position"]["S"],
        arrival_ms=int(item["arrival_ms"]["N"]),
        items=int(item["items"]["N"]),
        total=int(item["total"]["N"]) if "total" in item else None,
        pages=tuple(page["S"] for page in item["pages"]["L"]),
        not_before_ms=int(item["not_before_ms"]["N"]),
        failures=int(item["failures"]["N"]),
        error=item["error"]["S"],
        lease=item["lease"]["S"],
    )
