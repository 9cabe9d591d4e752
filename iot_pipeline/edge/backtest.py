"""What rules would have raised over readings of the past: the same fold as the live one, over event time.

A reading of the past arrives, for this, when it was taken: how late it truly came does not matter to what a rule would
have said had it been there.
"""

from collections.abc import Iterable, Iterator, Mapping

from iot_pipeline.alerting.device_rules import Override, RuleSet, compiled
from iot_pipeline.alerting.rule_kinds import KINDS
from iot_pipeline.contract.curated_reading import CuratedReading
from iot_pipeline.contract.judged_reading import Message, Reading
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take
from iot_pipeline.edge.past_episodes import PastEpisode, PastEpisodes

# Readings of a device that lie within this time are taken at once, as one message would bring them.
_PACK_MS = 60_000


def backtest(readings: Iterable[CuratedReading], rules: RuleSet) -> list[PastEpisode]:
    """The episodes that rules would have raised over readings, which come device by device, each in order of time."""
    found = PastEpisodes()
    state = DeviceState("")
    for pack in _packs(readings):
        if pack[0].device != state.device:
            state = DeviceState(pack[0].device)
        take(state, _judged(pack), rules, found.note)
    return sorted(found.values(), key=lambda each: (each.first.since_ms, each.first.key.subject))


def _packs(readings: Iterable[CuratedReading]) -> Iterator[list[CuratedReading]]:
    pack: list[CuratedReading] = []
    for reading in readings:
        if pack and (reading.device != pack[0].device or reading.at_ms - pack[0].at_ms > _PACK_MS):
            yield pack
            pack = []
        pack.append(reading)
    if pack:
        yield pack


def _judged(pack: list[CuratedReading]) -> list[Reading]:
    """As the contract would have judged a message with these readings, which arrived with the last."""
    message, last = Message(""), pack[-1]
    message.tenant, message.site, message.device_id = last.tenant, last.site, last.device
    message.received_ms = last.at_ms
    judged = []
    for position, past in enumerate(pack, 1):
        reading = Reading(message, position, None)
        reading.event_ms, reading.seq, reading.values = past.at_ms, past.seq, dict(past.values)
        judged.append(reading)
    return judged


def metrics_to_read(metric: str) -> list[str]:
    """The metrics whose readings a dry run needs: the rule's own, or every one for a rule about devices."""
    return [metric] if metric else list(KINDS["range"].metrics)


def tried(
    readings: list[CuratedReading], rule: str, metric: str, parameters: Mapping[str, float | None]
) -> list[PastEpisode]:
    """The episodes that one rule would have raised with other parameters. Raises RuleError if it does not take them."""
    compiled([Override(1, rule, metric, {"tenant": "any"}, parameters)])
    tenants = {each.tenant for each in readings}
    rules = RuleSet(0, tuple(Override(1, rule, metric, {"tenant": each}, parameters) for each in tenants))
    found = backtest(readings, rules)
    return [each for each in found if (each.first.key.rule, each.first.key.metric) == (rule, metric)]
