"""Silence of devices and sites, found by the sweep; and what people are told of it."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.notifications import Notification, empty_outbox, remind
from iot_pipeline.alerting.table import silence
from iot_pipeline_tests.support.edge import NOON_MS, SHARD, Edge, event, line, reading
from iot_pipeline_tests.support.inbox import Inbox

MINUTE = 60_000
HOUR = 60 * MINUTE


def _say(edge: Edge, number: int, at_ms: int, device: str = "d1", **values: Any) -> None:
    values = values or {"temperature": 20 + number / 100}
    data = line([reading(at_ms, number, **values)], at_ms, device=device)
    assert edge.handler().take(event([(number, data)])) == {"batchItemFailures": []}


def test_a_silent_device_opens_one_episode_that_its_next_message_resolves(edge: Edge) -> None:
    _say(edge, 1, NOON_MS, "d1")
    _say(edge, 2, NOON_MS + 14 * MINUTE, "d2")
    assert edge.sweep().run(NOON_MS + 14 * MINUTE).opened == 0
    assert edge.sweep().run(NOON_MS + 15 * MINUTE).opened == 1
    assert edge.sweep().run(NOON_MS + 16 * MINUTE).opened == 0
    (episode,) = edge.episodes()
    assert (episode["rule"], episode["device"], episode["opened_ms"]) == ("silence", "d1", NOON_MS)
    _say(edge, 3, NOON_MS + 18 * MINUTE, "d1")
    (episode,) = edge.episodes()
    assert (episode["status"], episode["resolved_ms"]) == ("resolved", NOON_MS + 18 * MINUTE)
    assert list(edge.alerts.open("acme")) == []


def test_a_silence_leaves_the_detectors_as_they_are(edge: Edge) -> None:
    _say(edge, 1, NOON_MS, "d1", temperature=20, humidity=40)
    before = {name: detector.encode(held) for name, held in edge.state("d1").detectors.items()}
    assert edge.sweep().run(NOON_MS + 15 * MINUTE).opened == 1
    after = {name: detector.encode(held) for name, held in edge.state("d1").detectors.items()}
    assert after == before
    assert before.keys() == {"temperature", "humidity"}


def test_data_that_arrives_as_the_alert_opens_leaves_nothing_open(edge: Edge) -> None:
    _say(edge, 1, NOON_MS)
    late = edge.state("d1")
    _say(edge, 2, NOON_MS + 20 * MINUTE, temperature=21.0)
    sweep = edge.sweep()
    sweep._store.seen = lambda segment, _segments: iter([late] if segment == 0 else [])  # type: ignore[assignment, method-assign] # the scan that came before the message
    assert sweep.run(NOON_MS + 20 * MINUTE).opened == 0
    assert list(edge.alerts.open("acme")) == []


def test_a_handler_that_had_the_state_in_memory_resolves_what_the_sweep_opened(edge: Edge) -> None:
    handler = edge.handler()
    handler.take(event([(1, line([reading(NOON_MS, 1, temperature=20)], NOON_MS))]))
    assert edge.sweep().run(NOON_MS + 20 * MINUTE).opened == 1
    at_ms = NOON_MS + 21 * MINUTE
    handler.take(event([(2, line([reading(at_ms, 2, temperature=20)], at_ms))]))
    assert [each["status"] for each in edge.episodes()] == ["resolved"]


def test_a_dead_site_is_one_alert_that_speaks_for_its_devices(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    for number, device in enumerate(["d1", "d2", "d3"], 1):
        _say(edge, number, NOON_MS + number, device)
    edge.sweep().run(NOON_MS + 11 * MINUTE)
    edge.sweep().run(NOON_MS + 16 * MINUTE)
    edge.sweep().run(NOON_MS + 17 * MINUTE)
    assert sorted(each["rule"] for each in edge.episodes()) == ["silence", "silence", "silence", "site_silence"]
    empty_outbox(edge.alerts, edge.publish, NOON_MS + 17 * MINUTE)
    assert [(each["rule"], each["what"]) for each in inbox.read()] == [("site_silence", "opened")]
    for number, device in enumerate(["d1", "d2"], 4):
        _say(edge, number, NOON_MS + 20 * MINUTE + number, device)
    edge.sweep().run(NOON_MS + 21 * MINUTE)
    empty_outbox(edge.alerts, edge.publish, NOON_MS + 21 * MINUTE)
    assert [(each["rule"], each["what"]) for each in inbox.read()] == [("site_silence", "resolved")]
    # d3 stays silent, and now that is a matter of its own.
    for minute in (30, 36, 37):
        for number, device in enumerate(["d1", "d2"]):
            _say(edge, 100 + minute + number * 100, NOON_MS + minute * MINUTE, device)
        edge.sweep().run(NOON_MS + minute * MINUTE + 1)
    empty_outbox(edge.alerts, edge.publish, NOON_MS + 37 * MINUTE)
    (told,) = inbox.read()
    assert (told["rule"], told["what"], told["episodes"][0]["device"]) == ("silence", "opened", "d3")


def test_nothing_is_called_silent_while_the_stream_holds_what_was_not_taken(edge: Edge) -> None:
    kinesis, stream = edge.clients["kinesis"], edge.settings.stream
    lines = [line([reading(NOON_MS + each, each, temperature=20)], NOON_MS + each) for each in range(2)]
    numbers = [kinesis.put_record(StreamName=stream, Data=each, PartitionKey="d")["SequenceNumber"] for each in lines]
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    arrived_ms = int(records[1]["ApproximateArrivalTimestamp"].timestamp() * 1000)
    edge.handler().take(event([(numbers[0], lines[0])]))
    found = edge.sweep().run(arrived_ms + HOUR)
    assert (found.lag_ms, found.opened) == (HOUR, 0)
    edge.handler().take(event([(numbers[1], lines[1])]))
    found = edge.sweep().run(arrived_ms + HOUR)
    assert (found.lag_ms, found.opened) == (0, 1)


def test_people_are_told_once_grouped_and_reminded(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    for number in range(1, 6):
        _say(edge, number, NOON_MS + number, f"d{number}", temperature=400)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    (told,) = inbox.read()
    assert (told["rule"], told["what"], len(told["episodes"])) == ("range", "opened", 5)
    first = edge.episodes()[0]
    edge.alerts.acknowledge(first["id"], "ada", "on my way", NOON_MS)
    later = max(each["recorded_ms"] for each in edge.episodes()) + HOUR
    assert remind(edge.alerts, ["acme"], later) == 4
    assert remind(edge.alerts, ["acme"], later) == 0
    empty_outbox(edge.alerts, edge.publish, later)
    assert [(each["what"], len(each["episodes"])) for each in inbox.read()] == [("reminder", 4)]


@pytest.mark.parametrize(("killed_in", "times"), [("note_sent", 2), ("settle", 1)])
def test_a_crash_after_the_sending_sends_at_most_that_one_again(edge: Edge, killed_in: str, times: int) -> None:
    inbox = Inbox.of(edge)
    for number, site in enumerate(("basel", "berlin", "bern"), 1):
        data = line([reading(NOON_MS, number, temperature=400)], NOON_MS, device=f"d{number}", site=site)
        edge.handler().take(event([(number, data)]))
    alerts = edge.alerts
    setattr(alerts, killed_in, _killed_at_second_call(getattr(alerts, killed_in)))
    with contextlib.suppress(ConnectionError):
        empty_outbox(alerts, edge.publish, NOON_MS)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    told = Counter(each["id"] for each in inbox.read())
    assert sorted(told.values()) == [1, 1, times]


def _killed_at_second_call(method: Callable[..., Any]) -> Callable[..., Any]:
    calls = itertools.count(1)

    def killed(*args: Any, **more: Any) -> Any:
        if next(calls) == 2:
            raise ConnectionError("killed")
        return method(*args, **more)

    return killed


def test_what_comes_in_after_a_crash_does_not_change_what_is_sent_again(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    _say(edge, 1, NOON_MS, "d1", temperature=400)
    _say(edge, 2, NOON_MS, "d2", temperature=400)
    alerts = edge.alerts

    def crash(*_args: Any) -> None:
        raise ConnectionError("killed after the sending")

    alerts.note_sent = crash  # type: ignore[method-assign, assignment] # a crash, just there
    with contextlib.suppress(ConnectionError):
        empty_outbox(alerts, edge.publish, NOON_MS)
    _say(edge, 3, NOON_MS, "d3", temperature=400)
    for number, second in ((4, 10), (5, 100)):
        _say(edge, number, NOON_MS + second * 1000, "d1", temperature=20)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    told = [(each["what"], sorted(e["device"] for e in each["episodes"])) for each in inbox.read()]
    again = ("opened", ["d1", "d2"])
    assert sorted(told) == [again, again, ("opened", ["d3"]), ("resolved", ["d1"])]


def test_what_comes_in_while_it_is_sent_is_sent_alone(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    _say(edge, 1, NOON_MS, temperature=400)

    def publish(message: Notification) -> None:
        edge.publish(message)
        for number, second in ((2, 10), (3, 100)):
            _say(edge, number, NOON_MS + second * 1000, temperature=20)

    empty_outbox(edge.alerts, publish, NOON_MS)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    assert [each["what"] for each in inbox.read()] == ["opened", "resolved"]


def test_a_notification_that_is_refused_does_not_have_the_others_sent_again(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    for number, site in ((1, "berlin"), (2, "bern")):
        data = line([reading(NOON_MS, number, temperature=400)], NOON_MS, device=f"d{number}", site=site)
        edge.handler().take(event([(number, data)]))

    def publish(message: Notification) -> None:
        if "berlin" in message.data["site"]:
            raise ConnectionError("refused")
        edge.publish(message)

    for _ in range(2):
        with pytest.raises(ConnectionError):
            empty_outbox(edge.alerts, publish, NOON_MS)
    assert [each["site"] for each in inbox.read()] == ["bern"]
    empty_outbox(edge.alerts, edge.publish, NOON_MS)
    assert [each["site"] for each in inbox.read()] == ["berlin"]


def test_planned_work_tells_nobody_until_it_is_over(edge: Edge) -> None:
    inbox = Inbox.of(edge)
    edge.alerts.add_silence(silence({"site": "berlin"}, NOON_MS - 1, NOON_MS + HOUR, "ada", "new gateway"))
    _say(edge, 1, NOON_MS, "d1", temperature=400)
    _say(edge, 2, NOON_MS, "d2", temperature=400)
    for number, second in ((3, 10), (4, 100)):
        _say(edge, number, NOON_MS + second * 1000, "d2", temperature=20)
    empty_outbox(edge.alerts, edge.publish, NOON_MS + MINUTE)
    assert inbox.read() == []
    empty_outbox(edge.alerts, edge.publish, NOON_MS + HOUR)
    (told,) = inbox.read()
    assert (told["what"], [each["device"] for each in told["episodes"]]) == ("opened", ["d1"])
