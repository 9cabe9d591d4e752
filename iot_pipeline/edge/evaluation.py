"""One message against the rules: what it changes in its device's state, and the transitions of alerts it causes.

A fold, with no clock and no I/O: the same records in the same order give the same states and transitions, however they
were batched, repeated or interrupted.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from operator import itemgetter

from iot_pipeline.alerting.device_rules import DeviceRules, RuleSet
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity, Tracker, Transition
from iot_pipeline.alerting.rule_kinds import CLOCK_TOLERANCE_MS, LIVE_MS
from iot_pipeline.contract.judged_reading import VALID, Reading
from iot_pipeline.contract.reasons import Reason
from iot_pipeline.edge import series_rules
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.points import Timed, columns, is_rising
from iot_pipeline.edge.series_rules import Alerts

LATE, STALE, CLOCK_AHEAD = "late", "stale", "clock_ahead"
Emit = Callable[[Transition], None]
_KEY = itemgetter(0, 1)
_TIME = itemgetter(0)


def subject_of(device: str) -> str:
    """What a device's alerts are about, at whatever site it stands: an episode outlasts a move."""
    return f"device/{device}"


def take(state: DeviceState, readings: Sequence[Reading], rules: RuleSet, emit: Emit) -> None:
    """Fold one message, judged, of the state's device into the state; `emit` is called with each transition."""
    message = readings[0].message
    arrival_ms = message.received_ms or 0
    state.tenant, state.site = message.tenant or "", message.site or ""
    if message.fw is not None and not message.wrong_fw and arrival_ms >= state.arrival_ms:
        state.firmware = message.fw
    mine = rules.of(state.tenant, state.site, state.device)
    if state.device in rules.retired:
        emit = _nobody
    alerts = Alerts(subject_of(state.device), state.trackers, state.detectors, emit, arrival_ms - LIVE_MS)
    _arrive(state, mine, alerts, arrival_ms)
    bad = _count(state, readings)
    _bad_data(state, mine, alerts, arrival_ms, len(readings), bad)
    _measure(state, mine, alerts, arrival_ms, _by_time(readings, arrival_ms, state.counts))


def _nobody(_transition: Transition) -> None:
    """A retired device raises no alert."""


def silence_key(device: str) -> AlertKey:
    """The alert of a device that is silent."""
    return AlertKey(subject_of(device), "silence")


def fall_silent(state: DeviceState, rules: DeviceRules, emit: Emit) -> None:
    """Open the alert of a device from which nothing arrived for too long: since its last arrival."""
    tracker = state.trackers.setdefault("silence", Tracker())
    limit = rules.silence_ms / 1000
    at_ms = state.arrival_ms + round(rules.silence_ms)
    severity = Severity(rules.silence_severity)
    seen = Observation(at_ms, severity, value=limit, limit=limit, started_ms=state.arrival_ms)
    tracker.observe(silence_key(state.device), seen, None, emit)


def _arrive(state: DeviceState, rules: DeviceRules, alerts: Alerts, arrival_ms: int) -> None:
    before = state.arrival_ms
    if arrival_ms <= before:
        return
    silent = state.trackers.get("silence")
    is_open = silent is not None and silent.severity
    if before and rules.silence_severity and arrival_ms - before >= rules.silence_ms and not is_open:
        # No sweep came by meanwhile: the silence is on record all the same, as a replay of the log finds it.
        fall_silent(state, rules, alerts.emit)
        silent = state.trackers["silence"]
    state.arrival_ms = arrival_ms
    if silent is not None:
        lasted = Observation(arrival_ms, Severity.CLEAR, value=(arrival_ms - before) / 1000)
        silent.observe(silence_key(state.device), lasted, None, alerts.emit)


def _count(state: DeviceState, readings: Sequence[Reading]) -> int:
    outcomes = [reading.outcome for reading in readings]
    valid = outcomes.count(VALID)
    _add(state.counts, VALID, valid)
    bad = len(outcomes) - valid
    if bad:
        for outcome in outcomes:
            if outcome != VALID:
                _add(state.counts, str(outcome), 1)
    return bad


def _bad_data(state: DeviceState, rules: DeviceRules, alerts: Alerts, arrival_ms: int, readings: int, bad: int) -> None:
    """Count windows of arrival time; one is judged when the first message after it arrives."""
    start, total, wrong = state.window
    begin = arrival_ms - arrival_ms % rules.bad_window_ms
    if begin <= start:
        state.window = (start, total + readings, wrong + bad)
        return
    if total >= rules.bad_readings and rules.bad_severity:
        share = wrong / total
        severity = Severity(rules.bad_severity) if share >= rules.bad_share else Severity.CLEAR
        seen = Observation(start + rules.bad_window_ms, severity, share, rules.bad_share, started_ms=start)
        alerts.observe("bad_data", "", seen, rules.bad_hold)
    state.window = (begin, readings, bad)


def _by_time(readings: Sequence[Reading], arrival_ms: int, counts: dict[str, int]) -> list[Timed]:
    """What was measured, valid or beyond its range, in the order of effective time; each key once.

    The clock of a device may be ahead as a whole: then what it takes arrives when it is taken. Single readings that are
    ahead of others in their message come with the newest of those, for a later time would make the next ones stale.
    """
    timed: list[Timed] = [
        (reading.event_ms or 0, reading.seq or 0, reading)
        for reading in readings
        if reading.outcome == VALID or reading.outcome is Reason.OUT_OF_RANGE
    ]
    if not timed or (timed[-1][0] <= arrival_ms and is_rising([each[0] for each in timed])):
        return timed
    ahead = [each for each in timed if each[0] > arrival_ms]
    if ahead:
        _add(counts, CLOCK_AHEAD, sum(at_ms > arrival_ms + CLOCK_TOLERANCE_MS for at_ms, _, _ in ahead))
        timed = [each for each in timed if each[0] <= arrival_ms]
        at_ms = max(timed, key=_TIME)[0] if timed else arrival_ms
        timed += [(at_ms, seq, reading) for _, seq, reading in ahead]
    timed.sort(key=_KEY)
    # Of a key that comes again the first counts, which the last step backwards leaves.
    once = list({_KEY(each): each for each in reversed(timed)}.values())[::-1]
    _add(counts, STALE, len(timed) - len(once))
    return once


def _measure(state: DeviceState, rules: DeviceRules, alerts: Alerts, arrival_ms: int, timed: list[Timed]) -> None:
    """Take what was measured: what is newer than everything before it meets the rules."""
    if not timed:
        return
    fresh = bisect_right(timed, state.newest, key=_KEY) if _KEY(timed[0]) <= state.newest else 0
    _add(state.counts, STALE, fresh)
    if fresh:
        for name, points in columns(timed[:fresh]).items():
            series_rules.remember_older(state.series, name, points, arrival_ms)
        timed = timed[fresh:]
        if not timed:
            return
    if timed[0][0] < alerts.live_from_ms:
        _add(state.counts, LATE, bisect_left(timed, alerts.live_from_ms, key=_TIME))
    state.newest = _KEY(timed[-1])
    found, tracked = columns(timed), alerts.tracked()
    for name, metric in rules.metrics.items():
        mine = found.get(name)
        if mine is not None:
            series_rules.observe(state.series, metric, mine, arrival_ms, alerts, tracked.get(name, ()))
        elif name in state.series and metric.silence_severity:
            series_rules.miss(state.series[name], metric, timed[-1][0], alerts)


def _add(counts: dict[str, int], name: str, count: int) -> None:
    if count:
        counts[name] = counts.get(name, 0) + count
