"""Episodes as a fold over the past finds them, for a dry run and for a replay of the log."""

from dataclasses import dataclass

from iot_pipeline.alerting.lifecycle import Severity, Transition, What


@dataclass
class PastEpisode:
    """An episode, from the transition that opened it; `resolved_ms` None: still open at the end."""

    first: Transition
    severity: Severity
    worst: float | None
    resolved_ms: int | None = None

    @property
    def device(self) -> str:
        """The device that it is about."""
        return self.first.key.subject.rpartition("/")[2]


class PastEpisodes(dict[str, PastEpisode]):
    """Episodes by id."""

    def note(self, transition: Transition) -> None:
        """Take the next transition."""
        if transition.what is What.OPENED:
            self[transition.episode] = PastEpisode(transition, transition.severity, transition.worst)
        episode = self[transition.episode]
        episode.severity = transition.severity
        episode.worst = transition.worst
        if transition.what is What.RESOLVED:
            episode.resolved_ms = transition.at_ms
