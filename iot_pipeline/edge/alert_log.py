"""The alert log replayed from the raw zone: the same lines through the same fold must give the same episodes.

What only the sweep decides is left out of the comparison: alerts of whole sites, and a silence that had not ended when
the lines do.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take
from iot_pipeline.edge.past_episodes import PastEpisode, PastEpisodes


def replay_log(lines: Iterable[bytes], rules: RuleSet, judge: Judge) -> dict[str, PastEpisode]:
    """The episodes, by id, that lines of the raw zone give, each device's in the order in which they came.

    The states begin empty: the lines begin where the devices did, or where nothing was open.
    """
    states: dict[str, DeviceState] = {}
    found = PastEpisodes()
    for line in lines:
        readings = judge.line(line)
        device = readings[0].message.device_id
        if device is not None:
            take(states.setdefault(device, DeviceState(device)), readings, rules, found.note)
    return found


def differences(replayed: Mapping[str, PastEpisode], episodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """In what a replayed log and the live one differ, an episode a line; empty if in nothing."""
    live = {each["id"]: each for each in episodes if each["rule"] != "site_silence"}
    found = []
    for name, episode in replayed.items():
        if name not in live:
            found.append(f"{name}: {episode.first.key.rule} of {episode.device} was not raised live")
        elif (difference := _difference(episode, live[name])) is not None:
            found.append(f"{name}: {episode.first.key.rule} of {episode.device}: {difference}")
    for name, item in live.items():
        is_open_silence = item["rule"] == "silence" and "resolved_ms" not in item
        if name not in replayed and not is_open_silence:
            found.append(f"{name}: {item['rule']} of {item['device']} was raised live alone")
    return found


def _difference(episode: PastEpisode, item: Mapping[str, Any]) -> str | None:
    for name, replayed, live in (
        ("start", episode.first.since_ms, item["opened_ms"]),
        ("end", episode.resolved_ms, item.get("resolved_ms")),
        ("severity", episode.severity, item["severity"]),
    ):
        if replayed != live:
            return f"{name}: {replayed} replayed, {live} live"
    return None
