"""A batch of Kinesis records: to whom each belongs, its verdict, and the fold of a device's records into its state."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iot_pipeline.alerting.device_rules import RuleSet
from iot_pipeline.alerting.episodes import Change, Place, changes, merged
from iot_pipeline.alerting.lifecycle import Transition
from iot_pipeline.contract.aggregation import user_records
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.judged_reading import Reading
from iot_pipeline.edge.device_state import DeviceState
from iot_pipeline.edge.evaluation import take


@dataclass(frozen=True, slots=True)
class Record:
    """A user record of the stream, judged: its record's place in the batch, and its sequence number as it came."""

    position: int
    identifier: str
    readings: Sequence[Reading]

    @property
    def sequence(self) -> int:
        """Its number in the shard: greater than those before it."""
        return int(self.identifier)

    @property
    def device(self) -> str | None:
        """Who sent it; None where it does not say as the IoT rules do."""
        return self.readings[0].message.device_id


def records_of(event: Mapping[str, Any], judge: Judge) -> list[Record]:
    """The records of an event of AWS Lambda's Kinesis event source mapping, in their order.

    Those of an aggregated record, which Lambda hands over as it is, share its place and its sequence number.
    """
    return [
        Record(position, each["kinesis"]["sequenceNumber"], judge.line(sent.data.rstrip(b"\n")))
        for position, each in enumerate(event["Records"])
        for sent in user_records("", base64.b64decode(each["kinesis"]["data"]))
    ]


def by_device(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of each device in their order; those of nobody are left out."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if record.device is not None:
            found.setdefault(record.device, []).append(record)
    return found


def refold(state: DeviceState, records: Sequence[Record], rules: RuleSet) -> list[Change]:
    """Take records that the handler gave up, as often as one likes: what is still the latest, alerts that are live.

    Counts stay as they are, for nobody can tell what of them was counted before it was given up.
    """
    counts, window, sequence = dict(state.counts), state.window, state.sequence
    state.sequence = -1
    found = fold(state, records, rules)
    state.counts, state.window, state.sequence = counts, window, max(sequence, state.sequence)
    return found


def fold(state: DeviceState, records: Sequence[Record], rules: RuleSet) -> list[Change]:
    """Take a device's records into its state, in place; the alerts that change.

    Records up to the state's sequence number were taken before and change nothing.
    """
    found: list[Change] = []
    # The messages of an aggregated record share its number, and are in one batch.
    taken = state.sequence
    for record in records:
        if record.sequence <= taken:
            continue
        transitions: list[Transition] = []
        held_by = state.held_by
        take(state, record.readings, rules, transitions.append)
        state.sequence = record.sequence
        if transitions:
            place = Place(state.tenant, state.site, state.device)
            message = record.readings[0].message
            found += changes(transitions, place, message.message_id, message.received_ms, held=bool(held_by))
            state.held_by = ""
    return merged(found)
