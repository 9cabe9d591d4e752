"""How the bench of backfills tells what was committed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from infra.local.bench.backfill import Commits
from iot_pipeline.contract import CONTRACT
from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour

FIRST = Hour(datetime(2026, 8, 1, tzinfo=UTC))
HOURS = [FIRST + n for n in range(3)]


class Shown:
    """A catalog that shows what it is told to."""

    def __init__(self) -> None:
        self.versions = dict.fromkeys(HOURS, "a")

    def partitions(self, _table: str, hours: Iterable[Hour]) -> dict[Hour, Partition]:
        return {hour: Partition(hour, self.versions[hour]) for hour in hours if hour in self.versions}


def commits_of(shown: Shown) -> Commits:
    lake: Any = SimpleNamespace(catalog=shown, contract=CONTRACT)
    commits = Commits(lake, HOURS)
    commits.look()
    return commits


def test_an_hour_that_every_look_shows_anew_was_committed_as_often() -> None:
    shown = Shown()
    commits = commits_of(shown)
    for version in ("b", "c"):
        shown.versions[HOURS[0]] = version
        commits.look()
    shown.versions[HOURS[1]] = "b"
    commits.look()
    assert str(commits) == "3 hours of tables 0 times; 3 hours of tables 1 times; 3 hours of tables 2 times"
    assert set(commits.of.values()) == {0, 1, 2}


def test_each_hour_once_is_told_as_such() -> None:
    shown = Shown()
    commits = commits_of(shown)
    shown.versions = dict.fromkeys(HOURS, "b")
    commits.look()
    commits.look()
    assert set(commits.of.values()) == {1}
    assert str(commits) == "9 hours of tables 1 times"
