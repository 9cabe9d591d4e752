"""What looking at the pipeline gives: an observation of one alert, and what a person is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from iot_pipeline.alerting.episodes import About, Place
from iot_pipeline.alerting.lifecycle import AlertKey, Observation, Severity
from iot_pipeline.alerting.table import PIPELINE
from iot_pipeline.alerting.trackers import Watching
from iot_pipeline.defs.pipeline_alerts.kinds import Kind

# After so long what only failed once is taken to fail for good.
ESCALATES_MS = 3_600_000


@dataclass(frozen=True)
class Seen:
    """One observation of the alert `kind` about `subject`, and, if it is bad, what about it.

    `causes`: alerts of which it would be a consequence.
    """

    kind: Kind
    subject: str
    observation: Observation
    about: About | None = None
    part: str = ""
    causes: Sequence[AlertKey] = ()

    @property
    def key(self) -> AlertKey:
        """The alert's key; `part` tells several of one kind and subject apart."""
        return AlertKey(self.subject, self.kind.name, self.part)

    def take(self, watching: Watching) -> None:
        """Have a look of a watcher take it."""
        about = self.about and About(self.about.words, f"{self.about.text}\nWhat to do: {self.kind.remedy}".lstrip())
        watching.observe(self.key, self.observation, self.place, about, self.causes)

    @property
    def place(self) -> Place:
        """Where people find it among the alerts: under the pipeline's own name, by kind of subject."""
        return Place(PIPELINE, self.subject.partition("/")[0])


def clear(kind: Kind, subject: str, at_ms: int, part: str = "") -> Seen:
    """All is well."""
    return Seen(kind, subject, Observation(at_ms, Severity.CLEAR), part=part)


def bad(kind: Kind, subject: str, at_ms: int, severity: Severity, about: About, since_ms: int | None = None) -> Seen:
    """It is not."""
    return Seen(kind, subject, Observation(at_ms, severity, started_ms=since_ms), about)


def by_age(since_ms: int, now_ms: int) -> Severity:
    """A warning, which becomes critical."""
    return Severity.CRITICAL if now_ms - since_ms >= ESCALATES_MS else Severity.WARNING
