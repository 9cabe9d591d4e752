"""The channels' configuration: one JSON document, read into types, or refused with everything that is wrong with it.

{
  "runbook": "https://git.example/iot_pipeline/docs",
  "channels": [
    {"name": "mail", "kind": "sns"},
    {"name": "ops", "kind": "slack", "address": "https://hooks.slack.com/services/...",
     "minimum_severity": "warning", "alerts": ["pipeline", "site_silence"],
     "quiet_hours": {"zone": "Europe/Zurich", "from": "22:00", "to": "06:30", "breaks_through": "critical"},
     "digest": {"zone": "Europe/Zurich", "at": "08:00"}},
    {"name": "on-call", "kind": "pagerduty", "routing_key": "...", "minimum_severity": "critical"}
  ]
}
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from iot_pipeline.alerting.channels.fields import Fields
from iot_pipeline.alerting.channels.wall_clock import Daily, QuietHours
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import PIPELINE

# As many as the function that delivers has places, so that all may hang and each still has its own.
MAX_CHANNELS = 10
# Alerts of devices and of the pipeline; beside these two `alerts` takes kinds by their names.
DEVICE_ALERTS, PIPELINE_ALERTS = "device", "pipeline"
# PagerDuty Events API v2 overview; a service in the EU has events.eu.pagerduty.com, which `address` says.
PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_NAME = re.compile("[a-z][a-z0-9-]{0,31}")
_KIND_OF_ALERT = re.compile("[a-z][a-z0-9_]{0,63}")
# "The 32 character Integration Key" (PagerDuty, Send an Alert Event); a ruleset's begins with R, and has 32 too.
_ROUTING_KEY = re.compile("[0-9A-Za-z]{32}")
_SEVERITIES = {each.label: each for each in (Severity.WARNING, Severity.CRITICAL)}


class ChannelKind(StrEnum):
    """What a channel speaks."""

    SNS = "sns"
    SLACK = "slack"
    TEAMS = "teams"
    PAGERDUTY = "pagerduty"


class ChannelsError(ValueError):
    """The document cannot be taken: every fault, each with its channel, its field, and what was expected."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Channel:
    """One way to reach people. `address` and `routing_key` are secrets, and in no representation."""

    name: str
    kind: ChannelKind
    address: str = field(default="", repr=False)
    routing_key: str = field(default="", repr=False)
    minimum: Severity = Severity.WARNING
    alerts: frozenset[str] = frozenset((DEVICE_ALERTS, PIPELINE_ALERTS))
    quiet: QuietHours | None = None
    digest: Daily | None = None

    def wants(self, severity: Severity, tenant: str, rule: str) -> bool:
        """Whether it is to be told of an alert."""
        family = PIPELINE_ALERTS if tenant == PIPELINE else DEVICE_ALERTS
        return severity >= self.minimum and bool(self.alerts & {family, rule})

    def masked(self, text: str) -> str:
        """A text without this channel's secrets."""
        for secret in (self.address, self.routing_key):
            text = text.replace(secret, "***") if secret else text
        return text


@dataclass(frozen=True)
class Document:
    """The channels of a deployment. `runbook`: where people read the pages of docs/; empty if nobody said."""

    channels: tuple[Channel, ...]
    runbook: str = ""

    def channel(self, name: str) -> Channel | None:
        """The channel of a name."""
        return next((each for each in self.channels if each.name == name), None)


def parsed(text: str) -> Document:
    """The document of a text. Raises ChannelsError with all that is wrong."""
    try:
        given = json.loads(text)
    except ValueError as error:
        # The parser's own words would quote the secrets around the place.
        where = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its text"
        raise ChannelsError([f"the document is no JSON: look at {where}"]) from None
    faults: list[str] = []
    fields = Fields("the document", given, faults)
    listed = fields.objects("channels")
    channels = [_channel(_called(number, each), each, faults) for number, each in enumerate(listed, 1)]
    runbook = fields.url("runbook", default="").rstrip("/")
    fields.nothing_else()
    names = [each.name for each in channels if each is not None]
    faults += [
        f"channel {name!r}: its name is that of {names.count(name)} channels; give each its own"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if len(listed) > MAX_CHANNELS:
        faults.append(f"the document has {len(listed)} channels; at most {MAX_CHANNELS} are delivered side by side")
    if faults:
        raise ChannelsError(faults)
    return Document(tuple(each for each in channels if each is not None), runbook)


def _called(number: int, given: Any) -> str:
    name = given.get("name") if isinstance(given, Mapping) else None
    return f"channel {name!r}" if isinstance(name, str) else f"channel number {number}"


def _channel(where: str, given: Any, faults: list[str]) -> Channel | None:
    fields = Fields(where, given, faults)
    before = len(faults)
    name = fields.text("name", _NAME, "at most 32 of a-z, 0-9 and -, a letter first, such as 'on-call'")
    kind = fields.choice("kind", {each.value: each for each in ChannelKind})
    address = routing_key = ""
    if kind is ChannelKind.PAGERDUTY:
        routing_key = fields.text(
            "routing_key", _ROUTING_KEY, "the 32 letters and digits of an Events API v2 integration", secret=True
        )
        address = fields.url("address", default=PAGERDUTY, ends="/v2/enqueue", secret=True)
    elif kind in (ChannelKind.SLACK, ChannelKind.TEAMS):
        address = fields.url("address", secret=True)
    elif kind is None:
        fields.leave_out("address", "routing_key")
    minimum = fields.choice("minimum_severity", _SEVERITIES, Severity.WARNING)
    alerts = fields.names(
        "alerts", _KIND_OF_ALERT, "'device', 'pipeline' or kinds of alerts", (DEVICE_ALERTS, PIPELINE_ALERTS)
    )
    quiet = _quiet(fields.part("quiet_hours"))
    digest = _daily(fields.part("digest"))
    fields.nothing_else()
    if len(faults) > before or kind is None or minimum is None:
        return None
    return Channel(name, kind, address, routing_key, minimum, frozenset(alerts), quiet, digest)


def _quiet(fields: Fields | None) -> QuietHours | None:
    if fields is None:
        return None
    zone, begin, end = fields.zone("zone"), fields.time("from"), fields.time("to")
    through = fields.choice("breaks_through", _SEVERITIES | {"nothing": Severity.CLEAR}, Severity.CRITICAL)
    fields.nothing_else()
    if zone is None or begin is None or end is None:
        return None
    if begin == end:
        fields.fault("to", f"{end:%H:%M}", "another time than `from`: all day would be quiet")
    return QuietHours(zone, begin, end, through or None)


def _daily(fields: Fields | None) -> Daily | None:
    if fields is None:
        return None
    zone, at = fields.zone("zone"), fields.time("at")
    fields.nothing_else()
    return None if zone is None or at is None else Daily(zone, at)
