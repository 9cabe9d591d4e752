"""The edge under a mapping that repeats, splits and stops, in processes that are killed: nothing of it shows.

States, counts and episodes are those of the same records folded once, in order, in this process; people are told of
each thing once, or again under the same id.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.episodes import Change
from iot_pipeline.alerting.lifecycle import What
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.batch import by_device, fold, records_of
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline_tests.support.edge import NOON_MS, Edge, event, line, reading
from iot_pipeline_tests.support.edge_functions import EdgeFunctions, deploy_functions
from iot_pipeline_tests.support.emulator import eventually
from iot_pipeline_tests.support.inbox import Inbox

DEVICES, MESSAGES, CHUNK, KILLS = 30, 3000, 250, 3
STEP_MS = 6_000
POISON = (b"{", b"\xff\xfe", b"17", b'{"readings": []}', b'{"v":1,"device_id":"d1"', b"")


def _messages(rng: random.Random) -> Iterator[bytes]:
    """Three hours and more of 30 devices, two readings a message: values that go out of range and come back."""
    seqs = [0] * DEVICES
    for number in range(MESSAGES):
        device, at_ms = rng.randrange(DEVICES), NOON_MS + number * STEP_MS
        readings = []
        for back in (30_000, 0):
            seqs[device] += 1
            hot = (number // 400 + device) % 5 == 0
            value: Any = rng.choice([400, 500, "x", 20.0]) if hot and rng.random() < 0.7 else 20 + number % 50 / 10
            readings.append(reading(at_ms - back, seqs[device], temperature=value, humidity=40.0 + number % 7))
        if rng.random() < 0.1:
            readings.reverse()
        data = line(readings, at_ms, device=f"d{device}", site=f"site{device % 3}", fw="1.2.3")
        yield rng.choice(POISON) if rng.random() < 0.01 else data


def _disordered(rng: random.Random, lines: Sequence[bytes]) -> list[bytes]:
    """A third of the messages, 1,000 readings and more, overtaken by a later one; one in 50 twice."""
    found = list(lines)
    for number in rng.sample(range(len(found) - 40), len(found) // 3):
        other = number + rng.randrange(1, 40)
        found[number], found[other] = found[other], found[number]
    return [each for data in found for each in [data] * (2 if rng.random() < 0.02 else 1)]


def _expected(lines: Iterable[tuple[str, bytes]]) -> tuple[dict[str, DeviceState], dict[str, list[Change]]]:
    """The states, and the changes of each episode in order, of an undisturbed run, record by record."""
    judge, rules = Judge(), RuleSet()
    states: dict[str, DeviceState] = {}
    changes: dict[str, list[Change]] = {}
    for device, records in by_device(records_of(event(lines), judge)).items():
        state = states[device] = DeviceState(device)
        for record in records:
            for change in fold(state, [record], rules):
                changes.setdefault(change.episode, []).append(change)
    return states, changes


def _of_state(state: DeviceState) -> tuple[Any, ...]:
    held = {name: detector.encode(each) for name, each in state.detectors.items()}
    return state.tenant, state.site, state.sequence, state.arrival_ms, state.encode(), held


def _of_changes(changes: Sequence[Change]) -> dict[str, Any]:
    """What an episode's item holds, but for when it was written."""
    first, last = changes[0].transitions[0], changes[-1].transitions[-1]
    escalations = [t.at_ms for change in changes for t in change.transitions if t.what is What.ESCALATED]
    place, is_over = changes[0].place, last.what is What.RESOLVED
    item = {
        "id": first.episode,
        "subject": first.key.subject,
        "rule": first.key.rule,
        "metric": first.key.metric,
        "tenant": place.tenant,
        "site": place.site,
        "device": place.device,
        "opened_ms": first.since_ms,
        "seen_ms": first.seen_ms,
        "opened_severity": int(first.severity),
        "escalated_ms": escalations[-1] if escalations else None,
        "trace": changes[0].trace,
        "arrival_ms": changes[0].arrival_ms,
        "severity": int(last.severity),
        "status": "resolved" if is_over else "open",
        "open": None if is_over else place.tenant,
        "resolved_ms": last.at_ms if is_over else None,
        "flapping": last.flapping,
        "is_history": not last.is_told,
        "changed_ms": last.at_ms,
        "value": last.value,
        "limit": last.limit,
        "worst": last.worst,
    }
    return {name: value for name, value in item.items() if value is not None}


_WRITTEN = frozenset(
    (
        "recorded_ms",
        "resolution_ms",
        "expires_at",
        "outbox",
        "pending",
        "pending_at",
        "notified_ms",
        "opened_at",
        "written_at",
        "written_day",
    )
)


def _of_item(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in _WRITTEN}


class _Chaos:
    """Puts lines onto the stream bit by bit, and remembers them with their sequence numbers."""

    def __init__(self, functions: EdgeFunctions, lines: Sequence[bytes]) -> None:
        self.functions, self.sent = functions, list[tuple[str, bytes]]()
        self._left = list(lines)

    def put(self, count: int = CHUNK) -> list[tuple[str, bytes]]:
        lines, self._left = self._left[:count], self._left[count:]
        assert lines, "there are not enough lines for all that is done to them"
        sent = list(zip(self.functions.put(lines), lines, strict=True))
        self.sent += sent
        return sent

    def settle(self) -> None:
        self.functions.wait_for(self.sent[-1][0])

    def kill(self) -> None:
        """Kill the handler amid batches, until it was amid one often enough.

        A kill that came after a batch ended an idle process, and counts for nothing.
        """
        while self.functions.interrupted() < KILLS:
            before, first = int(self.sent[-1][0]), Judge().line(self._left[0])[0].message.device_id
            with ThreadPoolExecutor(1) as pool:
                killed = pool.submit(self.functions.kill_when_written, str(first), before)
                self.put(CHUNK // 2)
                killed.result()
            self.put(20)
            self.settle()

    def stop_for_a_while(self) -> None:
        """The mapping is disabled while records come in, and enabled again."""
        self.put()
        self.functions.switch(on=False)
        self.put()
        self.functions.switch(on=True)
        self.settle()

    def repeat(self) -> None:
        """Batches again: while the mapping takes the same records, and long after."""
        with ThreadPoolExecutor(3) as pool:
            sent = self.put()
            beside = [pool.submit(self.functions.call, event(sent)) for _ in range(2)]
            assert [each.result() for each in beside] == [{"batchItemFailures": []}] * 2
        self.settle()
        for begin in (0, len(self.sent) // 2):
            assert self.functions.call(event(self.sent[begin : begin + 500])) == {"batchItemFailures": []}
        assert self.functions.taken() == int(self.sent[-1][0]), "what was taken is not forgotten for an old batch"

    def rest(self) -> None:
        """All that is left, at once."""
        self.put(len(self._left))
        self.settle()


def test_killed_stopped_and_repeated_the_edge_ends_as_if_undisturbed(edge: Edge) -> None:
    rng = random.Random(7)
    inbox = Inbox.of(edge)
    functions = deploy_functions(edge)
    chaos = _Chaos(functions, _disordered(rng, list(_messages(rng))))
    chaos.put(CHUNK)
    chaos.settle()
    chaos.kill()
    chaos.stop_for_a_while()
    chaos.repeat()
    chaos.rest()

    states, changes = _expected(chaos.sent)
    assert len(changes) > 50, "many episodes"
    assert {change[0].transitions[0].key.rule for change in changes.values()} >= {"range", "bad_data", "silence"}
    found = edge.states.load(states)
    for device, state in states.items():
        assert _of_state(found[device]) == _of_state(state), device
    episodes = {item["id"]: _of_item(item) for item in edge.episodes()}
    expected = {name: _of_changes(each) for name, each in changes.items()}
    assert episodes.keys() == expected.keys()
    for name, item in expected.items():
        assert sorted(episodes[name].items()) == sorted(item.items()), changes[name]

    functions.notify()
    assert eventually(lambda: not list(edge.alerts.pending()))
    _told_once(inbox.read(), changes)


def _told_once(told: Sequence[dict[str, Any]], changes: dict[str, list[Change]]) -> None:
    """Each thing has one notification, which may have come twice; and all that concern people were told."""
    of_note: dict[tuple[str, str, int], set[str]] = {}
    for message in told:
        for each in message["episodes"]:
            of_note.setdefault((each["id"], message["what"], each["at_ms"]), set()).add(message["id"])
    assert {note: ids for note, ids in of_note.items() if len(ids) > 1} == {}
    assert max(Counter(message["id"] for message in told).values()) <= 2
    assert of_note.keys() == {
        (change.episode, str(each.what), each.at_ms)
        for of_episode in changes.values()
        for change in of_episode
        for each in change.transitions
        if change.notes and each.is_told
    }
