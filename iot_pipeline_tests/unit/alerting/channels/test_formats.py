"""What each kind of channel is sent: the facts of the alert, within the limits of Slack, Teams and PagerDuty."""

import json
from typing import Any

import pytest

from iot_pipeline.alerting.channels.formats import pagerduty, slack, teams
from iot_pipeline.alerting.channels.message import LISTED, Message, of_each, of_notification
from iot_pipeline.alerting.lifecycle import Severity
from iot_pipeline.alerting.notifications import Notification, notification

NOON_MS = 1_795_262_400_000
TEXT = """3 runs failed, the first 1234
not built yet: 2
- asset curated_telemetry 2026-11-21-10:00
curated_telemetry delays fact_hours, fact_readings
What to do: Mend the cause, then re-execute from failure.
https://dagster.example/runs/1234"""


def told(count: int = 1, what: str = "opened", text: str = TEXT, **more: Any) -> Notification:
    """A notification of alerts of the pipeline."""
    members = [
        (
            {
                "id": f"{number:032d}",
                "rule": "failed_run",
                "metric": "",
                "tenant": "#pipeline",
                "site": "runs",
                "device": "",
                "severity": 2,
                "opened_ms": NOON_MS + number * 1000,
                "about": f"ConnectionError number {number}",
                "text": text,
                **more,
            },
            {"at_ms": NOON_MS + number * 1000},
        )
        for number in range(count)
    ]
    return notification("#pipeline", "runs", "failed_run", Severity.CRITICAL, what, members)


def of_device(count: int = 1, **more: Any) -> Notification:
    """A notification of alerts of devices."""
    members = [
        (
            {
                "id": f"{number:032d}",
                "rule": "range",
                "metric": "temperature",
                "tenant": "acme",
                "site": "bern",
                "device": f"d{number}",
                "severity": 1,
                "opened_ms": NOON_MS,
                "value": 41.5,
                "limit": 40.0,
                **more,
            },
            {"at_ms": NOON_MS},
        )
        for number in range(count)
    ]
    return notification("acme", "bern", "range", Severity.WARNING, "opened", members)


def texts(made: Any) -> str:
    """All text of a payload."""
    return json.dumps(made, ensure_ascii=False)


def test_a_message_says_what_since_when_which_what_is_delayed_and_what_to_do() -> None:
    message = of_notification(told(), "https://git.example/docs")
    assert dict(message.facts) == {
        "What broke": "failed_run: ConnectionError number 0",
        "Since": "2026-11-21T12:00:00.000Z",
        "Where": "the pipeline",
        "Delays downstream": "curated_telemetry delays fact_hours, fact_readings",
        "What to do": "Mend the cause, then re-execute from failure.",
    }
    assert "- asset curated_telemetry 2026-11-21-10:00" in message.lines
    assert message.links == (
        ("Dagster", "https://dagster.example/runs/1234"),
        ("Runbook", "https://git.example/docs/pipeline-alerts.md"),
    )
    device = of_notification(of_device(acknowledged_by="ada", acknowledged_reason="on my way"), "")
    assert dict(device.facts)["Where"] == "acme/bern/d0"
    assert dict(device.facts)["Acknowledged"] == "by ada: on my way"
    assert dict(device.facts)["What to do"].startswith("Look at the device")
    assert "value 41.5, limit 40" in device.lines[0]
    assert device.links == ()


@pytest.mark.parametrize("message", [of_notification(told(3), ""), of_each(of_device(), "https://x.example")[0]])
def test_a_message_is_the_same_after_it_was_kept(message: Message) -> None:
    assert Message.decode(json.loads(json.dumps(message.encode()))) == message


def test_of_many_episodes_some_are_listed_and_all_are_counted() -> None:
    message = of_notification(of_device(LISTED + 5), "")
    assert len(message.lines) == LISTED + 1
    assert message.lines[-1] == "... and 5 more"
    assert message.episode == ""
    assert len(of_each(of_device(LISTED + 5), "")) == LISTED + 5


def test_slack_gets_a_header_facts_links_and_lines() -> None:
    made = slack.rendered(of_notification(told(), ""))
    assert made["blocks"][0]["type"] == "header"
    assert made["text"] == "\N{LARGE RED CIRCLE} [critical] failed_run opened: ConnectionError number 0"
    section = made["blocks"][1]["text"]["text"]
    assert "*Since*: 2026-11-21T12:00:00.000Z" in section
    assert "<https://dagster.example/runs/1234|Dagster>" in section


def test_slack_shows_what_comes_from_outside_and_obeys_none_of_it() -> None:
    made = slack.rendered(of_notification(told(about="<!channel> & <https://evil.example|x>"), ""))
    marked_up = [made["text"], *(block["text"]["text"] for block in made["blocks"][1:])]
    assert "<!channel>" not in texts(marked_up)
    assert "&lt;!channel&gt; &amp; &lt;https" in texts(marked_up)
    assert made["blocks"][0]["text"]["type"] == "plain_text", "in which Slack marks nothing up"


@pytest.mark.parametrize("character", ["x", "&", "\N{SNOWMAN}", "\N{LARGE RED CIRCLE}", "\n"])
@pytest.mark.parametrize("count", [1, LISTED + 30])
def test_everything_fits_into_slack_teams_and_pagerduty(count: int, character: str) -> None:
    text = "\n".join(character * 1_400 for _ in range(40))
    notified = told(count, text=text, about=character * 200)
    message = of_notification(notified, "https://git.example/docs")
    made = slack.rendered(message)
    assert len(made["blocks"]) <= slack.MAX_BLOCKS
    for block in made["blocks"]:
        limit = slack.MAX_HEADER if block["type"] == "header" else slack.MAX_SECTION
        assert 0 < len(block["text"]["text"]) <= limit
    assert sum(len(block["text"]["text"]) for block in made["blocks"]) <= slack.MAX_TOTAL + 200
    assert not any(text.endswith(("&", "&am", "&amp")) for text in texts(made).split(" ..."))
    assert len(json.dumps(teams.rendered(message)).encode()) <= teams.MAX_BYTES
    event = pagerduty.rendered(of_each(notified, "")[0])
    assert len(event["payload"]["summary"]) <= pagerduty.MAX_SUMMARY
    assert len(event["dedup_key"]) <= pagerduty.MAX_DEDUP_KEY
    assert len(json.dumps(event).encode()) <= pagerduty.MAX_BYTES


def test_teams_gets_an_adaptive_card_in_which_nothing_from_outside_is_markdown() -> None:
    made = teams.rendered(of_notification(told(about="[x](https://evil.example)"), "https://git.example/docs"))
    (attachment,) = made["attachments"]
    card = attachment["content"]
    assert (made["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {each["type"] for each in card["body"]} == {"RichTextBlock"}, "text runs know no Markdown"
    assert [each["title"] for each in card["actions"]] == ["Dagster", "Runbook"]
    assert card["body"][0]["inlines"][0]["color"] == "Attention"


def test_whatever_is_too_long_a_card_has_at_least_its_title() -> None:
    wide = "\N{LARGE RED CIRCLE}"
    links = (("Dagster", f"https://{wide * 1_900}"), ("Runbook", f"https://{wide * 1_900}"))
    facts = tuple((label, wide * 900) for label in "abcdef")
    made = teams.rendered(Message("i", "opened", "critical", wide * 2_000, facts, (wide * 1_000,) * 9, links))
    assert len(json.dumps(made).encode()) <= teams.MAX_BYTES
    assert "too long for this channel" in texts(made)


def test_an_address_that_no_channel_shows_is_text() -> None:
    message = of_notification(told(text=f"https://{'x' * 2_001}\nhttps://dagster.example/runs/1"), "")
    assert message.links == (("Dagster", "https://dagster.example/runs/1"),)


def test_what_does_not_fit_into_a_card_is_counted() -> None:
    lines = tuple("x" * 1_000 for _ in range(60))
    made = teams.rendered(Message("i", "digest", "warning", "t", lines=lines))
    assert "more lines" in texts(made["attachments"][0]["content"]["body"][-1])


@pytest.mark.parametrize(
    ("what", "action"),
    [
        ("opened", "trigger"),
        ("escalated", "trigger"),
        ("confirmed", "trigger"),
        ("reminder", "trigger"),
        ("acknowledged", "acknowledge"),
        ("resolved", "resolve"),
    ],
)
def test_pagerduty_s_incident_is_the_episode(what: str, action: str) -> None:
    (message,) = of_each(told(what=what), "https://git.example/docs")
    event = pagerduty.rendered(message)
    assert (event["event_action"], event["dedup_key"]) == (action, "0" * 32)
    assert ("payload" in event) == (action == "trigger")
    assert "routing_key" not in event


def test_pagerduty_s_trigger_has_what_a_person_needs() -> None:
    (message,) = of_each(told(), "https://git.example/docs")
    event = pagerduty.rendered(message)
    payload = event["payload"]
    assert payload["summary"] == "[critical] failed_run opened: ConnectionError number 0"
    assert (payload["severity"], payload["class"], payload["source"]) == ("critical", "failed_run", "#pipeline/runs")
    assert payload["timestamp"] == "2026-11-21T12:00:00.000Z"
    assert payload["custom_details"]["Delays downstream"] == "curated_telemetry delays fact_hours, fact_readings"
    assert event["links"][0] == {"href": "https://dagster.example/runs/1234", "text": "Dagster"}


def test_a_summary_is_a_change_event_of_pagerduty_which_wakes_nobody() -> None:
    summary = Message("digest/1", "digest", "warning", "[digest] today", lines=("open: x",))
    made = pagerduty.rendered(summary)
    assert "event_action" not in made
    assert made["payload"]["summary"] == "[digest] today"
    assert pagerduty.url("https://events.eu.pagerduty.com/v2/enqueue", summary) == (
        "https://events.eu.pagerduty.com/v2/change/enqueue"
    )
    episode = Message("i", "opened", "critical", "t", episode="e")
    assert pagerduty.url("https://events.pagerduty.com/v2/enqueue", episode).endswith("com/v2/enqueue")
