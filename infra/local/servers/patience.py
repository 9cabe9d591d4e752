"""Waiting for something that goes on: for as long as it moves, however slow the machine is."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from infra.local.servers.local_server import TELL_SECONDS, LocalError

# For how long nothing at all may change, and for how long the whole may take: bounds for what has gone wrong, far above
# what a busy machine needs (`make strain` tells).
STALLED_SECONDS = 600.0
OVERALL_SECONDS = 3600.0

State = TypeVar("State")


def wait_while_it_moves(
    what: str, look: Callable[[], State], done: Callable[[State], bool], pause_seconds: float = 0.2
) -> State:
    """Look until the state is one to go on with, which is returned; say every TELL_SECONDS what is waited for.

    Raises LocalError, naming what was waited for and how it stood, when the state has not changed for STALLED_SECONDS,
    or after OVERALL_SECONDS.
    """
    state = look()
    began = moved = told = time.monotonic()
    while not done(state):
        now = time.monotonic()
        if now - moved > STALLED_SECONDS:
            raise LocalError(f"{what}: nothing has changed for {STALLED_SECONDS:.0f} s; it stands at {state}")
        if now - began > OVERALL_SECONDS:
            raise LocalError(f"{what}: not there after {OVERALL_SECONDS:.0f} s; it stands at {state}")
        if now - told > TELL_SECONDS:
            told = now
            print(f"waiting for {what}, {now - began:.0f} s so far: {state}", file=sys.stderr, flush=True)
        time.sleep(pause_seconds)
        before, state = state, look()
        if state != before:
            moved = time.monotonic()
    return state
