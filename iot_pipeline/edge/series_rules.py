"""The rules of one metric: range, rate of change, stuck, leak, silence of the metric, and the detector.

Each rule has a short way for points that cannot matter to it, which is nearly all of them, and a long one, point by
point; a property test holds the two to the same result.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from iot_pipeline.alerting import detector
from iot_pipeline.alerting.device_rules import MetricRules
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity, Tracker, Transition
from iot_pipeline.edge.device_state import Series
from iot_pipeline.edge.points import Points

_MINUTE_MS = 60_000
# Two readings of a series further apart than this have a gap between them: nobody saw what happened meanwhile.
GAP_MS = 15 * _MINUTE_MS


@dataclass(slots=True)
class Alerts:
    """The alerts of one device: where their trackers and detectors are, and who is told of transitions.

    What is observed before `live_from_ms` is history.
    """

    subject: str
    trackers: dict[str, Tracker]
    detectors: dict[str, detector.State]
    emit: Callable[[Transition], None]
    live_from_ms: int

    def tracked(self) -> dict[str, list[str]]:
        """The rules that have a tracker, by metric: to all others what is clear says nothing."""
        found: dict[str, list[str]] = {}
        for name in self.trackers:
            rule, _, metric = name.partition(":")
            found.setdefault(metric, []).append(rule)
        return found

    def is_open(self, rule: str, metric: str) -> bool:
        """Whether an episode is open."""
        tracker = self.trackers.get(f"{rule}:{metric}")
        return tracker is not None and bool(tracker.severity)

    def clear(self, rule: str, metric: str, at_ms: int, value: float, hold_ms: int) -> None:
        """Take an observation that is clear, which matters to an alert that is open."""
        if f"{rule}:{metric}" in self.trackers:
            self.observe(rule, metric, Observation(at_ms, Severity.CLEAR, value), hold_ms)

    def observe(self, rule: str, metric: str, seen: Observation, hold_ms: int) -> None:
        """Take an observation; one that is clear makes no tracker."""
        name = f"{rule}:{metric}"
        tracker = self.trackers.get(name)
        if tracker is None:
            if not seen.severity:
                return
            tracker = self.trackers[name] = Tracker()
        is_history = seen.at_ms < self.live_from_ms
        tracker.observe(AlertKey(self.subject, rule, metric), seen, hold_ms, self.emit, is_history=is_history)
        if tracker.is_idle:
            del self.trackers[name]


def remember_older(known: dict[str, Series], name: str, points: Points, arrival_ms: int) -> None:
    """Take points that meet no rule, older than what came before: the newest may be the latest of its metric."""
    if not points.times:
        return
    at_ms, seq, value = points.times[-1], points.seqs[-1], points.values[-1]
    series = known.get(name)
    if series is None:
        known[name] = Series(value, at_ms, arrival_ms, seq, at_ms)
    elif (at_ms, seq) > (series.at_ms, series.seq):
        series.value, series.at_ms, series.arrival_ms, series.seq = value, at_ms, arrival_ms, seq
        series.stuck_ms, series.stuck_readings = at_ms, 1
        series.flow_readings = series.flow_ms = 0


def miss(series: Series, metric: MetricRules, at_ms: int, alerts: Alerts) -> None:
    """The device has sent a reading without this metric, which it used to send."""
    if at_ms - series.at_ms >= metric.silence_ms:
        limit = metric.silence_ms / 1000
        severity = Severity(metric.silence_severity)
        seen = Observation(at_ms, severity, (at_ms - series.at_ms) / 1000, limit, started_ms=series.at_ms)
        alerts.observe("metric_silence", metric.name, seen, metric.silence_hold)


def observe(
    known: dict[str, Series],
    metric: MetricRules,
    points: Points,
    arrival_ms: int,
    alerts: Alerts,
    tracked: Collection[str],
) -> None:
    """Take the points of a metric, newer than all before: every rule, then the series' latest value.

    `tracked`: the metric's rules that have a tracker.
    """
    name, times, values = metric.name, points.times, points.values
    if not values:
        _range(metric, points, alerts, is_quiet=True)
        return
    lowest, highest = min(values), max(values)
    is_quiet = metric.quiet_from <= lowest and highest <= metric.quiet_to
    if not is_quiet or points.beyond or "range" in tracked:
        _range(metric, points, alerts, is_quiet=is_quiet)
    if "metric_silence" in tracked:
        alerts.clear("metric_silence", name, times[0], values[0], metric.silence_hold)
    series = known.get(name)
    if series is None:
        series = known[name] = Series(values[0], times[0], arrival_ms, points.seqs[0], times[0], stuck_readings=0)
    if metric.rate_severity:
        # If less has changed in all than may change within a minute, then less has within any time.
        is_steady = max(highest, series.value) - min(lowest, series.value) <= metric.rate
        if not is_steady or "rate" in tracked:
            _rate(series, metric, points, alerts, is_steady=is_steady)
    if metric.stuck_severity:
        _stuck(series, metric, points, alerts, is_tracked="stuck" in tracked, is_one=lowest == highest)
    if metric.leak_severity and ("leak" in tracked or not _flows_on(series, metric, times, lowest, highest)):
        _leak(series, metric, points, alerts)
    if metric.anomaly_severity:
        _anomaly(metric, points, alerts, is_tracked="anomaly" in tracked, lowest=lowest, highest=highest)
    series.value, series.at_ms, series.seq = values[-1], times[-1], points.seqs[-1]
    series.arrival_ms = arrival_ms


def _range(metric: MetricRules, points: Points, alerts: Alerts, *, is_quiet: bool) -> None:
    values = points.values
    # Of a reading that another metric's range has put into quarantine this one's value says nothing.
    low, high = metric.critical_below, metric.critical_above
    beyond = [each for each in points.beyond if not low <= each[2] <= high] if points.beyond else points.beyond
    if is_quiet and not beyond and not alerts.is_open("range", metric.name):
        if values:
            alerts.clear("range", metric.name, points.times[-1], values[-1], metric.range_hold)
        return
    measured = zip(points.times, points.seqs, values, strict=True)
    is_open = alerts.is_open("range", metric.name)
    clear_from, clear_to = metric.quiet_from + metric.clear_margin, metric.quiet_to - metric.clear_margin
    # Of clear points to which no alert is open the last says what all of them do.
    last_clear: tuple[int, float] | None = None
    for at_ms, _, value in sorted([*measured, *beyond]) if beyond else measured:
        if not is_open and clear_from <= value <= clear_to:
            last_clear = at_ms, value
            continue
        if last_clear is not None:
            alerts.clear("range", metric.name, *last_clear, metric.range_hold)
            last_clear = None
        seen = Observation(at_ms, *_of_range(metric, value))
        alerts.observe("range", metric.name, seen, metric.range_hold)
        is_open = alerts.is_open("range", metric.name)
    if last_clear is not None:
        alerts.clear("range", metric.name, *last_clear, metric.range_hold)


def _of_range(metric: MetricRules, value: float) -> tuple[Severity | None, float, float | None]:
    if value < metric.critical_below:
        return Severity.CRITICAL, value, metric.critical_below
    if value > metric.critical_above:
        return Severity.CRITICAL, value, metric.critical_above
    if value < metric.warning_below:
        return Severity.WARNING, value, metric.warning_below
    if value > metric.warning_above:
        return Severity.WARNING, value, metric.warning_above
    margin = metric.clear_margin
    if metric.quiet_from + margin <= value <= metric.quiet_to - margin:
        return Severity.CLEAR, value, None
    return None, value, None


def _rate(series: Series, metric: MetricRules, points: Points, alerts: Alerts, *, is_steady: bool) -> None:
    values, before, before_ms = points.values, series.value, series.at_ms
    if is_steady and not alerts.is_open("rate", metric.name):
        alerts.clear("rate", metric.name, points.times[-1], values[-1], metric.rate_hold)
        return
    severity = Severity(metric.rate_severity)
    for at_ms, value in zip(points.times, values, strict=True):
        per_minute = abs(value - before) / max(1.0, (at_ms - before_ms) / _MINUTE_MS)
        bad = severity if per_minute > metric.rate else Severity.CLEAR
        alerts.observe("rate", metric.name, Observation(at_ms, bad, per_minute, metric.rate), metric.rate_hold)
        before, before_ms = value, at_ms


def _stuck(
    series: Series, metric: MetricRules, points: Points, alerts: Alerts, *, is_tracked: bool, is_one: bool
) -> None:
    """`is_one`: all points have the same value."""
    values, last_ms = points.values, points.times[-1]
    cannot_last = series.stuck_readings + len(values) < metric.stuck_readings or (
        not is_tracked and last_ms - series.stuck_ms < metric.stuck_ms
    )
    if cannot_last and last_ms - series.at_ms <= GAP_MS and not alerts.is_open("stuck", metric.name):
        _count_equal(series, points, is_one=is_one)
        alerts.clear("stuck", metric.name, last_ms, values[-1], metric.stuck_hold)
        return
    before, before_ms = series.value, series.at_ms
    since_ms, readings = series.stuck_ms, series.stuck_readings
    for at_ms, value in zip(points.times, points.values, strict=True):
        if value == before and at_ms - before_ms <= GAP_MS:
            readings += 1
            if readings >= metric.stuck_readings and at_ms - since_ms >= metric.stuck_ms:
                seen = Observation(at_ms, Severity(metric.stuck_severity), value, started_ms=since_ms)
                alerts.observe("stuck", metric.name, seen, metric.stuck_hold)
        else:
            since_ms, readings = at_ms, 1
            if value != before:
                alerts.clear("stuck", metric.name, at_ms, value, metric.stuck_hold)
        before, before_ms = value, at_ms
    series.stuck_ms, series.stuck_readings = since_ms, readings


def _count_equal(series: Series, points: Points, *, is_one: bool) -> None:
    """Count the equal values at the end of points without a gap."""
    values, last = points.values, points.values[-1]
    equal = len(values) if is_one else 1
    while equal < len(values) and values[-equal - 1] == last:
        equal += 1
    if equal == len(values) and series.value == last:
        series.stuck_readings += equal
    else:
        series.stuck_ms, series.stuck_readings = points.times[-equal], equal


def _flows_on(series: Series, metric: MetricRules, times: Sequence[int], lowest: float, highest: float) -> bool:
    """Whether points without a gap are all zero, or all a flow that is no leak yet; takes them if so."""
    if highest <= metric.leak_zero:
        series.flow_readings = series.flow_ms = 0
        return True
    lasted = times[-1] - series.at_ms
    if lowest <= metric.leak_zero or lasted > GAP_MS or series.flow_ms + lasted >= metric.leak_ms:
        return False
    if series.flow_readings:
        series.flow_ms += lasted
    else:
        series.flow_since_ms, series.flow_ms = times[0], times[-1] - times[0]
    series.flow_readings += len(times)
    return True


def _leak(series: Series, metric: MetricRules, points: Points, alerts: Alerts) -> None:
    before_ms = series.at_ms
    for at_ms, value in zip(points.times, points.values, strict=True):
        if value <= metric.leak_zero:
            series.flow_readings = series.flow_ms = 0
            alerts.clear("leak", metric.name, at_ms, value, metric.leak_hold)
        else:
            if not series.flow_readings:
                series.flow_since_ms = at_ms
            elif at_ms - before_ms <= GAP_MS:
                series.flow_ms += at_ms - before_ms
            series.flow_readings += 1
            if series.flow_readings >= metric.leak_readings and series.flow_ms >= metric.leak_ms:
                severity = Severity(metric.leak_severity)
                seen = Observation(at_ms, severity, value, metric.leak_zero, started_ms=series.flow_since_ms)
                alerts.observe("leak", metric.name, seen, metric.leak_hold)
        before_ms = at_ms


def _anomaly(
    metric: MetricRules, points: Points, alerts: Alerts, *, is_tracked: bool, lowest: float, highest: float
) -> None:
    times, values, settings = points.times, points.values, metric.detector
    state = alerts.detectors.get(metric.name)
    if state is None:
        state = alerts.detectors[metric.name] = detector.new_state()
    if not is_tracked and points.is_rising and detector.add_to_step(state, times, values, lowest, highest, settings):
        return
    if times[-1] - times[0] < settings.step_ms:
        if not points.is_rising:
            # Of readings at one time the detector takes the first.
            firsts = dict(zip(reversed(times), reversed(values), strict=True))
            times, values = list(firsts)[::-1], list(firsts.values())[::-1]
        score = detector.update_many(state, times, values, settings)
        _scored(state, metric, points.times[-1], points.values[-1], score, alerts)
        return
    # A message that brings hours has an alert where in them it was, as it would have had, had they come one by one.
    begin = 0
    while begin < len(times):
        if not is_tracked and points.is_rising:
            end = bisect_left(times, state.step_ms + settings.step_ms, begin)
            these = times[begin:end], values[begin:end]
            if end > begin and detector.add_to_step(state, *these, lowest, highest, settings):
                begin = end
                continue
        score = detector.update(state, times[begin], values[begin], settings)
        if score or is_tracked:
            is_tracked = True
            _scored(state, metric, times[begin], values[begin], score, alerts)
        begin += 1


def _scored(state: detector.State, metric: MetricRules, at_ms: int, value: float, score: float, alerts: Alerts) -> None:
    if score >= metric.anomaly_score:
        seen = Observation(at_ms, Severity(metric.anomaly_severity), value)
        alerts.observe("anomaly", metric.name, seen, metric.anomaly_hold)
    elif detector.surprise_of(state) / detector.FULL_SCORE < metric.anomaly_score:
        alerts.clear("anomaly", metric.name, at_ms, value, metric.anomaly_hold)
