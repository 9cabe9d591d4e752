"""Messages about many episodes at once: what quiet hours held back, and the digest of a day."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from iot_pipeline.alerting.channels.message import LISTED, Message
from iot_pipeline.alerting.episodes import Item, describe, iso
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.table import PIPELINE

QUIET_HOURS, DIGEST = "quiet_hours", "digest"
# SNS takes no empty attribute.
_ALL = "all"


@dataclass(frozen=True)
class Held:
    """An episode of which something was held back: as it is now, and what its notes said had become of it."""

    episode: Item
    notes: frozenset[str]

    @property
    def is_open(self) -> bool:
        """Whether it is still so."""
        return bool(self.episode["status"] != "resolved")


def of_quiet_hours(name: str, held: Sequence[Held], notifications: int) -> Message:
    """What was held back, grouped: what is still open first, and one line for each that is over."""
    is_open = sorted((each for each in held if each.is_open), key=lambda each: -int(each.episode["severity"]))
    over = [each for each in held if not each.is_open]
    lines = [f"still open: {describe(each.episode)}" for each in is_open[:LISTED]]
    lines += _more(len(is_open), "are still open")
    lines += [_was(each) for each in over[:LISTED]] + _more(len(over), "are over")
    title = f"[quiet hours] {len(is_open)} alerts still open, {len(over)} over"
    worst = max((int(each.episode["severity"]) for each in is_open), default=0)
    severity = Severity(max(worst, Severity.WARNING))
    return _message(name, QUIET_HOURS, title, severity, [("Held back", f"{notifications} notifications")], lines)


def _was(held: Held) -> str:
    episode = held.episode
    resolved = iso(int(episode["resolved_ms"])) if "resolved_ms" in episode else "meanwhile"
    begun = "opened and resolved meanwhile, " if "opened" in held.notes else ""
    return f"{begun}resolved {resolved}: {describe(episode)}"


def digest(
    name: str, day: str, changed: Iterable[Item], still_open: Sequence[Item], since_ms: int, until_ms: int, held: int
) -> Message:
    """What opened and was resolved from one moment to another, and what is open, by severity, site and kind."""
    episodes = list(changed)
    opened = [each for each in episodes if since_ms <= int(each["recorded_ms"]) < until_ms]
    resolved = [each for each in episodes if since_ms <= int(each.get("resolution_ms", 0)) < until_ms]
    title = f"[digest] {day}: {len(opened)} opened, {len(resolved)} resolved, {len(still_open)} still open"
    facts = [
        ("From", f"{iso(since_ms)} to {iso(until_ms)}"),
        ("Opened", _by_severity(opened)),
        ("Resolved", _by_severity(resolved)),
        ("Still open", _by_severity(still_open)),
        ("Held back in quiet hours", f"{held} notifications"),
    ]
    lines = _table(opened, resolved, still_open)
    worst_first = sorted(still_open, key=lambda each: (-int(each["severity"]), int(each["opened_ms"])))
    lines += [f"open: {describe(each)}" for each in worst_first[:LISTED]] + _more(len(still_open), "are open")
    return _message(name, DIGEST, title, Severity.WARNING, facts, lines)


def _by_severity(episodes: Iterable[Item]) -> str:
    counts = Counter(Severity(int(each["severity"])).label for each in episodes)
    parts = ", ".join(f"{counts[each.label]} {each.label}" for each in reversed(Severity) if counts[each.label])
    return f"{counts.total()} ({parts})" if parts else "0"


def _table(opened: Iterable[Item], resolved: Iterable[Item], still_open: Iterable[Item]) -> list[str]:
    """A line for each site and kind, the busiest first."""
    counts = [Counter((_site(each), str(each["rule"])) for each in group) for group in (opened, resolved, still_open)]
    rows = sorted(set().union(*counts), key=lambda row: (-sum(each[row] for each in counts), row))
    lines = [
        f"{site} {rule}: {counts[0][site, rule]} opened, {counts[1][site, rule]} resolved, {counts[2][site, rule]} open"
        for site, rule in rows[:LISTED]
    ]
    return lines + _more(len(rows), "sites and kinds")


def _site(episode: Item) -> str:
    return "pipeline" if episode["tenant"] == PIPELINE else f"{episode['tenant']}/{episode['site']}"


def _more(count: int, what: str) -> list[str]:
    return [f"... and {count - LISTED} more {what}"] if count > LISTED else []


def _message(
    name: str, what: str, title: str, severity: Severity, facts: Sequence[tuple[str, str]], lines: Sequence[str]
) -> Message:
    data = {"id": name, "what": what, "severity": severity.label, "tenant": _ALL, "rule": what}
    text = "\n".join([*(f"{label}: {value}" for label, value in facts), "", *lines])
    return Message(
        id=name,
        what=what,
        severity=severity.label,
        title=title,
        facts=tuple(facts),
        lines=tuple(lines),
        rule=what,
        text=text,
        data=data,
    )
