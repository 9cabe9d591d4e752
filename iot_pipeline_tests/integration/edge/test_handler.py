"""The handler on real tables: states and alerts are the same however batches are repeated, split or interrupted."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.episodes import Change
from iot_pipeline.contract.aggregation import UserRecord, aggregated
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.batch import fold, records_of
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.handler import Handler
from iot_pipeline.edge.state_store import StateConflictError
from iot_pipeline_tests.support.edge import NOON_MS, Edge, event, line, make_edge, reading

MINUTE = 60_000


def _stream(rng: random.Random, devices: int, messages: int) -> list[tuple[int, bytes]]:
    """Lines of several devices with sequence numbers, some values beyond their range, some lines poison."""
    lines = []
    seqs = dict.fromkeys(range(devices), 0)
    for number in range(messages):
        device = rng.randrange(devices)
        at_ms = NOON_MS + number * 2000
        readings = []
        for each in range(rng.choice([1, 4])):
            seqs[device] += 1
            value: Any = rng.choice([20.0, 20.5, 21.0, 22.5, 400, "x"]) if rng.random() < 0.3 else 20.0 + number / 100
            readings.append(reading(at_ms - 1000 + each, seqs[device], temperature=value, humidity=40.0))
        data = line(readings, at_ms, device=f"d{device}")
        if rng.random() < 0.05:
            data = rng.choice([b"{", b"\xff\xfe", b"17", b'{"readings": []}', data[:-9]])
        lines.append((49_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000 + number, data))
    return lines


def _outcome(edge: Edge, devices: int) -> tuple[Any, Any]:
    names = [f"d{each}" for each in range(devices)]
    states = {name: (state.sequence, state.encode()) for name, state in edge.states.load(names).items()}
    times = {"recorded_ms", "pending_at", "outbox", "resolution_ms", "expires_at", "written_day", "written_at"}
    episodes = [{key: value for key, value in each.items() if key not in times} for each in edge.episodes()]
    return states, episodes


def test_an_undisturbed_run_counts_everything_and_opens_what_is_wrong(edge: Edge) -> None:
    lines = [(1, line([reading(NOON_MS, 1, temperature=400)], NOON_MS)), (2, b"{"), (3, line([], NOON_MS))]
    assert edge.handler().take(event(lines)) == {"batchItemFailures": []}
    state = edge.state("d1")
    assert state.counts == {"out_of_range": 1, "no_readings": 1}
    assert state.sequence == 3
    (episode,) = edge.episodes()
    assert episode["rule"] == "range"
    assert episode["value"] == 400
    assert episode["trace"] == f"trace-d1-{NOON_MS}"
    assert [each["id"] for each in edge.alerts.open("acme")] == [episode["id"]]


@pytest.mark.parametrize("seed", range(3))
def test_doubled_split_and_shuffled_batches_end_as_an_undisturbed_run(edge: Edge, seed: int) -> None:
    rng = random.Random(seed)
    devices = 7
    lines = _stream(rng, devices, 300)
    calm = make_edge(edge.aws)
    handler = calm.handler()
    for begin in range(0, len(lines), 50):
        handler.take(event(lines[begin : begin + 50]))
    handlers = [edge.handler(), edge.handler()]
    done = 0
    while done < len(lines):
        size = rng.choice([1, 3, 20, 100])
        # A batch may begin long before what was taken last: Lambda gives again what it is not sure of.
        begin = max(0, done - rng.choice([0, 0, 5, 60]))
        batch = lines[begin : done + size]
        rng.choice(handlers).take(event(batch))
        if rng.random() < 0.3:
            rng.choice(handlers).take(event(batch[: len(batch) // 2 + 1]))
        if rng.random() < 0.2:
            handlers[rng.randrange(2)] = edge.handler()
        done += size
    assert _outcome(edge, devices) == _outcome(calm, devices)
    assert _outcome(calm, devices)[1]


@contextmanager
def unwritable(handler: Handler, device: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile DynamoDB throttles what is written of one device."""
    save = handler._store.save

    def broken(state: DeviceState, changes: Any, now_ms: int) -> None:
        if state.device == device:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "PutItem")
        save(state, changes, now_ms)

    with monkeypatch.context() as patched:
        patched.setattr(handler._store, "save", broken)
        yield


def test_a_device_whose_state_cannot_be_written_fails_the_batch_at_its_first_record(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = edge.handler()
    lines = [(n, line([reading(NOON_MS + n, n, temperature=20)], NOON_MS + n, device=f"d{n % 3}")) for n in range(1, 9)]
    with unwritable(handler, "d2", monkeypatch):
        failed = handler.take(event(lines))
    assert failed == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert handler.take(event(lines[1:])) == {"batchItemFailures": []}
    assert {name: edge.state(name).counts["valid"] for name in ("d0", "d1", "d2")} == {"d0": 2, "d1": 3, "d2": 3}


def test_the_messages_of_an_aggregate_are_taken_each_and_once(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share their record's sequence number, however often it is handed over; the next record has its own."""
    handler = edge.handler()

    def message(device: str, seq: int) -> bytes:
        return line([reading(NOON_MS + seq, seq, temperature=20)], NOON_MS + seq, device=device)

    inside = [UserRecord(device, message(device, seq)) for seq, device in enumerate(("d1", "d2", "d1", "d1"), 2)]
    batch = [(11, message("d0", 1)), (12, aggregated(inside)), (13, message("d3", 6)), (14, message("d0", 7))]
    with unwritable(handler, "d3", monkeypatch):
        failed = handler.take(event(batch))
    assert failed == {"batchItemFailures": [{"itemIdentifier": "13"}]}
    assert handler.take(event(batch)) == {"batchItemFailures": []}
    states = {name: edge.state(name) for name in ("d0", "d1", "d2", "d3")}
    assert {name: state.counts["valid"] for name, state in states.items()} == {"d0": 2, "d1": 3, "d2": 1, "d3": 1}
    assert [state.sequence for state in states.values()] == [14, 12, 12, 13]


def test_two_writers_of_one_state_do_not_lose_what_either_wrote(edge: Edge) -> None:
    first, second = edge.handler(), edge.handler()
    first.take(event([(1, line([reading(NOON_MS, 1, temperature=20)], NOON_MS))]))
    second.take(event([(2, line([reading(NOON_MS + 1, 2, temperature=21)], NOON_MS + 1))]))
    first.take(event([(3, line([reading(NOON_MS + 2, 3, temperature=22)], NOON_MS + 2))]))
    assert edge.state("d1").counts == {"valid": 3}
    stale = edge.state("d1")
    stale.version -= 1
    with pytest.raises(StateConflictError, match="version 3"):
        edge.states.save(stale, [], NOON_MS)


def test_a_message_with_more_episodes_than_a_transaction_takes_stops_nothing(edge: Edge) -> None:
    # Days of history in one message, a value beyond its range every half hour.
    begin_ms = NOON_MS - 10 * 24 * 60 * MINUTE
    readings = [
        reading(begin_ms + number * 10 * MINUTE, number + 1, temperature=20 if number % 3 else 400)
        for number in range(499)
    ]
    handler = edge.handler()
    assert handler.take(event([(1, line(readings, NOON_MS))])) == {"batchItemFailures": []}
    found = [each for each in edge.episodes() if each["rule"] == "range"]
    assert len(found) == 167
    # The last one is still open: nothing came after it.
    assert [each["status"] for each in found].count("resolved") == 166
    before = {each["id"]: each["recorded_ms"] for each in found}
    handler._store.save(DeviceState("d2"), _changes(edge, readings), NOON_MS + 1)
    assert {each["id"]: each["recorded_ms"] for each in edge.episodes() if each["id"] in before} == before


def _changes(edge: Edge, readings: list[Any]) -> list[Change]:
    """The changes of that message, once more."""
    records = records_of(event([(1, line(readings, NOON_MS))]), Judge())
    return [each for each in fold(DeviceState("d1"), records, RuleSet()) if each.is_whole]


def test_a_state_that_was_lost_finds_its_episodes_on_record(edge: Edge) -> None:
    wrong = line([reading(NOON_MS, 1, temperature=400)], NOON_MS)
    edge.handler().take(event([(1, wrong)]))
    dynamodb, settings = edge.clients["dynamodb"], edge.settings
    dynamodb.delete_item(TableName=settings.device_state_table, Key={"device": {"S": "d1"}})
    assert edge.handler().take(event([(1, wrong)])) == {"batchItemFailures": []}
    assert len(edge.episodes()) == 1
    (episode,) = edge.episodes()
    dynamodb.delete_item(TableName=settings.alerts_table, Key={"id": {"S": episode["id"]}})
    for number in (2, 3):
        at_ms = NOON_MS + number * MINUTE
        good = line([reading(at_ms, number, temperature=20)], at_ms)
        assert edge.handler().take(event([(number, good)])) == {"batchItemFailures": []}
    (again,) = edge.episodes()
    assert (again["id"], again["status"], again["opened_ms"]) == (episode["id"], "resolved", NOON_MS)


def test_an_alert_outlasts_its_device_s_move_to_another_site(edge: Edge) -> None:
    edge.handler().take(event([(1, line([reading(NOON_MS, 1, temperature=400)], NOON_MS, site="bern"))]))
    for number in (2, 3):
        at_ms = NOON_MS + number * MINUTE
        moved = line([reading(at_ms, number, temperature=20)], at_ms, site="basel")
        assert edge.handler().take(event([(number, moved)])) == {"batchItemFailures": []}
    (episode,) = edge.episodes()
    assert (episode["status"], episode["site"]) == ("resolved", "bern")
