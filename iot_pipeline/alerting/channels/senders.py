"""Sending a message to a channel of any kind, and what its answer means: told, perhaps later, or never."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from iot_pipeline.alerting.channels.document import Channel, ChannelKind
from iot_pipeline.alerting.channels.formats import pagerduty, slack, teams
from iot_pipeline.alerting.channels.message import Message
from iot_pipeline.alerting.channels.posting import Answer, UnreachableError, post
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.notifications import MAX_SUBJECT, Notification, Publish

# How long a channel may take for one message.
SECONDS = 10.0
# RFC 9110 and 6585: the same request may succeed later. All other answers from 300 to 499 will stay as they are.
_LATER = frozenset((408, 425, 429))
_MAX_REASON = 300
_THROTTLED = frozenset(("Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException"))
_SEVERITIES = {each.label: each for each in Severity}
_FORMATS: dict[ChannelKind, Callable[[Message], dict[str, Any]]] = {
    ChannelKind.SLACK: slack.rendered,
    ChannelKind.TEAMS: teams.rendered,
    ChannelKind.PAGERDUTY: pagerduty.rendered,
    ChannelKind.SNS: lambda message: message.data,
}


class Result(Enum):
    """What became of an attempt."""

    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """The result with its reason, and for how long the channel asked to be left alone, if it did."""

    result: Result
    reason: str = ""
    pause_ms: int | None = None


Send = Callable[[Channel, Message], Outcome]


def sender(publish: Publish, seconds: float = SECONDS) -> Send:
    """Sends to any channel; `publish` is for those of SNS."""

    def send(channel: Channel, message: Message) -> Outcome:
        if channel.kind is ChannelKind.SNS:
            return _published(publish, message)
        url, body = channel.address, payload(channel, message)
        if channel.kind is ChannelKind.PAGERDUTY:
            url, body = pagerduty.url(url, message), {**body, "routing_key": channel.routing_key}
        try:
            answer = post(url, body, seconds)
        except UnreachableError as error:
            return Outcome(Result.LATER, channel.masked(str(error))[:_MAX_REASON])
        return _meant(channel, answer)

    return send


def payload(channel: Channel, message: Message) -> dict[str, Any]:
    """What a channel gets, without its secrets."""
    return _FORMATS[channel.kind](message)


def _meant(channel: Channel, answer: Answer) -> Outcome:
    if 200 <= answer.status < 300:
        return Outcome(Result.SENT)
    reason = channel.masked(f"HTTP {answer.status}: {' '.join(answer.body.split())}")[:_MAX_REASON]
    if answer.status in _LATER or answer.status >= 500:
        return Outcome(Result.LATER, reason, _pause_ms(answer.retry_after))
    return Outcome(Result.REFUSED, reason)


def _pause_ms(retry_after: str | None) -> int | None:
    """RFC 9110, `Retry-After`: seconds, or a date. None for anything else."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return int(text) * 1000
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    zoned = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0, round((zoned.timestamp() - time.time()) * 1000))


def _published(publish: Publish, message: Message) -> Outcome:
    try:
        subject = message.title[:MAX_SUBJECT]
        told = Notification(message.id, _SEVERITIES[message.severity], subject, message.text, message.data)
        publish(told)
    except ClientError as error:
        status = int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        may_be = status >= 500 or error.response["Error"]["Code"] in _THROTTLED
        return Outcome(Result.LATER if may_be else Result.REFUSED, str(error)[:_MAX_REASON])
    except BotoCoreError as error:
        return Outcome(Result.LATER, str(error)[:_MAX_REASON])
    return Outcome(Result.SENT)
