"""A message for a Slack incoming webhook, in Block Kit.

Limits: docs.slack.dev, "Block Kit reference" (a header's text 150 characters, a section's 3,000, 50 blocks a message)
and "Formatting message text" (what has to be escaped). Beyond some 13,000 characters in all blocks together Slack
answers `msg_blocks_too_long` whatever the single ones have (slackapi/bolt-js issue 2509).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from iot_pipeline.alerting.channels.message import Message

MAX_HEADER, MAX_SECTION, MAX_BLOCKS, MAX_TOTAL = 150, 3_000, 50, 12_000
_MARKS = {"critical": "\N{LARGE RED CIRCLE}", "warning": "\N{LARGE ORANGE CIRCLE}"}
_OF_WHAT = {
    "resolved": "\N{LARGE GREEN CIRCLE}",
    "acknowledged": "\N{EYES}",
    "quiet_hours": "\N{SUNRISE}",
    "digest": "\N{MEMO}",
}


def rendered(message: Message) -> dict[str, Any]:
    """The payload. `text` is what a notification on a phone shows."""
    mark = _OF_WHAT.get(message.what) or _MARKS.get(message.severity, "\N{MEMO}")
    title = _cut(f"{mark} {message.title}", MAX_HEADER)
    facts = [f"*{escaped(label)}*: {escaped(value)}" for label, value in message.facts]
    links = [f"<{url}|{escaped(label)}>" for label, url in message.links if not set(url) & set("|<> ")]
    lines = [*facts, *(f"\N{BULLET} {escaped(line)}" for line in message.lines)]
    if links:
        lines.insert(len(facts), " \N{MIDDLE DOT} ".join(links))
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}}]
    blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in _sections(lines)]
    return {"text": escaped(title), "blocks": blocks}


def escaped(text: str) -> str:
    """A text in which Slack sees no link, no mention and no `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sections(lines: Iterable[str]) -> Iterator[str]:
    """Lines as the texts of sections; those that do not fit any more are counted."""
    section, total, sections = "", 0, 0
    waiting = list(lines)
    for number, line in enumerate(waiting):
        text = _cut(line, MAX_SECTION)
        if total + len(text) > MAX_TOTAL or sections >= MAX_BLOCKS - 3:
            section += f"\n... and {len(waiting) - number} more lines"
            break
        if section and len(section) + 1 + len(text) > MAX_SECTION - len("\n... and 999 more lines"):
            yield section
            section, sections = "", sections + 1
        section = f"{section}\n{text}".lstrip("\n")
        total += len(text) + 1
    if section:
        yield section


def _cut(text: str, limit: int) -> str:
    """At most so many characters, and no half of an escaped one at the end."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 4]
    last = kept.rfind("&")
    if last >= 0 and ";" not in kept[last:] and len(kept) - last < len("&amp;"):
        kept = kept[:last]
    return f"{kept} ..."
