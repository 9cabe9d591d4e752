"""From a notification to letters: which channels want it, and whether it may be told now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from iot_pipeline.alerting.channels.channel_letters import Letters, Place, letter
from iot_pipeline.alerting.channels.document import Channel, ChannelKind, Document
from iot_pipeline.alerting.channels.message import Message, of_each, of_notification
from iot_pipeline.alerting.episodes import ACKNOWLEDGED
from iot_pipeline.alerting.lifecycle import What
from iot_pipeline.alerting.notifications import Notification


class Router:
    """Publishes a notification by writing a letter for each channel that wants it.

    The letters' ids follow from the notification's, so that a crash in between writes none twice.
    """

    def __init__(self, letters: Letters, document: Document, now_ms: int) -> None:
        self._letters, self._document, self._now_ms = letters, document, now_ms
        self._now = datetime.fromtimestamp(now_ms / 1000, UTC)
        self._number = 0
        self.held = 0

    def publish(self, told: Notification) -> None:
        """Write the letters. Raises botocore's errors; what is written by then stays, and is not written again."""
        for channel in self._document.channels:
            if channel.wants(told.severity, told.data["tenant"], told.data["rule"]):
                place = self._place(channel, told)
                for message, episodes in _messages(channel, told, self._document.runbook):
                    self._number += 1
                    new = letter(channel.name, message, episodes, self._now_ms, self._number)
                    self.held += self._letters.write(new, place) and place is Place.HELD

    def _place(self, channel: Channel, told: Notification) -> Place:
        # That an incident is closed or taken on wakes nobody, and PagerDuty drops it if it never knew the incident.
        is_quiet_itself = channel.kind is ChannelKind.PAGERDUTY and told.what in (What.RESOLVED, ACKNOWLEDGED)
        if channel.quiet is None or is_quiet_itself or not channel.quiet.holds(told.severity, self._now):
            return Place.WAITING
        return Place.HELD


def _messages(channel: Channel, told: Notification, runbook: str) -> Sequence[tuple[Message, Sequence[str]]]:
    if channel.kind is ChannelKind.PAGERDUTY:
        # An incident an episode: only so can its end close it.
        return [(message, [message.episode]) for message in of_each(told, runbook)]
    if channel.kind is ChannelKind.SNS and told.what == ACKNOWLEDGED:
        return []
    message = of_notification(told, runbook)
    if channel.kind is not ChannelKind.SNS:
        message = replace(message, text="", data={})
    return [(message, [str(episode["id"]) for episode, _ in told.members])]
