"""Telling people: what waits in the outbox is grouped, sent and only then taken out.

A crash between the sending and the taking out sends a notification again, under the same id, by which a subscriber can
tell. Everything else is sent once.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from iot_pipeline.alerting.episodes import Item, describe, iso
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import AlertsTable, first_covering

# SNS API, Publish: a subject has fewer than 100 characters, a message at most 256 KB.
MAX_SUBJECT = 99
_LISTED = 50
REMINDER = "reminder"
# How long an episode that nobody has acknowledged stays quiet before people are reminded of it.
REPEAT_MS = {Severity.WARNING: 24 * 3_600_000, Severity.CRITICAL: 3_600_000}


@dataclass(frozen=True)
class Notification:
    """What is published once: `what` became of episodes of one rule at one site."""

    id: str
    severity: Severity
    subject: str
    text: str
    data: dict[str, Any]


Publish = Callable[[Notification], None]


@dataclass
class Told:
    """What one emptying of the outbox did."""

    notifications: int = 0
    episodes: int = 0
    held_back: int = 0


def empty_outbox(table: AlertsTable, publish: Publish, now_ms: int) -> Told:
    """Send what waits, grouped by tenant, site, rule, severity and what became of it.

    What planned work covers is not sent while that lasts: it waits until the silence ends, and is dropped if it is over
    by then. Raises what `publish` raises; what was not sent stays where it is.
    """
    told = Told()
    silences = table.silences()
    groups: dict[tuple[str, ...], list[tuple[Item, Item]]] = {}
    done: dict[str, Item] = {}
    for episode in table.pending():
        covering = first_covering(silences, episode, now_ms)
        if covering is not None:
            if episode["status"] == "resolved":
                table.settle(episode, now_ms, held_by=f"silence/{covering.id}")
            told.held_back += 1
            continue
        done[episode["id"]] = episode
        for note in episode["outbox"]:
            severity = str(note.get("severity", episode["severity"]))
            key = (episode["tenant"], episode["site"], episode["rule"], severity, note["what"])
            groups.setdefault(key, []).append((episode, note))
    for (tenant, site, rule, severity, what), members in groups.items():
        publish(notification(tenant, site, rule, Severity(int(severity)), what, members))
        told.notifications += 1
    for episode in done.values():
        table.settle(episode, now_ms)
        told.episodes += 1
    return told


def notification(
    tenant: str, site: str, rule: str, severity: Severity, what: str, members: Sequence[tuple[Item, Item]]
) -> Notification:
    """The notification of a group of episodes, each with its note. Its id follows from theirs."""
    ids = sorted(f"{episode['id']}:{what}:{note['at_ms']}" for episode, note in members)
    digest = ids[0] if len(ids) == 1 else hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
    first = members[0][0]
    where = "/".join(part for part in (tenant, site) if part)
    who = (first["device"] or where) if len(members) == 1 else f"{len(members)} at {where}"
    subject = f"[{severity.label}] {rule} {what}: {who}"
    lines = [f"{what} {iso(int(note['at_ms']))}: {describe(episode)}" for episode, note in members[:_LISTED]]
    if len(members) > _LISTED:
        lines.append(f"... and {len(members) - _LISTED} more")
    lines.append("")
    lines.append(f"`python -m iot_pipeline.edge rules {rule}` says what the rule means and what to do.")
    data = {
        "id": digest,
        "what": what,
        "severity": severity.label,
        "tenant": tenant,
        "site": site,
        "rule": rule,
        "episodes": [
            {
                "id": e["id"],
                "device": e["device"],
                "metric": e["metric"],
                "since_ms": e["opened_ms"],
                "at_ms": n["at_ms"],
            }
            for e, n in members[:_LISTED]
        ],
        "trace": first.get("trace"),
    }
    return Notification(digest, severity, subject[:MAX_SUBJECT], "\n".join(lines), data)


def sns_publisher(sns: Any, topics: dict[Severity, str]) -> Publish:
    """Publishes to the topic of a severity: text for people, JSON for programs."""

    def publish(message: Notification) -> None:
        data = json.dumps(message.data, separators=(",", ":"))
        sns.publish(
            TopicArn=topics[message.severity],
            Subject=message.subject,
            MessageStructure="json",
            Message=json.dumps({"default": data, "email": message.text, "sms": message.subject}),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in (
                    ("id", message.id),
                    ("what", message.data["what"]),
                    ("severity", message.severity.label),
                    ("tenant", message.data["tenant"]),
                    ("rule", message.data["rule"]),
                )
            },
        )

    return publish


def remind(table: AlertsTable, tenants: Sequence[str], now_ms: int) -> int:
    """Put a reminder into the outbox of each open episode that nobody has acknowledged for REPEAT_MS; how many."""
    reminded = 0
    for tenant in tenants:
        for episode in table.open(tenant):
            if "acknowledged_by" in episode or "outbox" in episode or "parent" in episode:
                continue
            last = max(int(episode.get(name, 0)) for name in ("notified_ms", "reminded_ms", "recorded_ms"))
            if now_ms - last >= REPEAT_MS[Severity(int(episode["severity"]))]:
                table.note(episode["id"], REMINDER, now_ms)
                reminded += 1
    return reminded
