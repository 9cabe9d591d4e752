"""Slow tests take turns, so that a run of all tests stays within its half hour however many there are.

Each is run on every third day (UTC), by its name; `IOT_TEST_ALL=1` runs them all. A run prints, as the reason of a
skip, which it has left for another day.
"""

import os
import zlib
from datetime import UTC, datetime

import pytest

ALL = "IOT_TEST_ALL"
TURNS = 3
MARK = "slow"


def is_due(nodeid: str, day: int) -> bool:
    """Whether a slow test is run on a day, counted from any day: on one of each three in a row."""
    return zlib.crc32(nodeid.encode()) % TURNS == day % TURNS


def take_turns(items: list[pytest.Item]) -> None:
    """Skip the slow tests whose turn it is not."""
    if os.environ.get(ALL):
        return
    day = datetime.now(UTC).toordinal()
    skip = pytest.mark.skip(reason=f"slow tests take turns, one day in {TURNS}: set {ALL}=1 to run them all")
    for item in items:
        if item.get_closest_marker(MARK) and not is_due(item.nodeid, day):
            item.add_marker(skip)
