"""What the next batch depends on beside the options. JSON-able, so that a restart goes on where the last run was."""

from dataclasses import dataclass, field
from typing import Any

from simulator.fleet import Fleet
from simulator.rows import Row
from simulator.signals import Noise

Reading = dict[str, Any]


@dataclass
class State:
    """The next batch of the plan; for each device its next sequence and message number, its noise, what it is stuck
    at and the readings it holds back for its next message.
    """

    batch: int
    seq: list[int]
    number: list[int]
    noise: list[list[float]]
    stuck: list[list[float] | None]
    held: list[list[tuple[Reading, Row]]] = field(default_factory=list)

    @staticmethod
    def start(fleet: Fleet) -> "State":
        """The state before a fleet's first reading."""
        count = len(fleet.devices)
        noise = Noise.start(count, fleet.seed).state.tolist()
        return State(0, [1] * count, [1] * count, noise, [None] * count, [[] for _ in range(count)])

    @staticmethod
    def from_json(content: dict[str, Any]) -> "State":
        """A state from the object that orjson makes of it."""
        held = [[(reading, Row(**row)) for reading, row in of_device] for of_device in content["held"]]
        # A state of a release in which one metric alone was stuck is stuck no more.
        stuck = [values if isinstance(values, list) else None for values in content["stuck"]]
        return State(**{**content, "held": held, "stuck": stuck})
