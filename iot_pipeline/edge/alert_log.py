"""The alert log replayed from the raw zone: the same lines through the same fold must give the same episodes.

What only the sweep decides is left out of the comparison: alerts of whole sites, and a silence that had not ended when
the lines do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.lifecycle import Transition, What
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take


@dataclass
class Replayed:
    """An episode as a replay finds it."""

    device: str
    rule: str
    metric: str
    opened_ms: int
    severity: int
    resolved_ms: int | None = None

    def differs_from(self, item: Mapping[str, Any]) -> str | None:
        """In what an item of the alerts table is another; None if in nothing."""
        for name, mine, theirs in (
            ("start", self.opened_ms, item["opened_ms"]),
            ("end", self.resolved_ms, item.get("resolved_ms")),
            ("severity", self.severity, item["severity"]),
        ):
            if mine != theirs:
                return f"{name}: {mine} replayed, {theirs} live"
        return None


def replay_log(lines: Iterable[bytes], rules: RuleSet, judge: Judge | None = None) -> dict[str, Replayed]:
    """The episodes, by id, that lines of the raw zone give, each device's in the order in which they came.

    The states begin empty: the lines begin where the devices did, or where nothing was open. Raises RuleError for rules
    that contradict each other.
    """
    reader = judge if judge is not None else Judge()
    states: dict[str, DeviceState] = {}
    found: dict[str, Replayed] = {}

    def note(transition: Transition) -> None:
        key = transition.key
        if transition.what is What.OPENED:
            device = key.subject.rpartition("/")[2]
            found[transition.episode] = Replayed(
                device, key.rule, key.metric, transition.since_ms, int(transition.severity)
            )
        episode = found[transition.episode]
        episode.severity = int(transition.severity)
        if transition.what is What.RESOLVED:
            episode.resolved_ms = transition.at_ms

    for line in lines:
        readings = reader.line(line)
        device = readings[0].message.device_id
        if device is not None:
            take(states.setdefault(device, DeviceState(device)), readings, rules, note)
    return found


def differences(replayed: Mapping[str, Replayed], episodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """In what a replayed log and the live one differ, an episode a line; empty if in nothing."""
    live = {each["id"]: each for each in episodes if each["rule"] != "site_silence"}
    found = []
    for name, episode in replayed.items():
        if name not in live:
            found.append(f"{name}: {episode.rule} of {episode.device} was not raised live")
        elif (difference := episode.differs_from(live[name])) is not None:
            found.append(f"{name}: {episode.rule} of {episode.device}: {difference}")
    for name, item in live.items():
        is_open_silence = item["rule"] == "silence" and "resolved_ms" not in item
        if name not in replayed and not is_open_silence:
            found.append(f"{name}: {item['rule']} of {item['device']} was raised live alone")
    return found
