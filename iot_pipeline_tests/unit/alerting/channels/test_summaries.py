"""What quiet hours held back, and the digest of a day."""

from typing import Any

from iot_pipeline.alerting.channels.message import LISTED
from iot_pipeline.alerting.channels.summaries import Held, digest, of_quiet_hours

NOON_MS = 1_795_262_400_000
HOUR = 3_600_000
RESOLVED = "resolved 2026-11-21T13:00:00.000Z: warning: range of temperature"


def episode(number: int, **more: Any) -> dict[str, Any]:
    """An open episode."""
    return {
        "id": f"e{number}",
        "rule": "range",
        "metric": "temperature",
        "tenant": "acme",
        "site": "bern",
        "device": f"d{number}",
        "severity": 1,
        "status": "open",
        "opened_ms": NOON_MS,
        "recorded_ms": NOON_MS,
        **more,
    }


def over(number: int, at_ms: int = NOON_MS + HOUR, **more: Any) -> dict[str, Any]:
    """One that is over."""
    return episode(number, status="resolved", resolved_ms=at_ms, resolution_ms=at_ms, **more)


def test_what_is_open_comes_first_the_worst_before_others_and_what_is_over_is_one_line_each() -> None:
    held = [
        Held(over(1), frozenset(("opened", "resolved"))),
        Held(episode(2), frozenset(("opened",))),
        Held(over(3), frozenset(("resolved",))),
        Held(episode(4, severity=2), frozenset(("opened", "escalated"))),
    ]
    message = of_quiet_hours("quiet/1", held, 6)
    assert message.title == "[quiet hours] 2 alerts still open, 2 over"
    assert message.severity == "critical"
    assert message.facts == (("Held back", "6 notifications"),)
    assert [line.partition(" since")[0] for line in message.lines] == [
        "still open: critical: range of temperature at acme/bern/d4",
        "still open: warning: range of temperature at acme/bern/d2",
        f"opened and resolved meanwhile, {RESOLVED} at acme/bern/d1",
        f"{RESOLVED} at acme/bern/d3",
    ]


def test_of_a_night_with_very_much_the_rest_is_counted() -> None:
    held = [Held(each, frozenset(("opened",))) for number in range(LISTED + 3) for each in (episode(number), over(-1))]
    message = of_quiet_hours("quiet/1", held, 99)
    assert len(message.lines) == 2 * LISTED + 2
    assert message.lines[LISTED] == "... and 3 more are still open"
    assert message.lines[-1] == "... and 3 more are over"


def test_a_digest_counts_by_severity_site_and_kind_within_its_day() -> None:
    pipeline = {"tenant": "#pipeline", "site": "runs", "device": "", "rule": "failed_run", "metric": ""}
    changed = [
        over(1),
        over(2, at_ms=NOON_MS + 30 * HOUR),
        over(3, recorded_ms=NOON_MS - HOUR),
        episode(4, severity=2, site="basel"),
        episode(5, recorded_ms=NOON_MS - HOUR),
        episode(6, **pipeline),
    ]
    still_open = [each for each in changed if each["status"] == "open"]
    message = digest("digest/1", "2026-11-22", changed, still_open, NOON_MS, NOON_MS + 24 * HOUR, 7)
    assert message.title == "[digest] 2026-11-22: 4 opened, 2 resolved, 3 still open"
    facts = dict(message.facts)
    assert facts["Opened"] == "4 (1 critical, 3 warning)"
    assert facts["Resolved"] == "2 (2 warning)"
    assert facts["Still open"] == "3 (1 critical, 2 warning)"
    assert facts["Held back in quiet hours"] == "7 notifications"
    assert message.lines[:3] == (
        "acme/bern range: 2 opened, 2 resolved, 1 open",
        "acme/basel range: 1 opened, 0 resolved, 1 open",
        "pipeline failed_run: 1 opened, 0 resolved, 1 open",
    )
    assert message.lines[3].startswith("open: critical: range of temperature at acme/basel/d4")
    assert message.text.startswith("From: 2026-11-21T12:00:00.000Z to 2026-11-22T12:00:00.000Z")
    assert message.data["tenant"] == "all", "SNS takes no empty attribute"


def test_a_day_on_which_nothing_happened_is_told_too() -> None:
    message = digest("digest/1", "today", [], [], NOON_MS, NOON_MS + HOUR, 0)
    assert message.title == "[digest] today: 0 opened, 0 resolved, 0 still open"
    assert message.lines == ()
