"""The log of a replay against the live one: the same in everything, or it says in what not."""

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.contract.judge import Judge
from iot_pipeline.edge.alert_log import differences, replay_log
from iot_pipeline_tests.support.edge import NOON_MS, line, reading

_LINES = [
    line([reading(NOON_MS, 1, temperature=400)], NOON_MS),
    b"{",
    line([reading(NOON_MS, 1, temperature=20)], NOON_MS, device="d2"),
    line([reading(NOON_MS + 60_000, 2, temperature=20)], NOON_MS + 60_000),
    line([reading(NOON_MS + 120_000, 3, temperature=20)], NOON_MS + 120_000),
]


def test_a_replay_equals_the_live_log_or_says_in_what_it_differs() -> None:
    found = replay_log(_LINES, RuleSet(), Judge())
    ((episode_id, episode),) = found.items()
    live = {
        "id": episode_id,
        "rule": "range",
        "device": "d1",
        "opened_ms": NOON_MS,
        "resolved_ms": NOON_MS + 60_000,
        "severity": 2,
    }
    assert (episode.device, episode.first.key.metric) == ("d1", "temperature")
    assert differences(found, [live]) == []
    assert differences(found, [live, live | {"id": "s", "rule": "site_silence"}]) == []
    assert differences(found, [live, {"id": "x", "rule": "silence", "device": "d2"}]) == []
    assert differences(found, [live | {"resolved_ms": 1}]) == [
        f"{episode_id}: range of d1: end: {NOON_MS + 60_000} replayed, 1 live"
    ]
    assert differences(found, []) == [f"{episode_id}: range of d1 was not raised live"]
    assert differences({}, [live]) == [f"{episode_id}: range of d1 was raised live alone"]
