"""A message for a webhook of Teams' Workflows, as an Adaptive Card.

Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams" (a message with one attachment; an older
message card is not taken) and "Limits and specifications for Microsoft Teams": 28 KB, which others measured as 21,000
bytes of payload (the gem msteams_hermes). What comes from outside stands in text runs, which know no Markdown.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from iot_pipeline.alerting.channels.message import Message

MAX_BYTES = 21_000
_MAX_TEXT, _MAX_SHORT = 1_000, 200
_COLOURS = {"critical": "Attention", "warning": "Warning"}
_OF_WHAT = {"resolved": "Good", "acknowledged": "Accent", "quiet_hours": "Default", "digest": "Default"}
# Adaptive Cards schema, version 1.4: the newest that Teams shows on phones too.
_VERSION = "1.4"


def rendered(message: Message) -> dict[str, Any]:
    """The payload; what does not fit is cut from the end, and said."""
    made = _card(message)
    for shorter in _shorter(message):
        if len(json.dumps(made).encode()) <= MAX_BYTES:
            break
        made = _card(shorter)
    return made


def _shorter(message: Message) -> Iterator[Message]:
    """Less and less of a message: fewer lines, then shorter facts, and at last its title alone."""
    count = len(message.lines)
    while count > 0:
        count //= 2
        lines = (*message.lines[:count], f"... and {len(message.lines) - count} more lines")
        yield replace(message, lines=lines)
    facts = tuple((label, value[:_MAX_SHORT]) for label, value in message.facts)
    yield replace(message, lines=("... and more, which is too long for this channel",), facts=facts)
    yield replace(message, lines=("... and more, which is too long for this channel",), facts=(), links=())


def _card(message: Message) -> dict[str, Any]:
    colour = _OF_WHAT.get(message.what) or _COLOURS.get(message.severity, "Default")
    body = [_text(message.title[:_MAX_TEXT], weight="Bolder", size="Large", color=colour)]
    body += [_fact(label, value[:_MAX_TEXT]) for label, value in message.facts]
    body += [_text(line[:_MAX_TEXT]) for line in message.lines]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": _VERSION,
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in message.links],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _fact(label: str, value: str) -> dict[str, Any]:
    inlines = [{"type": "TextRun", "text": f"{label}: ", "weight": "Bolder"}, {"type": "TextRun", "text": value}]
    return {"type": "RichTextBlock", "inlines": inlines}
