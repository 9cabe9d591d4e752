"""How many readings of an hour were to come, by what the registry says of devices, and how many did: by site and model.

What counts is an hour of the events' time. So readings of another hour, however many arrive or are built again now,
make nothing look fresh.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from iot_pipeline.lake.hours import HOUR, Hour

# Less than this share of what was to come is told of. Devices have clocks and networks that are not exact.
ENOUGH = 0.5
# A group that was silent for longer is no longer missed, as a site is not.
MEMORY = timedelta(days=7)


@dataclass(frozen=True)
class ActiveDevice:
    """A device that is to send: where it stands, of which model it is, how often it sends and since when (UTC)."""

    device: str
    tenant: str
    site: str
    model: str
    interval_s: float
    since: datetime

    def expected(self, hour: Hour) -> float:
        """How many readings of an hour are to come from it."""
        end = hour.start + HOUR
        return max((end - max(hour.start, self.since)).total_seconds(), 0.0) / self.interval_s


class Flow(StrEnum):
    """How a group of devices sends; only what is silent or behind is a surprise."""

    AS_EXPECTED = "as expected"
    BEHIND = "behind"
    SILENT = "silent"
    SITE_IS_SILENT = "silent, as every_site_sends says"
    NEVER_HEARD_OF = "never heard of"
    NO_LONGER_MISSED = "no longer missed"


@dataclass
class Group:
    """Devices of a site or of a model, of an hour. `last_heard` is the last hour of which anything came.

    `is_told`: a site of which another check has told that it is silent.
    """

    kind: str
    name: str
    devices: int = 0
    sending: int = 0
    expected: float = 0.0
    received: int = 0
    last_heard: Hour | None = None
    is_told: bool = False

    @property
    def share(self) -> float:
        """Received of expected."""
        return self.received / self.expected if self.expected else 0.0

    def flow(self, hour: Hour) -> Flow:
        """How it stands in this hour."""
        if self.is_told:
            return Flow.SITE_IS_SILENT
        if self.share >= ENOUGH or self.expected < 1:
            return Flow.AS_EXPECTED
        if self.received:
            return Flow.BEHIND
        if self.last_heard is None:
            return Flow.NEVER_HEARD_OF
        return Flow.SILENT if hour.start - self.last_heard.start <= MEMORY else Flow.NO_LONGER_MISSED


@dataclass(frozen=True)
class Heard:
    """What is remembered from look to look: of which hour each group was last heard."""

    hours: Mapping[str, str] = field(default_factory=dict)

    def last(self, key: str) -> Hour | None:
        """Of a group, by its kind and name."""
        return Hour(datetime.fromisoformat(self.hours[key])) if key in self.hours else None

    def encode(self) -> str:
        """As JSON."""
        return json.dumps(dict(self.hours))

    @classmethod
    def decode(cls, text: str | None) -> "Heard":
        """What `encode` gave; nothing of None."""
        return cls(json.loads(text) if text else {})


def grouped(
    devices: Sequence[ActiveDevice],
    received: Iterable[tuple[str, int]],
    hour: Hour,
    heard: Heard,
    silent: Collection[str] = (),
) -> tuple[list[Group], int, Heard]:
    """The groups with what they sent in an hour, the readings of devices that are not active, and what to remember.

    `received`: readings by device. `silent`: the sites (tenant/site) that are known to be silent now, whose devices
    make no model fall behind.
    """
    of_device = defaultdict[str, int](int)
    for name, readings in received:
        of_device[name] += readings
    groups: dict[str, Group] = {}
    for device in devices:
        site = f"{device.tenant}/{device.site}"
        is_silent = site in silent
        for kind, name in (("site", site), ("model", device.model)):
            group = groups.setdefault(f"{kind} {name}", Group(kind, name, is_told=kind == "site" and is_silent))
            if kind == "model" and is_silent:
                continue
            readings = of_device.get(device.device, 0)
            group.devices += 1
            group.sending += readings > 0
            group.expected += device.expected(hour)
            group.received += readings
    remembered = dict(heard.hours)
    for key, group in groups.items():
        if group.received:
            remembered[key] = hour.start.isoformat()
        group.last_heard = Heard(remembered).last(key)
    known = {device.device for device in devices}
    strangers = sum(readings for name, readings in of_device.items() if name not in known)
    kept = {key: at for key, at in remembered.items() if key in groups}
    return sorted(groups.values(), key=lambda group: (group.kind, group.name)), strangers, Heard(kept)
