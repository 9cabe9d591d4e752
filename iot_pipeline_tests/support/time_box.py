"""A run of all tests ends within its half hour, however many there are and however busy the machine is.

The unit tests and the demo come first. The other modules follow, and begin on each day (UTC) at another place of their
circle. Once the time box is spent, what is left of them is skipped, by name and with the reason; a day of three or so
later its turn comes first.
"""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from iot_pipeline_tests.support.leftovers import is_worker

MINUTES = "IOT_TEST_MINUTES"
DEFAULT_MINUTES = "18"
TURNS = 3
_BEGAN = "IOT_TEST_BEGAN"
_LEFT = "the time box is spent"
_FIRST = ("e2e/test_flow.py", "unit/")
# How many minutes one test of these modules may take; it is begun only if they are left.
_LONG = {
    "e2e/test_backfills_in_ui.py": 4,
    "integration/images/": 8,
    "integration/local/drill/": 6,
    "integration/runbooks/": 3,
    "integration/warehouse/test_races.py": 4,
}


def begin(config: pytest.Config) -> None:
    """The run begins now; its workers, which are started later, inherit when that was."""
    if not is_worker(config):
        os.environ[_BEGAN] = str(time.time())


def in_turn(modules: Sequence[str], day: int) -> list[str]:
    """Modules, by their paths below the tests, in the order of a day: what is always run comes first."""
    first = [module for prefix in _FIRST for module in modules if module.startswith(prefix)]
    others = [module for module in modules if module not in first]
    start = len(others) * (day % TURNS) // TURNS
    return first + others[start:] + others[:start]


def arrange(items: list[pytest.Item], module_of: dict[pytest.Item, str]) -> None:
    """Put the tests into today's order."""
    modules = list(dict.fromkeys(module_of.values()))
    places = {module: place for place, module in enumerate(in_turn(modules, datetime.now(UTC).toordinal()))}
    items.sort(key=lambda item: places[module_of[item]])


def skip_what_is_left(module: str) -> None:
    """Skip a test if the time box is spent, or its own time is not left of it; not one of those that are always run.

    Raises:
        pytest.skip.Exception: With the reason, and how to run it.
    """
    minutes = float(os.environ.get(MINUTES, DEFAULT_MINUTES))
    spent = (time.time() - float(os.environ[_BEGAN])) / 60
    needed = next((long for prefix, long in _LONG.items() if module.startswith(prefix)), 0)
    if minutes and spent + needed > minutes and not module.startswith(_FIRST):
        pytest.skip(f"{_LEFT}: {minutes:g} minutes ({MINUTES}; 0 for no end); its module comes earlier on another day")


def modules_left(skipped: Sequence[pytest.TestReport]) -> dict[str, int]:
    """How many tests of each module were left for another day."""
    left: dict[str, int] = {}
    for report in skipped:
        if _LEFT in str(report.longrepr):
            module = report.nodeid.partition("::")[0]
            left[module] = left.get(module, 0) + 1
    return left
