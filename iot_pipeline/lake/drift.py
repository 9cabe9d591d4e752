"""Schema drift: what devices send that the contract does not know, or send no more, by firmware.

A field is *new* while the contract does not know it, and *vanished* if a firmware that used to send a metric has not
sent it in any reading. Values that are no number and units that nobody agreed on are told by firmware as well.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from iot_pipeline.contract import Contract, Reason

# So many readings of a firmware have to be there before one that it does not send is missed.
ENOUGH_READINGS = 100
UNKNOWN_FIRMWARE = "not said"


class Kind(StrEnum):
    """What has changed."""

    NEW = "new field"
    VANISHED = "vanished field"
    TYPE = "changed type"
    UNIT = "unknown unit"


@dataclass(frozen=True)
class Drift:
    """One change: of which firmware, in which field, in how many readings of how many devices, and since when (UTC)."""

    kind: Kind
    firmware: str
    field: str
    readings: int
    devices: int
    first_seen: datetime


@dataclass(frozen=True)
class Known:
    """What is remembered from look to look: since when each change is there, and what each firmware has ever sent."""

    since: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def encode(self) -> str:
        """As JSON."""
        return json.dumps({"since": dict(self.since), "metrics": {fw: list(m) for fw, m in self.metrics.items()}})

    @classmethod
    def decode(cls, text: str | None) -> "Known":
        """What `encode` gave; nothing of None."""
        held = json.loads(text) if text else {}
        return cls(held.get("since", {}), held.get("metrics", {}))


def drift_of(
    contract: Contract,
    fields: Iterable[Sequence[Any]],
    firmwares: Iterable[Sequence[Any]],
    known: Known,
    now: datetime,
) -> tuple[list[Drift], Known]:
    """The changes, and what to remember.

    `fields` are the rows of `statements.unknown_fields`, `firmwares` those of `statements.readings_by_firmware`.
    """
    found = [
        Drift(Kind.NEW, _name(fw), name, int(readings), int(devices), first.replace(tzinfo=UTC))
        for fw, name, readings, devices, first in fields
    ]
    names = [metric.name for metric in contract.metrics]
    sends: dict[str, set[str]] = {fw: set(metrics) for fw, metrics in known.metrics.items()}
    for fw, outcome, readings, devices, *counts in firmwares:
        firmware, total = _name(fw), int(readings)
        if outcome == "valid":
            sent = {name for name, count in zip(names, counts, strict=True) if count}
            if total >= ENOUGH_READINGS:
                missed = sends.get(firmware, set()) - sent
                found += [Drift(Kind.VANISHED, firmware, name, total, int(devices), now) for name in sorted(missed)]
            sends[firmware] = sends.get(firmware, set()) | sent
        elif outcome in _OF_REASON:
            found.append(Drift(_OF_REASON[outcome], firmware, "any", total, int(devices), now))
    since = {_key(each): known.since.get(_key(each), each.first_seen.isoformat()) for each in found}
    dated = [
        Drift(d.kind, d.firmware, d.field, d.readings, d.devices, datetime.fromisoformat(since[_key(d)])) for d in found
    ]
    return sorted(dated, key=lambda d: (d.first_seen, d.kind, d.firmware, d.field), reverse=True), Known(
        since, {fw: sorted(metrics) for fw, metrics in sends.items()}
    )


_OF_REASON = {Reason.INVALID_VALUE.value: Kind.TYPE, Reason.UNKNOWN_UNIT.value: Kind.UNIT}


def _name(firmware: str | None) -> str:
    return firmware or UNKNOWN_FIRMWARE


def _key(drift: Drift) -> str:
    return f"{drift.kind.value} {drift.firmware} {drift.field}"
