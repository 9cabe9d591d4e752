"""The life of one alert, as a fold over observations: pure, so that a replay of the same observations gives the same.

```mermaid
stateDiagram-v2
  [*] --> inactive
  inactive --> open: bad
  open --> open: worse (escalated)
  open --> clearing: clear
  clearing --> open: bad
  clearing --> resolved: clear for as long as the hold
  resolved --> open: bad (a new episode; flapping after FLAPS of them)
```

An observation is *bad* at some severity, *clear*, or neither: between the threshold that opens and the one that clears.
Nothing resolves for want of observations. Times are epoch milliseconds UTC, of the event.

What is seen in data that came late is history: its episodes are on record, and people are told of them only if a live
observation confirms that it is still so.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

# A subject whose alert opened this often within this time is flapping, and is held open for as long as this.
FLAPS = 3
FLAP_WINDOW_MS = 15 * 60_000
FLAP_HOLD_MS = 15 * 60_000


class Severity(IntEnum):
    """How bad: a person is told of a warning, and woken by what is critical."""

    CLEAR = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def label(self) -> str:
        """The severity as people and tables name it."""
        return self.name.lower()


class What(StrEnum):
    """What became of an episode."""

    OPENED = "opened"
    ESCALATED = "escalated"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class AlertKey:
    """What an alert is about: a subject such as a device, the rule, and the metric where the rule has one."""

    subject: str
    rule: str
    metric: str = ""

    def episode(self, started_ms: int) -> str:
        """The id of the episode that started then: always the same for the same alert and start."""
        text = f"{self.subject}|{self.rule}|{self.metric}|{started_ms}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Observation:
    """What a rule saw. `severity` None: neither bad nor clear.

    `started_ms`: since when it is so, where that was before `at_ms`. `value` and `limit` are in the canonical unit,
    None where the rule has none.
    """

    at_ms: int
    severity: Severity | None
    value: float | None = None
    limit: float | None = None
    started_ms: int | None = None


@dataclass(frozen=True)
class Transition:
    """A change in the life of an episode. `at_ms`: when it took place; `seen_ms`: when it was found.

    `since_ms` is the episode's start; `worst` the value furthest beyond its limit so far. `is_told`: whether it
    concerns people, as what is history does not.
    """

    what: What
    key: AlertKey
    episode: str
    severity: Severity
    since_ms: int
    at_ms: int
    seen_ms: int
    value: float | None = None
    limit: float | None = None
    worst: float | None = None
    flapping: bool = False
    is_told: bool = True


@dataclass(slots=True)
class Tracker:
    """Where an alert stands. `severity` CLEAR: no episode is open. `opened`: when the last FLAPS episodes started."""

    severity: Severity = Severity.CLEAR
    since_ms: int = 0
    clear_ms: int | None = None
    worst: float | None = None
    limit: float | None = None
    flapping: bool = False
    opened: tuple[int, ...] = ()
    is_history: bool = False

    def encode(self) -> list[Any]:
        """As a list that JSON holds."""
        return [
            int(self.severity),
            self.since_ms,
            self.clear_ms,
            self.worst,
            self.limit,
            int(self.flapping),
            list(self.opened),
            int(self.is_history),
        ]

    @classmethod
    def decode(cls, fields: list[Any]) -> "Tracker":
        """What `encode` gave."""
        severity, since_ms, clear_ms, worst, limit, flapping, opened, is_history = fields
        return cls(
            Severity(severity), since_ms, clear_ms, worst, limit, bool(flapping), tuple(opened), bool(is_history)
        )

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open and nothing has to be remembered."""
        return self.severity is Severity.CLEAR and not self.opened

    def observe(
        self,
        key: AlertKey,
        seen: Observation,
        hold_ms: int | None,
        emit: Callable[[Transition], None],
        *,
        is_history: bool = False,
    ) -> None:
        """Take one observation, in the order of time; `emit` is called with each transition it causes.

        `hold_ms`: for how long it has to be clear, or FLAP_HOLD_MS while it flaps; None: the first clear one ends it.
        """
        if seen.severity is None:
            self.clear_ms = None
        elif seen.severity is Severity.CLEAR:
            self._clear(key, seen, 0 if hold_ms is None else FLAP_HOLD_MS if self.flapping else hold_ms, emit)
        elif self.severity is Severity.CLEAR:
            self.is_history = is_history
            self._open(key, seen, seen.severity, emit)
        else:
            self._continue(key, seen, seen.severity, emit)
            if self.is_history and not is_history:
                self.is_history = False
                emit(self._transition(What.CONFIRMED, key, seen.at_ms, seen))

    def _open(self, key: AlertKey, seen: Observation, severity: Severity, emit: Callable[[Transition], None]) -> None:
        start = seen.at_ms if seen.started_ms is None else seen.started_ms
        if self.opened and start <= self.opened[-1]:
            # An episode's id is made of its start.
            start = self.opened[-1] + 1
        recent = tuple(at for at in self.opened if start - at < FLAP_WINDOW_MS)
        self.opened = (*recent, start)[-FLAPS:]
        self.flapping = len(self.opened) >= FLAPS
        self.severity, self.since_ms, self.clear_ms = severity, start, None
        self.worst, self.limit = seen.value, seen.limit
        emit(self._transition(What.OPENED, key, start, seen))

    def _continue(
        self, key: AlertKey, seen: Observation, severity: Severity, emit: Callable[[Transition], None]
    ) -> None:
        self.clear_ms = None
        if seen.value is not None and (self.worst is None or severity > self.severity or _is_worse(seen, self.worst)):
            self.worst, self.limit = seen.value, seen.limit
        if severity > self.severity:
            self.severity = severity
            emit(self._transition(What.ESCALATED, key, seen.at_ms, seen))

    def _clear(self, key: AlertKey, seen: Observation, hold_ms: int, emit: Callable[[Transition], None]) -> None:
        if self.severity is Severity.CLEAR:
            if self.opened and seen.at_ms - self.opened[-1] >= FLAP_WINDOW_MS:
                self.opened = ()
            return
        if self.clear_ms is None:
            self.clear_ms = seen.at_ms
        if seen.at_ms - self.clear_ms >= hold_ms:
            emit(self._transition(What.RESOLVED, key, self.clear_ms, seen))
            self.severity, self.flapping, self.clear_ms, self.worst = Severity.CLEAR, False, None, None

    def _transition(self, what: What, key: AlertKey, at_ms: int, seen: Observation) -> Transition:
        return Transition(
            what=what,
            key=key,
            episode=key.episode(self.since_ms),
            severity=self.severity,
            since_ms=self.since_ms,
            at_ms=at_ms,
            seen_ms=seen.at_ms,
            value=seen.value,
            limit=seen.limit if seen.limit is not None else self.limit,
            worst=self.worst,
            flapping=self.flapping,
            is_told=not self.is_history,
        )


def _is_worse(seen: Observation, worst: float) -> bool:
    """Whether a value is further beyond its limit than the worst so far; with no limit, whether it is greater."""
    value = 0.0 if seen.value is None else seen.value
    is_below = seen.limit is not None and value < seen.limit
    return value < worst if is_below else value > worst
