"""Which trouble comes when in a simulated quarter: the same in each fortnight, squeezed where there are fewer days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
FORTNIGHT = 14


class Trouble(StrEnum):
    """What goes wrong; the order is that of a fortnight."""

    BURST = "burst: 8 times the readings, each message twice"
    SILENT_SITE = "a site is silent, what it measures is lost"
    LATE_DEVICE = "a device sends nothing, then all of it"
    ATHENA_OUT = "Athena does not answer"
    BAD_FIRMWARE = "a device's firmware sends texts for numbers"
    HELD = "nothing is delivered, then all of it, in the hours of its arrival"
    DEAD_DAEMON = "Dagster's daemon is dead"
    BAD_DEPLOY = "deployed with a database that is not there"
    CONTRACT_CHANGE = "the contract takes temperatures that it refused"


# Hours, of which no more than half of the way to the next trouble is taken.
_LASTS = {
    Trouble.BURST: 2,
    Trouble.SILENT_SITE: 6,
    Trouble.LATE_DEVICE: 30,
    Trouble.ATHENA_OUT: 3,
    Trouble.BAD_FIRMWARE: 4,
    Trouble.HELD: 4,
    Trouble.DEAD_DAEMON: 5,
    Trouble.BAD_DEPLOY: 3,
    Trouble.CONTRACT_CHANGE: 1,
}
# By the name of their kind, the alerts of which a trouble is to open one, and no more. Of the others people need not
# be told: what a burst, a late device or a changed contract brings is built, what a firmware spoils is in quarantine.
ALERTS = {
    Trouble.SILENT_SITE: "failed_check",
    Trouble.ATHENA_OUT: "failed_run",
    Trouble.HELD: "stale_asset",
    Trouble.DEAD_DAEMON: "dead_daemon",
    Trouble.BAD_DEPLOY: "failed_run",
}


@dataclass(frozen=True)
class Period:
    """A trouble from one hour on, until before another (both aware, whole hours)."""

    trouble: Trouble
    first: datetime
    end: datetime


@dataclass(frozen=True)
class Timetable:
    """The troubles of so many days."""

    start: datetime
    days: int
    periods: Sequence[Period]

    @property
    def hours(self) -> list[datetime]:
        """All hours, after each of which the platform is woken once."""
        return [self.start + (n + 1) * HOUR for n in range(24 * self.days)]

    def is_on(self, trouble: Trouble, hour: datetime) -> bool:
        """Whether this is amiss in an hour."""
        return any(each.first <= hour < each.end for each in self.periods if each.trouble is trouble)

    def begun(self, hour: datetime) -> list[Period]:
        """The troubles that have begun by an hour."""
        return [each for each in self.periods if each.first <= hour]

    def has_changed(self, hour: datetime) -> bool:
        """Whether the contract is the new one."""
        return any(each.trouble is Trouble.CONTRACT_CHANGE for each in self.begun(hour))


def timetable(start: datetime, days: int) -> Timetable:
    """Every trouble once a fortnight, or once in all of fewer days; the contract changes in the first one alone.

    Raises ValueError for less than a day, of which each trouble takes an hour, with an hour between two of them.
    """
    if days < 1:
        raise ValueError(f"{days} days are too few for nine troubles; at least 1 is needed")
    block = min(days, FORTNIGHT) * 24
    apart = block // len(Trouble)
    periods = []
    for begin in range(0, days * 24 - block + 1, block):
        for place, trouble in enumerate(Trouble):
            if trouble is Trouble.CONTRACT_CHANGE and begin:
                continue
            first = start + (begin + place * apart + 2) * HOUR
            lasts = max(1, min(_LASTS[trouble], apart // 2))
            periods.append(Period(trouble, first, first + lasts * HOUR))
    return Timetable(start, days, periods)
