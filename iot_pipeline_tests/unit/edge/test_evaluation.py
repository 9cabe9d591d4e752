"""Messages against the rules: what opens, what resolves, and what must never do either."""

import random
from collections.abc import Sequence
from itertools import product
from operator import attrgetter
from typing import Any

import pytest

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.device_rules import Override, RuleSet
from iot_pipeline.alerting.lifecycle import Severity, Transition, What
from iot_pipeline.contract import METRICS
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take
from iot_pipeline_tests.support.edge import NOON_MS, line, reading

MINUTE = 60_000
HOUR = 60 * MINUTE


class Device:
    """A device whose messages meet the rules."""

    def __init__(self, *overrides: Override) -> None:
        self.state = DeviceState("d1")
        self.rules = RuleSet(1, overrides)
        self.found: list[Transition] = []
        self._judge = Judge()
        self._seq = 0

    def send(self, at_ms: int, arrival_ms: int | None = None, **values: Any) -> None:
        """One message with one reading, which arrives as it is taken, or when said."""
        self._seq += 1
        self.send_all([reading(at_ms, self._seq, **values)], at_ms if arrival_ms is None else arrival_ms)

    def send_all(self, readings: Sequence[Any], arrival_ms: int, **fields: Any) -> None:
        """One message."""
        take(self.state, self._judge.line(line(readings, arrival_ms, **fields)), self.rules, self.found.append)

    def story(self) -> list[tuple[str, str, int]]:
        """What happened: what, rule, milliseconds after noon."""
        return [(str(each.what), each.key.rule, each.at_ms - NOON_MS) for each in self.found]


def rule(kind: str, metric: str = "", **parameters: float | None) -> Override:
    """An override for the device's tenant."""
    return Override(1, kind, metric, {"tenant": "acme"}, parameters)


def test_a_value_beyond_the_limit_opens_an_episode_that_ends_when_it_has_been_clear_for_the_hold() -> None:
    device = Device(rule("range", "temperature", warning_above=30.0, critical_above=40.0, clear_margin=1.0))
    for minute, value in enumerate([25, 31, 45, 33, 29.5, 25, 25, 25]):
        device.send(NOON_MS + minute * MINUTE, temperature=value)
    assert device.story() == [
        ("opened", "range", MINUTE),
        ("escalated", "range", 2 * MINUTE),
        ("resolved", "range", 5 * MINUTE),
    ]
    assert device.found[-1].worst == 45
    assert {each.episode for each in device.found} == {device.found[0].episode}


def test_what_the_contract_quarantines_for_its_range_is_critical() -> None:
    device = Device()
    device.send(NOON_MS, temperature=20)
    device.send(NOON_MS + MINUTE, temperature=400)
    assert device.story() == [("opened", "range", MINUTE)]
    assert device.found[0].severity is Severity.CRITICAL
    assert device.state.series["temperature"].value == 20
    assert device.state.counts == {"valid": 1, "out_of_range": 1}


def test_a_metric_of_a_reading_that_another_ones_range_put_into_quarantine_says_nothing() -> None:
    device = Device(rule("range", "humidity", warning_above=50.0))
    device.send(NOON_MS, temperature=400, humidity=60)
    assert [each.key.metric for each in device.found] == ["temperature"]


def test_a_gap_in_the_data_resolves_nothing() -> None:
    device = Device(rule("silence", severity=0.0))
    device.send(NOON_MS, temperature=400)
    device.send(NOON_MS + 5 * HOUR, temperature=410)
    assert device.story() == [("opened", "range", 0)]


def test_data_that_was_buffered_for_hours_is_history_that_nobody_is_told_of_and_is_the_latest() -> None:
    device = Device()
    readings = [reading(NOON_MS + each * MINUTE, each + 1, temperature=400 if each == 3 else 20) for each in range(9)]
    device.send_all(readings, NOON_MS + 5 * HOUR)
    assert device.story() == [("opened", "range", 3 * MINUTE), ("resolved", "range", 4 * MINUTE)]
    assert not any(each.is_told for each in device.found)
    assert device.state.series["temperature"].at_ms == NOON_MS + 8 * MINUTE
    assert device.state.counts == {"valid": 8, "out_of_range": 1, "late": 9}


def test_history_that_is_still_so_when_live_data_comes_is_confirmed_and_told() -> None:
    device = Device()
    device.send(NOON_MS, arrival_ms=NOON_MS + 5 * HOUR, temperature=400)
    device.send(NOON_MS + 5 * HOUR + MINUTE, temperature=410)
    device.send(NOON_MS + 5 * HOUR + 2 * MINUTE, temperature=20)
    device.send(NOON_MS + 5 * HOUR + 4 * MINUTE, temperature=20)
    assert [(what, rule) for what, rule, _ in device.story()] == [
        ("opened", "range"),
        ("confirmed", "range"),
        ("resolved", "range"),
    ]
    assert [each.is_told for each in device.found] == [False, True, True]


def test_an_older_or_repeated_reading_never_moves_the_latest_back() -> None:
    device = Device()
    device.send_all([reading(NOON_MS + MINUTE, 7, temperature=21)], NOON_MS + MINUTE)
    device.send_all([reading(NOON_MS, 6, temperature=400)], NOON_MS + 2 * MINUTE)
    device.send_all([reading(NOON_MS + MINUTE, 7, temperature=399)], NOON_MS + 2 * MINUTE)
    assert device.found == []
    assert device.state.series["temperature"].value == 21
    assert device.state.counts["stale"] == 2


def test_an_older_reading_with_a_metric_of_its_own_is_that_metrics_latest() -> None:
    device = Device()
    device.send_all([reading(NOON_MS + MINUTE, 7, temperature=21)], NOON_MS + MINUTE)
    device.send_all([reading(NOON_MS, 6, humidity=40)], NOON_MS + MINUTE)
    assert device.state.series["humidity"].value == 40


def test_a_clock_that_is_ahead_is_clamped_and_flagged_and_does_not_poison_the_latest() -> None:
    device = Device()
    device.send(NOON_MS + 50 * MINUTE, arrival_ms=NOON_MS, temperature=21)
    assert device.state.series["temperature"].at_ms == NOON_MS
    assert device.state.counts["clock_ahead"] == 1
    device.send(NOON_MS + MINUTE, temperature=22)
    assert device.state.series["temperature"].value == 22


def test_one_reading_ahead_of_its_message_does_not_make_the_next_message_stale() -> None:
    device = Device()
    device.send_all(
        [reading(NOON_MS, 1, temperature=20), reading(NOON_MS + 30_000, 2, temperature=20)], arrival_ms=NOON_MS + 900
    )
    device.send_all([reading(NOON_MS + 400, 3, temperature=400)], arrival_ms=NOON_MS + 1300)
    assert device.story() == [("opened", "range", 400)]
    assert device.state.counts == {"valid": 2, "out_of_range": 1, "clock_ahead": 1}


def test_a_change_that_is_too_fast() -> None:
    device = Device()
    for second, value in [(0, 20), (10, 22), (20, 45), (30, 45), (400, 45)]:
        device.send(NOON_MS + second * 1000, temperature=value)
    assert device.story() == [("opened", "rate", 20_000), ("resolved", "rate", 30_000)]


def test_a_sensor_that_repeats_itself_is_stuck_since_it_first_did() -> None:
    device = Device(rule("stuck", "temperature", minutes=60.0))
    for minute in range(100):
        value = 21.5 if 10 <= minute < 80 else 20 + minute % 7 / 10
        device.send(NOON_MS + minute * MINUTE, temperature=value)
    assert device.story() == [("opened", "stuck", 10 * MINUTE), ("resolved", "stuck", 80 * MINUTE)]
    assert device.found[0].seen_ms == NOON_MS + 70 * MINUTE


def test_the_same_value_before_and_after_a_gap_is_not_stuck() -> None:
    device = Device(rule("silence", severity=0.0))
    for minute in [*range(25), *range(60, 85)]:
        device.send(NOON_MS + minute * MINUTE, temperature=21.5)
    assert device.found == []


def test_a_flow_that_never_returns_to_zero_is_a_leak_over_observed_time_alone() -> None:
    device = Device(rule("silence", severity=0.0))
    for minute in [*range(100), *range(400, 450)]:
        device.send(NOON_MS + minute * MINUTE, flow_rate=0.0 if minute == 4 else 1.4)
    # 94 minutes before the gap, 26 after it.
    assert device.story() == [("opened", "leak", 5 * MINUTE)]
    assert device.found[0].seen_ms == NOON_MS + 426 * MINUTE
    device.send(NOON_MS + 451 * MINUTE, flow_rate=0)
    assert device.story()[-1] == ("resolved", "leak", 451 * MINUTE)


def test_one_metric_that_is_missing_while_its_device_lives() -> None:
    device = Device()
    for minute in range(90):
        values: dict[str, Any] = {"humidity": 40.0 + minute % 5} if minute < 20 or minute > 85 else {}
        device.send(NOON_MS + minute * MINUTE, temperature=20 + minute % 7 / 10, **values)
    assert device.story() == [
        ("opened", "metric_silence", 19 * MINUTE),
        ("resolved", "metric_silence", 86 * MINUTE),
    ]


def test_a_silence_that_no_sweep_saw_is_on_record_when_the_device_comes_back() -> None:
    device = Device()
    device.send(NOON_MS, temperature=20)
    device.send(NOON_MS + 40 * MINUTE, temperature=20)
    assert device.story() == [("opened", "silence", 0), ("resolved", "silence", 40 * MINUTE)]
    assert device.found[0].seen_ms == NOON_MS + 15 * MINUTE


def test_bad_data_is_judged_by_windows_of_arrival() -> None:
    device = Device()
    for minute in range(40):
        bad = [{"ts": "yesterday", "seq": 1, "temperature": 20}] * (1 if 10 <= minute < 20 else 0)
        good = [reading(NOON_MS + minute * MINUTE + each, each + 1, temperature=20 + each) for each in range(3)]
        device.send_all([*good, *bad], NOON_MS + minute * MINUTE + 10)
    assert device.story() == [("opened", "bad_data", 10 * MINUTE), ("resolved", "bad_data", 30 * MINUTE)]
    assert device.found[0].seen_ms == NOON_MS + 20 * MINUTE


def test_a_retired_device_raises_nothing() -> None:
    device = Device()
    device.rules = RuleSet(1, retired=frozenset(["d1"]))
    device.send(NOON_MS, temperature=400)
    assert device.found == []


def test_flapping_is_a_state_that_holds_the_alert_open() -> None:
    device = Device(rule("range", "temperature", warning_above=30.0, hold_seconds=0.0))
    for minute in range(40):
        device.send(NOON_MS + minute * MINUTE, temperature=31 if minute % 2 else 29)
    opened = [each for each in device.found if each.what is What.OPENED]
    assert len(opened) == 3
    assert [each.flapping for each in opened] == [False, False, True]
    assert device.found[-1] is opened[-1]


def _messages(rng: random.Random, count: int) -> list[tuple[list[dict[str, Any]], int]]:
    """Messages in which everything happens: leaks, stuck values, gaps, repeats, late and wrong readings."""
    at_ms, seq, held = NOON_MS, 0, 20.0
    made: list[tuple[list[dict[str, Any]], int]] = []
    for _ in range(count):
        at_ms += rng.choice([1000, 5000, MINUTE, 5 * MINUTE, 20 * MINUTE])
        readings = []
        for each in range(rng.choice([1, 1, 3, 40])):
            seq += 1
            held = held if rng.random() < 0.8 else round(rng.uniform(15, 45), 1)
            values: dict[str, Any] = {"temperature": held, "flow_rate": rng.choice([0.0, 1.4, 1.5, 1.6])}
            if rng.random() < 0.1:
                values = {"humidity": rng.uniform(0, 120)}
            if rng.random() < 0.05:
                values["temperature"] = rng.choice([400, -100, "x"])
            readings.append(reading(at_ms + each * 900 - rng.choice([0, 0, 0, 2 * HOUR, -20_000]), seq, **values))
        if made and rng.random() < 0.1:
            readings += made[-1][0]
        made.append((readings, at_ms + rng.choice([100, 5000])))
    return made


@pytest.mark.parametrize("seed", range(40))
def test_the_same_messages_give_the_same_however_the_state_was_kept_between_them(seed: int) -> None:
    rng = random.Random(seed)
    overrides = (
        rule("stuck", "temperature", minutes=2.0, readings=5.0),
        Override(2, "leak", "flow_rate", {"tenant": "acme"}, {"minutes": 1.0, "readings": 10.0}),
        Override(3, "range", "temperature", {"tenant": "acme"}, {"warning_above": 40.0, "hold_seconds": 30.0}),
        Override(4, "metric_silence", "humidity", {"tenant": "acme"}, {"minutes": 30.0}),
    )
    warm, cold = Device(*overrides), Device(*overrides)
    for readings, arrival_ms in _messages(rng, 60):
        warm.send_all(readings, arrival_ms)
        kept = cold.state
        detectors = {name: detector.decode(detector.encode(held)) for name, held in kept.detectors.items()}
        cold.state = DeviceState("d1", arrival_ms=kept.arrival_ms, detectors=detectors).restore(kept.encode())
        cold.send_all(readings, arrival_ms)
    assert cold.found == warm.found
    assert cold.state.encode() == warm.state.encode()
    assert [detector.encode(each) for each in cold.state.detectors.values()] == [
        detector.encode(each) for each in warm.state.detectors.values()
    ]
    assert warm.found


@pytest.mark.parametrize("seed", range(40))
def test_a_message_says_the_same_as_its_readings_one_by_one(seed: int) -> None:
    """The rules' short way for many points against the long one, which a single point that matters takes."""
    off = {"severity": 0.0}
    overrides = (
        rule("stuck", "temperature", minutes=2.0, readings=5.0),
        Override(2, "leak", "flow_rate", {"tenant": "acme"}, {"minutes": 1.0, "readings": 10.0}),
        Override(3, "range", "temperature", {"tenant": "acme"}, {"warning_above": 40.0, "hold_seconds": 30.0}),
        # These look at messages, not at readings.
        Override(4, "bad_data", "", {"tenant": "acme"}, off),
        *(
            Override(5 + number, kind, metric, {"tenant": "acme"}, off)
            for number, (kind, metric) in enumerate(product(("metric_silence", "anomaly"), _METRICS))
        ),
    )
    packed, single = Device(*overrides), Device(*overrides)
    for readings, sent_ms in _messages(random.Random(seed), 60):
        # No reading is ahead of its arrival: where those are put depends on the others of their message.
        arrival_ms = sent_ms + MINUTE
        packed.send_all(readings, arrival_ms)
        in_order = sorted(readings, key=lambda each: (each["ts"], each["seq"]))
        for each in in_order:
            single.send_all([each], arrival_ms)
    assert sorted(packed.found, key=_ORDER) == sorted(single.found, key=_ORDER)
    assert packed.state.series == single.state.series
    assert packed.found


_METRICS = [metric.name for metric in METRICS]
_ORDER = attrgetter("seen_ms", "key.metric", "key.rule", "what")


def test_an_anomaly_within_a_message_of_hours_is_where_it_was() -> None:
    rng = random.Random(3)
    step = 5 * MINUTE
    values = [20 + rng.gauss(0, 0.05) for _ in range(400)]
    values[350:356] = [60.0] * 6
    readings = [reading(NOON_MS + number * step, number + 1, temperature=v) for number, v in enumerate(values)]
    found = []
    for pack in (1, 100):
        device = Device(rule("anomaly", "temperature", score=0.3, resolution=0.0))
        for begin in range(0, len(readings), pack):
            sent = readings[begin : begin + pack]
            device.send_all(sent, sent[-1]["ts"])
        found.append([each for each in device.story() if each[1] == "anomaly"])
    assert found[0] == found[1]
    assert found[0][0] == ("opened", "anomaly", 350 * step)
