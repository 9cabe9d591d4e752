"""What a tab is told: everything it may see, nothing else, in bounded memory, the newest first."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from iot_pipeline.alerting.table import PIPELINE
from iot_pipeline.console.live import fleet, stream
from iot_pipeline.console.live.hub import Hub
from iot_pipeline.console.live.shards import Batch
from iot_pipeline.console.live.stream import events
from iot_pipeline.console.live.subscriber import MAX_WAITING, Subscriber
from iot_pipeline.console.viewer import Role, Viewer
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState, Series
from iot_pipeline_tests.support.edge import NOON_MS, line, reading

STAFF = Viewer("ada", Role.OPERATOR)
ACME, GLOBEX = (Viewer(f"of-{name}", Role.TENANT, name) for name in ("acme", "globex"))


@pytest.fixture
def hub() -> Hub:
    return Hub(Judge())


def send(hub: Hub, *lines: bytes, behind_ms: int = 0) -> None:
    hub.take(Batch("shard-0", list(lines), behind_ms))


def one(seq: int, value: float, device: str = "d1", tenant: str = "acme", at_ms: int | None = None) -> bytes:
    """A message of one reading, arriving a second after it was taken."""
    at_ms = NOON_MS + seq * 1000 if at_ms is None else at_ms
    return line([reading(at_ms, seq, temperature=value)], NOON_MS + seq * 1000 + 1000, device=device, tenant=tenant)


def join(hub: Hub, viewer: Viewer, *chosen: str) -> tuple[Subscriber, dict[str, Any]]:
    subscriber = Subscriber(viewer, frozenset(chosen))
    return subscriber, json.loads(json.dumps(hub.join(subscriber)))


def episode(number: int, tenant: str, status: str = "open") -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "tenant": tenant,
        "status": status,
        "severity": 1,
        "rule": "range",
        "opened_ms": NOON_MS,
    }


def ids(rows: Iterable[Any]) -> list[str]:
    return [row[0] for row in rows]


def test_a_snapshot_then_only_what_changes(hub: Hub) -> None:
    send(hub, one(1, 20.0, "d1"), one(1, 21.0, "d2"))
    hub.beat()
    subscriber, snapshot = join(hub, STAFF)
    assert ids(snapshot["devices"]) == ["d1", "d2"]
    assert hub.fleet_frame(subscriber) is None, "told in this tick already"
    send(hub, one(2, 22.0, "d2"))
    hub.beat()
    (row,) = json.loads(hub.fleet_frame(subscriber) or "")
    assert row[:5] == ["d2", "acme", "berlin", None, NOON_MS + 3000]
    assert row[5][0] == [22.0, NOON_MS + 2000]
    assert hub.fleet_frame(subscriber) is None


def test_what_comes_between_a_snapshot_and_the_end_of_its_second_is_told(hub: Hub) -> None:
    send(hub, one(1, 20.0))
    subscriber, _ = join(hub, STAFF)
    send(hub, one(2, 21.0))
    hub.beat()
    (row,) = json.loads(hub.fleet_frame(subscriber) or "")
    assert row[5][0][0] == 21.0


def test_tabs_that_are_due_the_same_share_its_encoding_and_a_slow_one_gets_the_newest(hub: Hub) -> None:
    (first, _), (second, _), (slow, _) = (join(hub, STAFF) for _ in range(3))
    for seq in range(3):
        send(hub, one(seq, float(seq), f"d{seq}"), one(seq, float(seq), "all"))
        hub.beat()
        frame = hub.fleet_frame(first)
        assert frame is hub.fleet_frame(second)
        assert sorted(ids(json.loads(frame or ""))) == ["all", f"d{seq}"]
    rows = {row[0]: row[5][0][0] for row in json.loads(hub.fleet_frame(slow) or "")}
    assert rows == {"d0": 0.0, "d1": 1.0, "d2": 2.0, "all": 2.0}


def test_a_slow_browser_is_told_what_it_missed_and_others_lose_nothing(hub: Hub) -> None:
    (slow, _), (quick, _) = join(hub, STAFF, "d1"), join(hub, STAFF, "d1")
    taken = 0
    for seq in range(MAX_WAITING + 50):
        send(hub, one(seq, 20.0))
        taken += len(quick.take_waiting()["d1"])
    assert taken == MAX_WAITING + 50
    waiting = slow.take_waiting()["d1"]
    assert [each.seq for each in waiting] == list(range(50, MAX_WAITING + 50)), "the newest are kept"
    assert (hub.status(slow)["missed"], hub.status(quick)["missed"]) == (50, 0)


def test_only_valid_readings_of_chosen_devices_are_drawn_and_the_rest_is_counted(hub: Hub) -> None:
    subscriber, _ = join(hub, STAFF, "d1")
    send(hub, one(1, 20.0), one(2, 900.0), one(3, 20.0, "d2"), b"{not json")
    assert {device: [each.seq for each in rows] for device, rows in subscriber.take_waiting().items()} == {"d1": [1]}
    hub.beat()
    status = hub.status(subscriber)
    assert (status["messages"], status["readings"], status["refused"]) == (4, 4, 2)


def test_a_tenant_sees_nothing_of_another(hub: Hub) -> None:
    subscribers = {viewer: join(hub, viewer, "mine", "theirs")[0] for viewer in (ACME, GLOBEX, STAFF)}
    send(hub, one(1, 20.0, "mine", "acme"), one(1, 21.0, "theirs", "globex"), one(2, 900.0, "theirs", "globex"))
    hub.take_alerts([episode(1, "acme"), episode(2, "globex"), episode(3, PIPELINE)])
    hub.note_trouble("stream", "arn:aws:kinesis:internal does not answer")
    hub.beat()
    seen = {}
    for viewer, subscriber in subscribers.items():
        _, snapshot = join(hub, viewer, "mine", "theirs")
        status = hub.status(subscriber)
        seen[viewer.name] = (
            ids(snapshot["devices"]),
            sorted(snapshot["readings"]),
            [each["id"] for each in snapshot["alerts"]],
            ids(json.loads(hub.fleet_frame(subscriber) or "")),
            sorted(subscriber.take_waiting()),
            [each["id"] for each in subscriber.take_alerts()],
            (status["messages"], status["refused"]),
        )
        assert [each.seq for each in hub.recent("theirs", viewer)] == ([] if viewer is ACME else [1])
        assert ("arn:aws" in str(status["trouble"])) == (viewer is STAFF)
        assert len(status["trouble"]) == 1
    both = ["mine", "theirs"]
    assert seen == {
        "of-acme": (["mine"], ["mine"], ["e1"], ["mine"], ["mine"], ["e1"], (1, 0)),
        "of-globex": (["theirs"], ["theirs"], ["e2"], ["theirs"], ["theirs"], ["e2"], (2, 1)),
        "ada": (both, both, ["e1", "e2", "e3"], both, both, ["e1", "e2", "e3"], (3, 1)),
    }


def test_a_device_that_moves_to_another_tenant_leaves_the_first_and_brings_nothing_of_it(hub: Hub) -> None:
    first, _ = join(hub, ACME, "d1")
    second, _ = join(hub, GLOBEX, "d1")
    late = line([reading(NOON_MS, 3, temperature=23.0)], NOON_MS + 2500, device="d1", tenant="acme")
    send(hub, one(1, 20.0, "d1", "acme"), one(2, 21.0, "d1", "globex"), late)
    assert [each.seq for each in first.take_waiting()["d1"]] == [1]
    assert [each.seq for each in second.take_waiting()["d1"]] == [2]
    _, snapshot = join(hub, ACME, "d1")
    assert (snapshot["devices"], snapshot["readings"]) == ([], {})
    assert [each.seq for each in hub.recent("d1", GLOBEX)] == [2]
    _, snapshot = join(hub, GLOBEX, "d1")
    (row,) = snapshot["devices"]
    assert row[5][0][0] == 21.0


def test_a_stream_ends_when_its_viewer_is_signed_in_no_more(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ASK_SECONDS", 0.0)
    answers = iter([True, False])

    async def watch() -> int:
        count = 0
        async for _ in events(hub, Subscriber(STAFF, frozenset()), lambda: next(answers)):
            count += 1
            hub.beat()
        return count

    assert asyncio.run(watch()) == 2, "the snapshot, and one status"
    assert not hub._subscribers


def test_alerts_appear_change_and_go(hub: Hub) -> None:
    hub.take_alerts([episode(1, "acme"), episode(2, "acme")])
    subscriber, snapshot = join(hub, ACME)
    assert [each["id"] for each in snapshot["alerts"]] == ["e1", "e2"]
    hub.take_alerts([episode(1, "acme") | {"acknowledged_by": "ada"}])
    hub.take_alerts([episode(1, "acme", "resolved"), episode(3, "acme")])
    told = {each["id"]: each["status"] for each in subscriber.take_alerts()}
    assert told == {"e1": "resolved", "e3": "open"}, "the newest state of each"
    assert sorted(hub.alerts) == ["e2", "e3"]


def test_an_older_reading_moves_nothing_backwards_and_a_fast_clock_is_no_future(hub: Hub) -> None:
    send(hub, one(10, 20.0), one(11, 19.0, at_ms=NOON_MS), one(12, 25.0, at_ms=NOON_MS + 12_000 + 1_800_000))
    device = hub.fleet.devices["d1"]
    assert device.latest["temperature"] == (25.0, NOON_MS + 13_000), "the time of its arrival"
    send(hub, one(20, 26.0))
    assert device.latest["temperature"] == (26.0, NOON_MS + 20_000)
    assert [each.seq for each in device.readings()] == [11, 10, 20, 12], "by the time that was sent"


def test_what_is_kept_of_a_device_is_bounded_and_a_reading_is_there_once(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "MAX_KEPT", 40)
    monkeypatch.setattr(fleet, "MAX_KEPT_OF_DEVICE", 30)
    for seq in range(50):
        send(hub, one(seq, float(seq)))
    assert [each.seq for each in hub.recent("d1", STAFF)] == list(range(20, 50))
    send(hub, one(49, 49.0), one(1, 1.0, "d2"), one(50, 50.0))
    kept = [each.seq for each in hub.recent("d1", STAFF)]
    assert kept == list(range(32, 51)), "the more devices, the less of each: 20, of which one is there twice"


def test_every_value_comes_back_as_it_was(hub: Hub) -> None:
    sent = {"temperature": -0.1, "humidity": 40.25, "pressure": 1013.0}
    vast = -(1 << 63)
    send(hub, line([reading(NOON_MS, vast, **sent)], NOON_MS))
    (kept,) = hub.recent("d1", STAFF)
    assert (kept.at_ms, kept.seq, kept.values) == (NOON_MS, vast, sent)
    _, snapshot = join(hub, STAFF, "d1")
    assert snapshot["readings"]["d1"] == [[NOON_MS, str(vast), [-0.1, 40.25, 1013.0, None, None, None]]]


def test_the_fleet_begins_with_what_the_edge_knows(hub: Hub) -> None:
    state = DeviceState("d1", "acme", "berlin", "1.4.2", arrival_ms=NOON_MS)
    state.series["temperature"] = Series(20.0, NOON_MS - 1000, NOON_MS, 1, NOON_MS)
    send(hub, one(1, 21.0))
    hub.restore([state, DeviceState("d2", "acme", "berlin", arrival_ms=NOON_MS)])
    _, snapshot = join(hub, ACME)
    assert {row[0]: (row[4], row[5][0]) for row in snapshot["devices"]} == {
        "d1": (NOON_MS + 2000, [21.0, NOON_MS + 1000]),
        "d2": (NOON_MS, None),
    }, "the stream has told something newer of d1"


def test_trouble_is_told_until_it_is_over(hub: Hub) -> None:
    subscriber, _ = join(hub, STAFF)
    hub.note_trouble("stream", "cannot be read")
    assert hub.status(subscriber)["trouble"] == ["cannot be read"]
    hub.note_trouble("stream", None)
    hub.note_trouble("stream", None)
    assert hub.status(subscriber)["trouble"] == []


def test_a_stream_begins_with_a_snapshot_goes_on_with_changes_and_ends_with_the_hub(hub: Hub) -> None:
    async def watch() -> list[str]:
        found = []
        send(hub, one(1, 20.0))
        async for event in events(hub, Subscriber(STAFF, frozenset({"d1"})), lambda: True):
            found.append(event)
            if len(found) == 1:
                send(hub, one(2, 21.0))
                hub.take_alerts([episode(1, "acme")])
                hub.beat()
            if event.startswith("event: status"):
                hub.close()
        return found

    found = asyncio.run(watch())
    names = [event.split("event: ")[1].splitlines()[0] for event in found]
    assert names == ["snapshot", "alerts", "readings", "devices", "status"]
    assert all(event.endswith("\n\n") and event.count("\n\n") == 1 for event in found)
    assert not hub._subscribers, "whoever has gone is forgotten"
