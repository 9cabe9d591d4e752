"""Devices' states, read from a DynamoDB that leaves out a part of what it was asked for."""

from typing import Any

import pytest

from iot_pipeline.edge import state_store
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.state_store import StateStore, StatesUnreadError


class Throttled:
    """A table that answers so many items a call, as DynamoDB does beyond 16 MB, or none, as when it is throttled."""

    def __init__(self, answers: list[int]) -> None:
        self.answers, self.calls = answers, 0

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803  # boto3's name
        keys = RequestItems["states"]["Keys"]
        count = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        items = [_item(key["device"]["S"]) for key in keys[:count]]
        left = {"states": {"Keys": keys[count:]}} if keys[count:] else {}
        return {"Responses": {"states": items}, "UnprocessedKeys": left}


def _item(device: str) -> dict[str, Any]:
    state = DeviceState(device, "acme", "bern")
    texts = {"device": device, "tenant": "acme", "site": "bern", "sequence": "0", "body": state.encode()}
    numbers = {"version": "7", "arrival_ms": "0"}
    return {name: {"S": text} for name, text in texts.items()} | {name: {"N": text} for name, text in numbers.items()}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("iot_pipeline.edge.state_store.time.sleep", slept.append)
    return slept


def test_what_was_left_out_is_asked_for_again(pauses: list[float]) -> None:
    found = StateStore(Throttled([2, 0, 0, 1, 5]), "states", "alerts").load(f"d{n}" for n in range(5))
    assert {device: state.version for device, state in found.items()} == {f"d{n}": 7 for n in range(5)}
    assert pauses == list(state_store.PAUSES[:2]), "a pause for each answer without anything, and no other"


def test_a_state_without_an_answer_is_not_taken_for_a_new_devices(pauses: list[float]) -> None:
    with pytest.raises(StatesUnreadError, match=r"left 4 states of states unread .*'d1'.*nothing was written"):
        StateStore(Throttled([1, 0]), "states", "alerts").load(f"d{n}" for n in range(5))
    assert pauses == list(state_store.PAUSES)
