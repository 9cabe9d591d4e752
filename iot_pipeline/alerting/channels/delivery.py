"""Sending one channel's letters: each once, in the order of their episodes, again later where that may help.

A letter is claimed before it is sent and noted as sent after it, so a sender that is killed repeats the one that it was
at, and no other. One sender a channel is at work at a time; other channels do not meet it.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from iot_pipeline.alerting.channels.channel_letters import Letter, Letters, Place
from iot_pipeline.alerting.channels.channel_state import ChannelStates
from iot_pipeline.alerting.channels.document import Channel
from iot_pipeline.alerting.channels.senders import Outcome, Result, Send, payload

# How long after the n-th attempt the next one may be made: doubled each time, up to the second of the two. PagerDuty
# wants "a backoff of a few minutes" (Events API v2 overview).
FIRST_PAUSE_MS, MAX_PAUSE_MS = 30_000, 15 * 60_000
# For how long it is tried at all; for as long a channel may ask to be left alone.
GIVE_UP_MS = 6 * 3_600_000
# So often in a row a channel may fail before it is left alone for a while, whatever else waits for it.
FAILURES = 3
# Beyond the time that one call may take (infra/stacks/edge/functions.py): after it another may send.
LEASE_MS = 60_000
log = logging.getLogger(__name__)


@dataclass
class Delivered:
    """What one call did for a channel. `oldest_ms`: for how long the oldest letter that it tried had been due."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    oldest_ms: int = 0


GiveUp = Callable[[dict[str, Any]], None]


class Deliverer:
    """Sends what waits for a channel. `keep` takes each dead letter; `clock` gives epoch milliseconds."""

    def __init__(
        self, letters: Letters, states: ChannelStates, send: Send, keep: GiveUp, clock: Callable[[], int]
    ) -> None:
        self._letters, self._states, self._send = letters, states, send
        self._keep, self._clock = keep, clock

    def run(self, channel: Channel, budget_ms: int) -> Delivered:
        """Send until nothing is due, or nothing new may be begun within the budget. Raises botocore's errors.

        Nothing is done while another call is sending to this channel: that one will find what is due.
        """
        done, begin, holder = Delivered(), self._clock(), uuid.uuid4().hex
        while self._clock() - begin < budget_ms and self._states.get(channel.name).not_before_ms <= self._clock():
            now_ms = self._clock()
            if not self._states.lease(channel.name, holder, now_ms, now_ms + LEASE_MS):
                break
            try:
                goes_on = self._round(channel, begin + budget_ms, done)
            finally:
                self._states.release(channel.name, holder)
            # Who asked while this call was at work has gone away: what came with that is this call's to send.
            if not goes_on or not self.is_due(channel.name):
                break
        return done

    def is_due(self, channel: str) -> bool:
        """Whether a letter of a channel may be sent now."""
        return any(True for _ in self._due(channel, set()))

    def _due(self, channel: str, blocked: set[str]) -> Iterator[Letter]:
        """What may be sent now, in order; nothing about an episode of which something earlier still waits.

        `blocked` gets the episodes of what waits; who tries a letter in vain adds its own.
        """
        for letter in self._letters.all(channel, Place.WAITING):
            if letter.due_ms > self._clock() or not blocked.isdisjoint(letter.episodes):
                blocked.update(letter.episodes)
            else:
                yield letter

    def _round(self, channel: Channel, until_ms: int, done: Delivered) -> bool:
        """Try each letter that is due once; False if the channel is to be left alone, or the time is over."""
        state = self._states.get(channel.name)
        failures, blocked = state.failures, set[str]()
        for letter in self._due(channel.name, blocked):
            now_ms = self._clock()
            if now_ms >= until_ms:
                return False
            if not self._letters.claim(letter, now_ms + pause_ms(letter.attempts + 1)):
                blocked.update(letter.episodes)
                continue
            done.oldest_ms = max(done.oldest_ms, now_ms - letter.since_ms)
            outcome = self._send(channel, letter.message)
            if outcome.result is Result.LATER:
                failures += 1
                blocked.update(letter.episodes)
            else:
                failures = 0
            self._settle(channel, letter, outcome, done)
            if outcome.pause_ms is not None or failures >= FAILURES:
                pause = min(pause_ms(failures) if outcome.pause_ms is None else outcome.pause_ms, GIVE_UP_MS)
                self._states.reached(channel.name, failures, self._clock() + pause)
                return False
        if failures != state.failures:
            self._states.reached(channel.name, failures, 0)
        return True

    def _settle(self, channel: Channel, letter: Letter, outcome: Outcome, done: Delivered) -> None:
        now_ms = self._clock()
        if outcome.result is Result.SENT:
            self._letters.sent(letter, now_ms)
            done.sent += 1
            return
        done.failed += 1
        is_too_old = now_ms - letter.since_ms >= GIVE_UP_MS
        log.warning("%s: attempt %d of %s: %s", channel.name, letter.attempts + 1, letter.id, outcome.reason)
        if outcome.result is Result.REFUSED or is_too_old:
            self._keep(dead_letter(channel, letter, outcome))
            self._letters.given_up(letter, now_ms, outcome.reason)
            done.given_up += 1
        elif outcome.pause_ms is not None:
            self._letters.postpone(letter, now_ms + min(outcome.pause_ms, GIVE_UP_MS))


def dead_letter(channel: Channel, letter: Letter, outcome: Outcome) -> dict[str, Any]:
    """What is kept of a letter that is given up: why, what was sent, and what it takes to send it again; no secret."""
    return {
        "letter": letter.id,
        "channel": channel.name,
        "kind": channel.kind.value,
        "reason": outcome.reason,
        "attempts": letter.attempts + 1,
        "payload": payload(channel, letter.message),
        "message": letter.message.encode(),
        "episodes": list(letter.episodes),
    }


def pause_ms(attempts: int) -> int:
    """How long to wait after so many attempts."""
    return int(min(FIRST_PAUSE_MS * 2 ** (max(attempts, 1) - 1), MAX_PAUSE_MS))
