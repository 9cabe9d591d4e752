"""The alerts' feed: what is open at the start, then each change, over a table that does not answer for a while."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from iot_pipeline.alerting.episodes import Change, Place, write_of
from iot_pipeline.alerting.lifecycle import AlertKey, Severity, Transition, What
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.console.live import alert_feed
from iot_pipeline.console.live.alert_feed import AlertFeed
from iot_pipeline_tests.support.edge import Edge
from iot_pipeline_tests.support.emulator import eventually


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_feed, "POLL_SECONDS", 0.05)


def now_ms() -> int:
    return int(time.time() * 1000)


def write(edge: Edge, what: What, device: str, since_ms: int) -> str:
    key = AlertKey(f"device/{device}", "range", "temperature")
    at_ms = now_ms()
    transition = Transition(what, key, key.episode(since_ms), Severity.WARNING, since_ms, at_ms, at_ms)
    change = Change(Place("acme", "berlin", device), (transition,))
    item = write_of(change, edge.settings.alerts_table, at_ms)
    edge.clients["dynamodb"].transact_write_items(TransactItems=[item])
    return transition.episode


class Told:
    """The states of episodes in the order in which they were told, and what is in trouble."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str, bool]] = []
        self.trouble: str | None = "not asked yet"

    def deliver(self, episodes: Sequence[Mapping[str, Any]]) -> None:
        self.states += [(each["device"], each["status"], "acknowledged_by" in each) for each in episodes]

    def note(self, _source: str, what: str | None) -> None:
        self.trouble = what


@contextmanager
def following(table: AlertsTable) -> Iterator[Told]:
    told = Told()
    feed = AlertFeed(table, told.deliver, told.note)
    feed.start()
    try:
        yield told
    finally:
        feed.stop()


def is_told(told: Told, *states: tuple[str, str, bool]) -> Callable[[], bool]:
    return lambda: set(states) <= set(told.states)


def test_an_alert_that_is_open_at_the_start_then_each_change_once(edge: Edge) -> None:
    since = now_ms() - 86_400_000
    old = write(edge, What.OPENED, "d1", since)
    resolved = write(edge, What.OPENED, "d0", since)
    assert resolved
    write(edge, What.RESOLVED, "d0", since)
    with following(edge.alerts) as told:
        assert eventually(is_told(told, ("d1", "open", False)))
        write(edge, What.OPENED, "d2", now_ms())
        assert eventually(is_told(told, ("d2", "open", False)))
        edge.alerts.acknowledge(old, "ada", "on my way", now_ms())
        assert eventually(is_told(told, ("d1", "open", True)))
        write(edge, What.RESOLVED, "d1", since)
        assert eventually(lambda: ("d1", "resolved", True) in told.states)
    of_first = [state for state in told.states if state[0] == "d1"]
    assert of_first == [("d1", "open", False), ("d1", "open", True), ("d1", "resolved", True)]
    assert told.states.count(("d2", "open", False)) == 1


def test_a_table_that_does_not_answer_is_told_and_nothing_is_missed(edge: Edge) -> None:
    table = AlertsTable(edge.clients["dynamodb"], edge.settings.alerts_table)
    with following(table) as told:
        assert eventually(lambda: told.trouble is None)
        table._table = "not-there"
        assert eventually(lambda: "ResourceNotFound" in (told.trouble or ""))
        write(edge, What.OPENED, "d1", now_ms())
        table._table = edge.settings.alerts_table
        assert eventually(is_told(told, ("d1", "open", False)))
        assert told.trouble is None
