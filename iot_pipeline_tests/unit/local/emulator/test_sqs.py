"""Receiving and deleting beside stock ministack's: the same messages, whatever came before."""

import copy
import random
from typing import Any

import pytest
from ministack.services import sqs as stock

from infra.local.emulator import sqs

Queue = dict[str, Any]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def message(number: int, now: float) -> dict[str, Any]:
    return {"id": str(number), "body": str(number), "sent_at": now, "visible_at": now, "md5_body": ""}


def ids(messages: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in messages]


@pytest.mark.parametrize("seed", range(20))
def test_any_sequence_of_calls_gives_what_stock_gives(clock: list[float], seed: int) -> None:
    chance = random.Random(seed)
    ours: Queue = {"is_fifo": False, "attributes": {"VisibilityTimeout": "30"}, "messages": []}
    theirs = copy.deepcopy(ours)
    for number in range(300):
        clock[0] += chance.random() * 3
        what = chance.choice(["send", "send", "receive", "delete", "late"])
        if what == "send":
            for queue in (ours, theirs):
                queue["messages"].append(message(number, clock[0]))
        elif what == "receive":
            most, seconds = chance.randint(1, 10), chance.choice([0, 1, 30])
            assert ids(sqs._collect(ours, most, seconds)) == ids(sqs._stock_collect(theirs, most, seconds))
        else:
            received = [m["id"] for m in ours["messages"] if m.get("receipt_handle")]
            chosen = set(chance.sample(received, min(len(received), chance.randint(0, 4))))
            handles = {m["receipt_handle"] for m in ours["messages"] if m["id"] in chosen}
            if what == "late":
                handles |= {"a handle of nothing"}
            assert sqs._removed(ours["messages"], handles) == handles - {"a handle of nothing"}
            theirs["messages"] = [m for m in theirs["messages"] if m["id"] not in chosen]
        assert ids(ours["messages"]) == ids(theirs["messages"])


def test_only_what_is_received_is_looked_at(clock: list[float]) -> None:
    class Counted(list[dict[str, Any]]):
        looked_at = 0

        def __iter__(self) -> Any:
            for each in super().__iter__():
                Counted.looked_at += 1
                yield each

    queue: Queue = {"is_fifo": False, "attributes": {}, "messages": Counted(message(n, clock[0]) for n in range(1000))}
    found = sqs._collect(queue, 10, 30)
    assert (ids(found), Counted.looked_at) == ([str(n) for n in range(10)], 10)
    sqs._removed(queue["messages"], {each["receipt_handle"] for each in found})
    assert (len(queue["messages"]), Counted.looked_at) == (990, 20)


def test_the_queue_is_gone_through_whole_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(sqs, "_stock_expire", lambda _queue: done.append("expire"))
    moment = [5.0]
    monkeypatch.setattr("time.monotonic", lambda: moment[0])
    queue: Queue = {"is_fifo": False, "attributes": {}, "messages": []}
    for seconds in (0, 0.4, 0.5, 0.2, 1.1):
        moment[0] += seconds
        sqs._expire(queue)
    assert done == ["expire"] * 3
    # A restart's clock may be behind the one that was saved with the queue.
    moment[0] = 1.0
    sqs._expire(queue)
    assert len(done) == 4
    queue["is_fifo"] = True
    sqs._expire(queue)
    assert len(done) == 5


def test_the_functions_are_those_that_stock_calls() -> None:
    assert {"_collect_msgs", "_expire_retained", "_dlq_sweep", "_act_delete_message_batch"} <= set(vars(stock))
