"""What the clock brings: the end of quiet hours, at which what they held back is told, and the digest of each day.

Called by one process at a time, each minute. Every step may be the last before a crash: what is written is written
once, by its id, and the next call goes on from there.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from iot_pipeline.alerting.channels.channel_letters import Letter, Letters, Place, letter
from iot_pipeline.alerting.channels.channel_state import ChannelStates
from iot_pipeline.alerting.channels.document import Channel, ChannelKind
from iot_pipeline.alerting.channels.summaries import Held, digest, of_quiet_hours
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import AlertError, AlertsTable

# As many letters as one summary speaks for; what is more gets another.
AT_ONCE = 500


class Clockwork:
    """Writes letters that no notification causes."""

    def __init__(self, letters: Letters, states: ChannelStates, alerts: AlertsTable, now_ms: int) -> None:
        self._letters, self._states, self._alerts = letters, states, alerts
        self._now_ms, self._now = now_ms, datetime.fromtimestamp(now_ms / 1000, UTC)

    def tick(self, channel: Channel) -> None:
        """Write what is due for a channel. Raises botocore's errors."""
        for begun in list(self._letters.all(channel.name, Place.GATHERING)):
            self._gathered(begun)
        if channel.quiet is None or not channel.quiet.is_quiet(self._now):
            # The index may still show what has just been told: then it would be told twice.
            seen = islice(self._letters.all(channel.name, Place.HELD), AT_ONCE)
            held = [each for each in seen if self._letters.stands(each, Place.HELD)]
            if held:
                self._end_quiet_hours(channel, held)
        if channel.digest is not None:
            self._digest(channel)

    def _end_quiet_hours(self, channel: Channel, held: Sequence[Letter]) -> None:
        notes: dict[str, set[str]] = defaultdict(set)
        last: dict[str, Letter] = {}
        for kept in held:
            for name in kept.episodes:
                notes[name].add(kept.message.what)
                last[name] = kept
        found = [each for each in (self._held(name, frozenset(what)) for name, what in notes.items()) if each]
        told = [kept.id for kept in held]
        if channel.kind is ChannelKind.PAGERDUTY:
            # What is still so becomes an incident now; what is over is told beside them.
            for each in found:
                if each.is_open:
                    released = last[each.episode["id"]]
                    self._letters.move(released, Place.HELD, Place.WAITING, self._now_ms)
                    told.remove(released.id)
            found = [each for each in found if not each.is_open]
        if not found:
            for name in told:
                self._letters.told(channel.name, name)
            return
        digest_of_ids = hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()[:32]
        message = of_quiet_hours(f"quiet/{digest_of_ids}", found, len(told))
        episodes = [str(each.episode["id"]) for each in found if each.is_open]
        summary = letter(channel.name, message, episodes, self._now_ms)
        begun = replace(summary, tells=tuple(told))
        self._letters.write(begun, Place.GATHERING)
        self._gathered(begun)

    def _gathered(self, begun: Letter) -> None:
        """Mark what a summary speaks for as told, and only then let the summary go."""
        for name in begun.tells:
            self._letters.told(begun.channel, name)
        self._letters.move(begun, Place.GATHERING, Place.WAITING, self._now_ms)

    def _held(self, episode: str, notes: frozenset[str]) -> Held | None:
        """None for an episode that has expired since."""
        try:
            return Held(self._alerts.get(episode), notes)
        except AlertError:
            return None

    def _digest(self, channel: Channel) -> None:
        if channel.digest is None:
            return
        moment = channel.digest.last(self._now)
        moment_ms = round(moment.timestamp() * 1000)
        before_ms = self._states.get(channel.name).digest_ms
        if before_ms is not None and before_ms < moment_ms:
            day = f"{moment.astimezone(channel.digest.zone):%Y-%m-%d %H:%M %Z}"
            wanted = [each for each in self._alerts.changed(before_ms, self._now_ms) if self._concerns(channel, each)]
            still_open = [each for each in self._alerts.all_open() if self._concerns(channel, each)]
            held = self._letters.count_told(channel.name, before_ms)
            message = digest(f"digest/{moment_ms}", day, wanted, still_open, before_ms, moment_ms, held)
            self._letters.write(letter(channel.name, message, [], self._now_ms))
        if before_ms != moment_ms:
            # The first look only notes when the next one is due: nothing is told of the time before the channel was.
            self._states.had_digest(channel.name, moment_ms)

    @staticmethod
    def _concerns(channel: Channel, episode: dict[str, object]) -> bool:
        """Whether an item is an episode that people were told of, or would have been, by this channel."""
        if "rule" not in episode or episode.get("is_history"):
            return False
        severity = int(str(episode["severity"]))
        return channel.wants(Severity(severity), str(episode["tenant"]), str(episode["rule"]))
