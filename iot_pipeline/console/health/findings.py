"""What a tile finds: how things stand, in a sentence and in numbers; or which dependency has not answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel

# `close_hour` builds an hour ten minutes after it has closed, and what follows takes minutes: until then an hour that
# is behind is no surprise. The check `closed_hours_are_built` waits as long.
GRACE = timedelta(minutes=45)
_MAX_REASON = 300


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


class DownError(Exception):
    """A dependency has not answered as it should: which, and its own words in one line."""

    def __init__(self, dependency: str, reason: str) -> None:
        super().__init__(f"{dependency}: {reason}")
        self.dependency, self.reason = dependency, reason


def reason_of(error: BaseException) -> str:
    """An error in one line: its class, and what it says."""
    text = " ".join(str(error).split())[:_MAX_REASON]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def asking(dependency: str) -> Iterator[None]:
    """Inside, a dependency is asked: whatever is raised becomes a DownError that names it."""
    try:
        yield
    except DownError:
        raise
    except Exception as error:
        raise DownError(dependency, reason_of(error)) from error


def several(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 site`, `2 sites`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
