"""The Lambda function that finds silence, once a minute: devices and sites of which nothing has arrived for too long.

Time is the broker's: a device's clock does not matter, nor how long our own functions were down, for nothing is called
silent while the stream holds records that the handler has not taken. A device whose data arrives while its alert opens
is not left with an alert: the one that writes second finds the other's version, and starts again from it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.episodes import Place, changes
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity, Tracker, Transition
from iot_pipeline.alerting.notifications import remind
from iot_pipeline.alerting.table import AlertsTable
from iot_pipeline.edge import telemetry
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.environment import EdgeSettings, edge_settings
from iot_pipeline.edge.evaluation import fall_silent, silence_key
from iot_pipeline.edge.notify import ask_to_notify
from iot_pipeline.edge.rules_source import RulesSource
from iot_pipeline.edge.state_store import StateConflictError, StateStore
from iot_pipeline.edge.stream_lag import lag_ms

SEGMENTS = 4
# While the oldest record waits for longer than this, silence is not looked for.
MAX_LAG_MS = 30_000
# A site's own state stands beside those of devices, under a name that no topic can hold.
_SITE = "site/"
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


@dataclass
class Found:
    """What a sweep saw and did."""

    devices: int = 0
    sites: int = 0
    silent: int = 0
    opened: int = 0
    reminded: int = 0
    lag_ms: int = 0


def site_name(tenant: str, site: str) -> str:
    """The key of a site's state."""
    return f"{_SITE}{tenant}/{site}"


class Sweep:
    """One sweep over all devices."""

    def __init__(self, settings: EdgeSettings, dynamodb: Any, s3: Any, kinesis: Any) -> None:
        self._settings, self._dynamodb, self._kinesis = settings, dynamodb, kinesis
        self._store = StateStore(dynamodb, settings.device_state_table, settings.alerts_table)
        self._alerts = AlertsTable(dynamodb, settings.alerts_table)
        self._rules = RulesSource(s3, settings.rules_bucket)

    def run(self, now_ms: int) -> Found:
        """Sweep once. Raises botocore's errors."""
        settings = self._settings
        found = Found(lag_ms=lag_ms(self._kinesis, self._dynamodb, settings.stream, settings.alerts_table, now_ms))
        with ThreadPoolExecutor(SEGMENTS) as pool:
            states = [s for part in pool.map(self._segment, range(SEGMENTS)) for s in part]
        sites = {state.device: state for state in states if state.device.startswith(_SITE)}
        of_site: dict[tuple[str, str], list[DeviceState]] = defaultdict(list)
        rules = self._rules.current()
        for state in states:
            if not state.device.startswith(_SITE) and state.device not in rules.retired:
                of_site[state.tenant, state.site].append(state)
                found.devices += 1
        if found.lag_ms <= MAX_LAG_MS:
            for (tenant, site), devices in of_site.items():
                known = sites.get(site_name(tenant, site)) or DeviceState(site_name(tenant, site), tenant, site)
                self._site(known, devices, rules, now_ms, found)
        else:
            log.warning("The stream is %d ms behind: silence is not looked for", found.lag_ms)
        found.sites = len(of_site)
        found.reminded = remind(self._alerts, sorted({tenant for tenant, _ in of_site}), now_ms)
        return found

    def _segment(self, segment: int) -> list[DeviceState]:
        return list(self._store.seen(segment, SEGMENTS))

    def _site(
        self, site: DeviceState, devices: Sequence[DeviceState], rules: RuleSet, now_ms: int, found: Found
    ) -> None:
        parent = self._whole_site(site, devices, rules, now_ms, found) if len(devices) > 1 else None
        for device in devices:
            mine = rules.of(device.tenant, device.site, device.device)
            silent = device.trackers.get("silence")
            if silent is not None and silent.severity:
                found.silent += 1
                self._speak_for_itself(device, silent, parent, mine.silence_ms, site, now_ms)
            elif mine.silence_severity and now_ms - device.arrival_ms >= mine.silence_ms:
                whole = self._whole(device)
                if whole is None:
                    continue
                transitions: list[Transition] = []
                fall_silent(whole, mine, transitions.append)
                whole.held_by = parent or ""
                if self._save(whole, transitions, now_ms, parent):
                    found.opened += 1
                    found.silent += 1

    def _whole_site(
        self, site: DeviceState, devices: Iterable[DeviceState], rules: RuleSet, now_ms: int, found: Found
    ) -> str | None:
        """Open or resolve the site's own alert; the episode's id while it is open."""
        newest = max(device.arrival_ms for device in devices)
        mine = rules.of(site.tenant, site.site, "")
        key = AlertKey(f"site/{site.tenant}/{site.site}", "site_silence")
        tracker = site.trackers.setdefault("site_silence", Tracker())
        was_open = bool(tracker.severity)
        is_silent = bool(mine.site_silence_severity) and now_ms - newest >= mine.site_silence_ms
        transitions: list[Transition] = []
        limit = mine.site_silence_ms / 1000
        if is_silent:
            at_ms = newest + round(mine.site_silence_ms)
            seen = Observation(at_ms, Severity(mine.site_silence_severity), limit, limit, started_ms=newest)
            tracker.observe(key, seen, None, transitions.append)
        elif was_open:
            back = Observation(newest, Severity.CLEAR, value=(newest - site.arrival_ms) / 1000)
            tracker.observe(key, back, None, transitions.append)
        if transitions:
            site.arrival_ms = newest
            if self._save(site, transitions, now_ms, None):
                found.opened += not was_open
        return key.episode(tracker.since_ms) if tracker.severity else None

    def _speak_for_itself(
        self, device: DeviceState, silent: Tracker, parent: str | None, limit_ms: float, site: DeviceState, now_ms: int
    ) -> None:
        """A device that stays silent after its site came back is a matter of its own."""
        if device.held_by and parent is None and now_ms - site.arrival_ms >= limit_ms:
            whole = self._whole(device)
            if whole is not None:
                self._alerts.note(silence_key(device.device).episode(silent.since_ms), "opened", now_ms)
                whole.held_by = ""
                self._save(whole, [], now_ms, None)

    def _whole(self, seen: DeviceState) -> DeviceState | None:
        """A device's state with its detectors; None if it has sent something since it was seen."""
        whole = self._store.load([seen.device])[seen.device]
        return whole if whole.version == seen.version else None

    def _save(self, state: DeviceState, transitions: Sequence[Transition], now_ms: int, parent: str | None) -> bool:
        device = "" if state.device.startswith(_SITE) else state.device
        made = changes(transitions, Place(state.tenant, state.site, device), trace=None)
        if parent is not None:
            made = [replace(change, notes=False, parent=parent) for change in made]
        try:
            self._store.save(state, made, now_ms)
        except StateConflictError:
            # It has just sent something: the next sweep looks again.
            return False
        return True


@cache
def _sweep() -> Sweep:
    config = Config(max_pool_connections=SEGMENTS + 2)
    dynamodb = boto3.client("dynamodb", config=config)
    return Sweep(edge_settings(), dynamodb, boto3.client("s3"), boto3.client("kinesis"))


def handle(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What AWS Lambda calls, by its schedule."""
    began = time.perf_counter()
    found = _sweep().run(int(time.time() * 1000))
    counts = vars(found)
    metrics = counts | {"duration_ms": round((time.perf_counter() - began) * 1000, 1)}
    telemetry.emit(edge_settings().metric_namespace, "sweep", metrics)
    if found.opened or found.reminded:
        ask_to_notify(boto3.client("lambda"), edge_settings().notify_function)
    return counts
