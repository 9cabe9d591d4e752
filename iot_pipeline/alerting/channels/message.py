"""What a channel is told, whatever it speaks: who renders it needs nothing else."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from iot_pipeline.alerting.episodes import Item, describe, iso
from iot_pipeline.alerting.notifications import Notification
from iot_pipeline.alerting.rule_kinds import KINDS
from iot_pipeline.alerting.table import PIPELINE

# Of more episodes than this a message gives the number: nobody reads further, and Slack takes 50 blocks.
LISTED = 20
# An address that is longer is text: no channel shows it as a link (a Slack section holds 3,000 characters).
_URL = re.compile(r"https?://\S{1,2000}")
_TO_DO = "What to do: "


@dataclass(frozen=True)
class Message:
    """A title, facts in a fixed order, lines one a device, asset or partition, and links by their names.

    `severity` is a label. `episode` is the one it is about; empty for a group. `text` and `data` are what SNS's
    subscribers get: text for people, and the same for programs.
    """

    id: str
    what: str
    severity: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    source: str = ""
    rule: str = ""
    since: str = ""
    episode: str = ""
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> dict[str, Any]:
        """As JSON holds it, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def decode(cls, held: dict[str, Any]) -> "Message":
        """What `encode` gave, from JSON."""
        pairs = {name: tuple((key, value) for key, value in held.get(name, ())) for name in ("facts", "links")}
        return cls(**{**held, **pairs, "lines": tuple(held.get("lines", ()))})


def of_notification(told: Notification, runbook: str) -> Message:
    """All episodes of a notification in one message. `runbook`: where docs/ is, or empty."""
    return _message(told, told.members, told.id, told.subject, runbook, told.text, told.data)


def of_each(told: Notification, runbook: str) -> list[Message]:
    """A message for each episode of a notification, for channels that follow single ones."""
    found = []
    for episode, note in told.members:
        name = f"{episode['id']}:{told.what}:{note['at_ms']}"
        who = episode.get("about") or episode["device"] or _where(episode)
        title = f"[{told.severity.label}] {episode['rule']} {told.what}: {who}"
        found.append(_message(told, [(episode, note)], name, title, runbook))
    return found


def _message(
    told: Notification,
    members: Sequence[tuple[Item, Item]],
    name: str,
    title: str,
    runbook: str,
    text: str = "",
    data: dict[str, Any] | None = None,
) -> Message:
    episodes = [episode for episode, _ in members]
    first = min(episodes, key=lambda each: int(each["opened_ms"]))
    since = iso(int(first["opened_ms"]))
    details = _Details.of([str(each.get("text", "")) for each in episodes[:LISTED]])
    rule, is_pipeline = str(first["rule"]), first["tenant"] == PIPELINE
    kind = None if is_pipeline else KINDS.get(rule)
    facts = [
        ("What broke", kind.meaning if kind else f"{rule}: {first.get('about') or _where(first)}"),
        ("Since", since),
        ("Where", "the pipeline" if is_pipeline else _where(first, site_only=len(members) > 1)),
        ("Delays downstream", "; ".join(details.delays)),
        ("What to do", details.to_do or (kind.remedy if kind else "")),
    ]
    if "acknowledged_by" in first:
        facts.append(("Acknowledged", f"by {first['acknowledged_by']}: {first.get('acknowledged_reason', '')}"))
    lines = [describe(each) for each in episodes[:LISTED]] + details.others
    if len(members) > LISTED:
        lines.append(f"... and {len(members) - LISTED} more")
    links = [("Dagster", url) for url in details.urls[:1]]
    if runbook:
        page = "pipeline-alerts.md" if is_pipeline else "alert-rules.md"
        links.append(("Runbook", f"{runbook}/{page}"))
    return Message(
        id=name,
        what=told.what,
        severity=told.severity.label,
        title=title,
        facts=tuple((label, value) for label, value in facts if value),
        lines=tuple(lines),
        links=tuple(links),
        source=_where(first),
        rule=rule,
        since=since,
        episode=str(first["id"]) if len(members) == 1 else "",
        text=text,
        data=data or {},
    )


@dataclass
class _Details:
    """What the texts of episodes say, by what kind of thing it is: defs/pipeline_alerts/ writes them so."""

    delays: list[str]
    to_do: str
    urls: list[str]
    others: list[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Details":
        found = cls([], "", [], [])
        for line in dict.fromkeys(line.strip() for text in texts for line in text.splitlines()):
            if line.startswith(_TO_DO):
                found.to_do = line.removeprefix(_TO_DO)
            elif _URL.fullmatch(line):
                found.urls.append(line)
            elif line.startswith("delays ") or " delays " in line:
                found.delays.append(line.removeprefix("delays "))
            elif line:
                found.others.append(line)
        return found


def _where(episode: Item, *, site_only: bool = False) -> str:
    names = (episode["tenant"], episode["site"], "" if site_only else episode["device"])
    return "/".join(str(part) for part in names if part)
