"""Times of day as people mean them: by the clock on the wall of a time zone, over its changes to and from summer time.

Moments are datetimes with a zone. Zones are those of the IANA database, which Lambda's runtime has since Amazon Linux
2023.3 (aws/aws-lambda-dotnet issue 1620).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from iot_pipeline.alerting.lifecycle import Severity


@dataclass(frozen=True)
class QuietHours:
    """From `begin` up to `end`, each day, what is less severe than `breaks_through` is held back; all, if that is None.

    It is quiet whenever the clock on the wall shows a time in between, so an hour that a change of the clock repeats is
    quiet twice, and one that it skips never is. `end` before `begin`: over midnight.
    """

    zone: ZoneInfo
    begin: time
    end: time
    breaks_through: Severity | None

    def is_quiet(self, now: datetime) -> bool:
        """Whether it is quiet at a moment."""
        shown = now.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= shown < self.end
        return shown >= self.begin or shown < self.end

    def holds(self, severity: Severity, now: datetime) -> bool:
        """Whether what has this severity is held back at a moment."""
        return (self.breaks_through is None or severity < self.breaks_through) and self.is_quiet(now)


@dataclass(frozen=True)
class Daily:
    """Once a day, at a time of the clock on the wall."""

    zone: ZoneInfo
    at: time

    def last(self, now: datetime) -> datetime:
        """The last such moment up to now, in UTC.

        A time that the change to summer time skips is that much later on this day, and of one that is shown twice the
        first counts: so each day has exactly one.
        """
        today = now.astimezone(self.zone).date()
        for day in (today, today - timedelta(days=1)):
            moment = datetime.combine(day, self.at, self.zone).astimezone(UTC)
            if moment <= now:
                return moment
        return datetime.combine(today - timedelta(days=2), self.at, self.zone).astimezone(UTC)
