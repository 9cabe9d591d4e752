"""The alerts that people were told of, beside those that the troubles should have brought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

from infra.local.bench.quarter.simulation import Item
from infra.local.bench.quarter.timetable import ALERTS, HOUR, Period

# The platform is woken each hour: what begins in one is seen when it wakes, and what ends is mended by the wake after
# the one that finds it so.
OPENED_WITHIN, RESOLVED_WITHIN = HOUR, 2 * HOUR


@dataclass(frozen=True)
class Alert:
    """One episode that people were told of; moments are UTC, `resolved` None while it is open."""

    kind: str
    subject: str
    about: str
    opened: datetime
    resolved: datetime | None


@dataclass(frozen=True)
class Told:
    """A trouble, the alerts of the kind that it should bring, and what else was opened while it lasted."""

    period: Period
    expected: str | None
    alerts: Sequence[Alert]
    others: Sequence[Alert]

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, in words."""
        found = [f"{each.kind} beside it: {each.subject}" for each in self.others]
        if self.expected is None:
            return found
        if len(self.alerts) != 1:
            return [f"{len(self.alerts)} alerts {self.expected}, wanted one", *found]
        (alert,) = self.alerts
        if alert.opened - self.period.first > OPENED_WITHIN:
            found.append(f"opened {alert.opened - self.period.first} after it began")
        if alert.resolved is None:
            found.append("never resolved")
        elif alert.resolved - self.period.end > RESOLVED_WITHIN:
            found.append(f"resolved {alert.resolved - self.period.end} after it ended")
        return found


def alerts_of(episodes: Iterable[Item]) -> list[Alert]:
    """The episodes that people were told of, by when they were; those that another speaks for are left out."""
    found = [
        Alert(
            str(item["rule"]),
            str(item["subject"]),
            str(item.get("about", "")),
            _moment(item["recorded_ms"]),
            _moment(item["resolution_ms"]) if item.get("resolution_ms") else None,
        )
        for item in episodes
        if not item.get("parent")
    ]
    return sorted(found, key=lambda alert: alert.opened)


def told(periods: Iterable[Period], alerts: Sequence[Alert]) -> tuple[list[Told], list[Alert]]:
    """Each trouble with the alerts that were opened from its begin until it is mended or another begins; the others."""
    left, found = list(alerts), []
    ordered = sorted(periods, key=lambda period: period.first)
    for period, after in zip_longest(ordered, ordered[1:]):
        over = period.end + RESOLVED_WITHIN
        until = min(over, after.first) if after else over
        during = [each for each in left if period.first <= each.opened < until]
        left = [each for each in left if each not in during]
        expected = ALERTS.get(period.trouble)
        mine = [each for each in during if each.kind == expected]
        found.append(Told(period, expected, mine, [each for each in during if each.kind != expected]))
    return found, left


def _moment(milliseconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
