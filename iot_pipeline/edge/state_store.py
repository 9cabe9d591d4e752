"""Device states in DynamoDB: one conditional write a device a batch, together with the alerts it changes."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.episodes import Change, write_of
from iot_pipeline.alerting.together import CHECK_FAILED, MAX_ITEMS, write_together
from iot_pipeline.edge.device_state import DeviceState

# DynamoDB API, BatchGetItem: at most 100 items a call.
_BATCH = 100
_REFUSED = "ConditionalCheckFailedException"
# Seconds, doubling (DynamoDB API, BatchGetItem: "retry with an exponential backoff"); together within the handler's 60.
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_SEEN = ("device", "tenant", "site", "version", "sequence", "arrival_ms", "body")


class StateConflictError(Exception):
    """Another writer was first; `current` is the state as it is now."""

    def __init__(self, current: DeviceState) -> None:
        super().__init__(f"device {current.device}: version {current.version} was written meanwhile")
        self.current = current


class StatesUnreadError(Exception):
    """DynamoDB did not say what some devices' states are; whether they have one is not known."""


class StateStore:
    """The table of device states, and the one of alerts that changes with it."""

    def __init__(self, dynamodb: Any, states: str, alerts: str) -> None:
        self._dynamodb, self._states, self._alerts = dynamodb, states, alerts

    def load(self, devices: Iterable[str]) -> dict[str, DeviceState]:
        """The states of devices, a new one for each that has none. Raises botocore's errors and StatesUnreadError."""
        return self._read(devices, {})

    def look(self, devices: Iterable[str]) -> dict[str, DeviceState]:
        """As `load`, to be looked at and not to be saved: without their detectors, nine tenths of them."""
        return self._read(devices, _projection())

    def _read(self, devices: Iterable[str], projection: Mapping[str, Any]) -> dict[str, DeviceState]:
        wanted = list(devices)
        found = {device: DeviceState(device) for device in wanted}
        for begin in range(0, len(wanted), _BATCH):
            keys = [{"device": {"S": device}} for device in wanted[begin : begin + _BATCH]]
            for item in self._get(keys, projection):
                state = _state(item)
                found[state.device] = state
        return found

    def _get(self, keys: list[Any], projection: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The items of these keys that there are. What DynamoDB leaves out is asked for again: most of it for an answer
        of more than 16 MB, all of it when it is throttled, so that only then there is a pause.
        """
        pauses = iter(PAUSES)
        while keys:
            request = {self._states: {"Keys": keys, "ConsistentRead": True, **projection}}
            answer = self._dynamodb.batch_get_item(RequestItems=request)
            items = answer.get("Responses", {}).get(self._states, [])
            yield from items
            keys = answer.get("UnprocessedKeys", {}).get(self._states, {}).get("Keys", [])
            if keys and not items:
                if (pause := next(pauses, None)) is None:
                    raise StatesUnreadError(
                        f"DynamoDB left {len(keys)} states of {self._states} unread after {len(PAUSES)} pauses, the "
                        f"first of them {keys[0]}; nothing was written"
                    )
                time.sleep(pause)

    def save(self, state: DeviceState, changes: list[Change], now_ms: int) -> None:
        """Write a state as the next version, and with it, or not at all, its alerts.

        More alerts than a transaction takes can only be episodes that are over: those are written before it, which
        may be repeated, for a repeat finds them on record. Raises StateConflictError if the version it was made from is
        not the one that is there.
        """
        together = changes
        if len(changes) >= MAX_ITEMS:
            together = [change for change in changes if not change.is_whole]
            for change in changes:
                if change.is_whole:
                    self._record(change, now_ms)
        if together:
            self._write(state, lambda: write_together(self._dynamodb, self._put(state), together, self._alerts, now_ms))
        else:
            self._write(state, lambda: self._dynamodb.put_item(**self._put(state)))
        state.version += 1

    def _record(self, change: Change, now_ms: int) -> None:
        put = write_of(change, self._alerts, now_ms)["Put"]
        try:
            self._dynamodb.put_item(**put)
        except ClientError as error:
            if error.response["Error"]["Code"] != _REFUSED:
                raise

    def _write(self, state: DeviceState, write: Callable[[], object]) -> None:
        try:
            write()
        except ClientError as error:
            current = _conflict(error)
            if current is None:
                raise
            raise StateConflictError(_state(current) if current else DeviceState(state.device)) from None

    def seen(self, segment: int, segments: int) -> Iterator[DeviceState]:
        """All states of one of several segments of the table, to be looked at: without their detectors, nine tenths of
        them. What is to be saved has to be loaded. Raises botocore's errors.
        """
        start: dict[str, Any] = {}
        while True:
            page = self._dynamodb.scan(
                TableName=self._states, Segment=segment, TotalSegments=segments, **_projection(), **start
            )
            yield from (_state(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _put(self, state: DeviceState) -> dict[str, Any]:
        item = {
            "device": {"S": state.device},
            "tenant": {"S": state.tenant},
            "site": {"S": state.site},
            "version": {"N": str(state.version + 1)},
            "sequence": {"S": str(state.sequence)},
            "arrival_ms": {"N": str(state.arrival_ms)},
            "body": {"S": state.encode()},
            "detectors": {"M": {name: {"B": detector.encode(held)} for name, held in state.detectors.items()}},
        }
        if state.version == 0:
            condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(device)"}
        else:
            condition = {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(state.version)}},
            }
        return {
            "TableName": self._states,
            "Item": item,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **condition,
        }


def _projection() -> dict[str, Any]:
    names = {f"#{number}": name for number, name in enumerate(_SEEN)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def _conflict(error: ClientError) -> Mapping[str, Any] | None:
    """The item as it is, if that is why the write was refused; empty if there is none."""
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == _REFUSED:
        return cast("Mapping[str, Any]", response.get("Item", {}))
    if code == "TransactionCanceledException":
        first: Mapping[str, Any] = response.get("CancellationReasons", [{}])[0]
        if first.get("Code") == CHECK_FAILED:
            return cast("Mapping[str, Any]", first.get("Item", {}))
    return None


def _state(item: Mapping[str, Any]) -> DeviceState:
    state = DeviceState(item["device"]["S"], item["tenant"]["S"], item["site"]["S"])
    state.version = int(item["version"]["N"])
    state.sequence = int(item["sequence"]["S"])
    state.arrival_ms = int(item["arrival_ms"]["N"])
    state.detectors = {name: detector.decode(held["B"]) for name, held in item.get("detectors", {"M": {}})["M"].items()}
    return state.restore(item["body"]["S"])
