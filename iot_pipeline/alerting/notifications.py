"""Telling people: what waits in the outbox is grouped, sent and only then taken out.

What is about to be sent is written down first, notification by notification noted as sent, and crossed out when all is
done. So a crash right after a sending sends that one notification again as it was, under the same id, by which a
subscriber can tell, whatever has come in meanwhile. Everything else is sent once.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iot_pipeline.alerting.episodes import ACKNOWLEDGED, Item, describe, iso
from iot_pipeline.alerting.lifecycle import Severity, What
from iot_pipeline.alerting.table import PIPELINE, AlertError, AlertsTable, first_covering

# SNS API, Publish: a subject has fewer than 100 characters, a message at most 256 KB.
MAX_SUBJECT = 99
_LISTED = 50
# As many episodes as are written down in one item of DynamoDB (400 KB), with room for several notes of each.
_AT_ONCE = 1500
_WHAT_TO_DO = "`python -m iot_pipeline.edge rules kinds {rule}` says what the rule means and what to do."
REMINDER = "reminder"
# An episode's beginning is sent before anything else of it, and its end last: whatever closes at an end must be open.
_ORDER = {What.OPENED: 0, What.RESOLVED: 2}
# How long an episode that nobody has acknowledged stays quiet before people are reminded of it.
REPEAT_MS = {Severity.WARNING: 24 * 3_600_000, Severity.CRITICAL: 3_600_000}


@dataclass(frozen=True)
class Notification:
    """What is published once: `what` became of episodes of one rule at one site.

    `members` are all of them, each with its note; text and data list the first.
    """

    id: str
    severity: Severity
    subject: str
    text: str
    data: dict[str, Any]
    members: Sequence[tuple[Item, Item]] = field(default=(), repr=False)

    @property
    def what(self) -> str:
        """What became of them."""
        return str(self.data["what"])


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
    by then. Raises the first error of `publish` once all else is sent; what was not sent stays where it is.
    """
    told = Told()
    interrupted = table.written_down()
    if interrupted is not None:
        plan = _Plan(**json.loads(interrupted))
        _carry_out(table, publish, plan, dict(_kept(table, plan.notes)), now_ms, told, table.sent_of(plan.name))
    silences = table.silences()
    episodes: dict[str, Item] = {}
    for episode in table.pending():
        covering = first_covering(silences, episode, now_ms)
        if covering is None:
            episodes[episode["id"]] = episode
            if len(episodes) == _AT_ONCE:
                break
        else:
            if episode["status"] == "resolved":
                table.settle(episode["id"], episode["outbox"], now_ms, held_by=f"silence/{covering.id}")
            told.held_back += 1
    if episodes:
        plan = _planned(episodes)
        table.write_down(plan.text)
        _carry_out(table, publish, plan, episodes, now_ms, told, set())
    return told


@dataclass
class _Plan:
    """What is to be sent, as it is written down before it is.

    `groups`: tenant, site, rule, severity, what, and the episodes' ids, each with the time of its note. `notes`: what
    is to be taken out of each episode's outbox, and goes once all its groups are sent.
    """

    groups: list[Any]
    notes: dict[str, list[Item]]

    @property
    def text(self) -> str:
        return json.dumps(vars(self), separators=(",", ":"))

    @property
    def name(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]


def _planned(episodes: Mapping[str, Item]) -> _Plan:
    groups: dict[tuple[Any, ...], list[tuple[str, int]]] = {}
    for episode in episodes.values():
        for note in episode["outbox"]:
            severity = int(note.get("severity", episode["severity"]))
            key = (episode["tenant"], episode["site"], episode["rule"], severity, note["what"])
            groups.setdefault(key, []).append((episode["id"], note["at_ms"]))
    notes = {
        name: [{"what": note["what"], "at_ms": note["at_ms"]} for note in episode["outbox"]]
        for name, episode in episodes.items()
    }
    ordered = sorted(groups.items(), key=lambda group: _ORDER.get(group[0][-1], 1))
    return _Plan([[*key, members] for key, members in ordered], notes)


def _carry_out(
    table: AlertsTable,
    publish: Publish,
    plan: _Plan,
    episodes: Mapping[str, Item],
    now_ms: int,
    told: Told,
    sent: set[int],
) -> None:
    failures: list[Exception] = []
    unsent = []
    plan_name = plan.name
    for number, group in enumerate(plan.groups):
        if number in sent:
            continue
        tenant, site, rule, severity, what, members = group
        found = [(episodes[name], {"at_ms": at_ms}) for name, at_ms in members if name in episodes]
        if not found:
            continue
        try:
            publish(notification(tenant, site, rule, Severity(severity), what, found))
        except Exception as error:  # noqa: BLE001  whatever hinders one must not have the others sent again
            failures.append(error)
            unsent.append(group)
        else:
            told.notifications += 1
            sent.add(number)
            table.note_sent(plan_name, sorted(sent))
    waiting = {name for group in unsent for name, _ in group[-1]}
    for name, notes in plan.notes.items():
        if name not in waiting:
            table.settle(name, notes, now_ms)
            told.episodes += 1
    if failures:
        table.write_down(_Plan(unsent, {name: notes for name, notes in plan.notes.items() if name in waiting}).text)
        raise failures[0]
    table.cross_out()


def _kept(table: AlertsTable, episodes: Iterable[str]) -> Iterator[tuple[str, Item]]:
    """Episodes as they are; of one that has expired since there is nothing to tell any more."""
    for episode in episodes:
        try:
            yield episode, table.get(episode)
        except AlertError:
            continue


def notification(
    tenant: str, site: str, rule: str, severity: Severity, what: str, members: Sequence[tuple[Item, Item]]
) -> Notification:
    """The notification of a group of episodes, each with its note. Its id follows from theirs."""
    ids = sorted(f"{episode['id']}:{what}:{note['at_ms']}" for episode, note in members)
    digest = ids[0] if len(ids) == 1 else hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
    first = members[0][0]
    where = "/".join(part for part in (tenant, site) if part)
    who = (first.get("about") or first["device"] or where) if len(members) == 1 else f"{len(members)} at {where}"
    subject = f"[{severity.label}] {rule} {what}: {who}"
    lines = []
    for episode, note in members[:_LISTED]:
        lines.append(f"{what} {iso(int(note['at_ms']))}: {describe(episode)}")
        lines += [f"    {line}" for line in episode.get("text", "").splitlines()]
    if len(members) > _LISTED:
        lines.append(f"... and {len(members) - _LISTED} more")
    lines += ["", _WHAT_TO_DO.format(rule=rule) if tenant != PIPELINE else f"docs/pipeline-alerts.md, `{rule}`."]
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
    return Notification(digest, severity, subject[:MAX_SUBJECT], "\n".join(lines), data, members)


def sns_publisher(sns: Any, topics: dict[Severity, str]) -> Publish:
    """Publishes to the topic of a severity: text for people, JSON for programs.

    That somebody has acknowledged an episode is not published: mail would only tell it to that person.
    """

    def publish(message: Notification) -> None:
        if message.what == ACKNOWLEDGED:
            return
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
