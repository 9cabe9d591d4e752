"""How many builds are needed at least: each hour once for each wake at which something new for it had arrived."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.local.bench.quarter.small_fleet import Fate, Message
from iot_pipeline.lake.hours import Hour


@dataclass
class NeededBuilds:
    """Counts, wake by wake. While the platform cannot build, what is new waits and is built once afterwards."""

    judged: int = 0
    curated: int = 0
    _arrivals: set[Hour] = field(default_factory=set)
    _events: set[Hour] = field(default_factory=set)
    _hot: dict[Hour, set[Hour]] = field(default_factory=dict)
    _takes_hot: bool = False

    def arrive(self, messages: Sequence[Message]) -> None:
        """Messages have arrived."""
        for message in messages:
            arrival = Hour.of(message.received)
            self._arrivals.add(arrival)
            for reading in message.readings:
                event = Hour.of(reading.at)
                if reading.fate is Fate.HOT:
                    self._hot.setdefault(arrival, set()).add(event)
                if reading.fate is Fate.VALID or (reading.fate is Fate.HOT and self._takes_hot):
                    self._events.add(event)

    def change_contract(self) -> None:
        """From now on hot readings are taken: the hours in which some were refused are to be built again."""
        self._takes_hot = True
        self._arrivals |= self._hot.keys()
        self._events |= set().union(*self._hot.values())

    def build(self) -> None:
        """The platform builds what is new."""
        self.judged += len(self._arrivals)
        self.curated += len(self._events)
        self._arrivals.clear()
        self._events.clear()
