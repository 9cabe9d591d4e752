"""What a tile finds: how things stand, in a sentence and in numbers."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel

# `close_hour` builds an hour ten minutes after it has closed, and what follows takes minutes: until then an hour that
# is behind is no surprise. The check `closed_hours_are_built` waits as long.
GRACE = timedelta(minutes=45)


class State(StrEnum):
    """How things stand."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


_BADNESS = (State.OK, State.UNKNOWN, State.WARNING, State.CRITICAL)


def worst(*states: State) -> State:
    """The worst of these; ok of none. What is not known is worse than what is well, and better than a warning."""
    return max(states, key=_BADNESS.index, default=State.OK)


@dataclass(frozen=True)
class Finding:
    """What a look has found: the state, a sentence that says why, and what to draw."""

    state: State
    sentence: str
    data: BaseModel


def several(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 site`, `2 sites`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
