"""The channels' configuration: what it means, and what is said of one that cannot be taken."""

import json
from datetime import time
from typing import Any

import pytest

from iot_pipeline.alerting.channels.document import MAX_CHANNELS, PAGERDUTY, ChannelKind, ChannelsError, parsed
from iot_pipeline.alerting.lifecycle import Severity

KEY = "0123456789abcdef0123456789abcdef"
SLACK = {"name": "ops", "kind": "slack", "address": "https://hooks.slack.com/services/T0/B0/hidden"}
QUIET = {"zone": "Europe/Zurich", "from": "22:00", "to": "06:30"}


def faults(*channels: Any, **more: Any) -> list[str]:
    """What is wrong with a document."""
    with pytest.raises(ChannelsError) as refused:
        parsed(json.dumps({"channels": list(channels), **more}))
    return refused.value.faults


def test_a_document_with_everything() -> None:
    text = json.dumps(
        {
            "runbook": "https://git.example/docs/",
            "channels": [
                {"name": "mail", "kind": "sns"},
                SLACK
                | {
                    "minimum_severity": "critical",
                    "alerts": ["pipeline", "leak"],
                    "quiet_hours": QUIET | {"breaks_through": "nothing"},
                    "digest": {"zone": "Asia/Kolkata", "at": "08:15"},
                },
                {"name": "pager", "kind": "pagerduty", "routing_key": KEY},
            ],
        }
    )
    document = parsed(text)
    mail, ops, pager = document.channels
    assert document.runbook == "https://git.example/docs"
    assert (mail.kind, mail.minimum, mail.quiet, mail.digest) == (ChannelKind.SNS, Severity.WARNING, None, None)
    assert (pager.address, pager.routing_key) == (PAGERDUTY, KEY)
    assert ops.quiet is not None
    assert ops.digest is not None
    assert (ops.quiet.begin, ops.quiet.end, ops.quiet.breaks_through) == (time(22), time(6, 30), None)
    assert (ops.digest.zone.key, ops.digest.at) == ("Asia/Kolkata", time(8, 15))
    assert document.channel("ops") is ops
    assert document.channel("nobody") is None


@pytest.mark.parametrize(
    ("severity", "tenant", "rule", "wanted"),
    [
        (Severity.CRITICAL, "acme", "leak", True),
        (Severity.CRITICAL, "acme", "range", False),
        (Severity.CRITICAL, "#pipeline", "failed_run", True),
        (Severity.WARNING, "#pipeline", "failed_run", False),
    ],
)
def test_a_channel_wants_its_alerts_alone(severity: Severity, tenant: str, rule: str, wanted: bool) -> None:
    given = SLACK | {"minimum_severity": "critical", "alerts": ["pipeline", "leak"]}
    (channel,) = parsed(json.dumps({"channels": [given]})).channels
    assert channel.wants(severity, tenant, rule) is wanted


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "slak"}, "`kind` is 'slak', expected one of sns, slack, teams, pagerduty; did you mean slack?"),
        ({"kind": None}, "`kind` is missing"),
        ({"name": "On Call"}, "`name` is 'On Call', expected at most 32 of a-z, 0-9 and -"),
        ({"address": None}, "`address` is missing, expected an address that begins with https://"),
        ({"address": "http://hooks.slack.com/x"}, "`address` is a secret that is not shown here, expected an address"),
        ({"minimum_severity": "info"}, "`minimum_severity` is 'info', expected one of warning, critical"),
        ({"alerts": []}, "`alerts` is [], expected a list of 'device', 'pipeline' or kinds of alerts"),
        ({"alerts": "device"}, "`alerts` is 'device', expected a list of"),
        ({"alerts": ["device", 7]}, "`alerts` is 7, expected a list of"),
        ({"adress": "https://x"}, "`adress` is unknown"),
        ({"routing_key": KEY}, "`routing_key` is unknown"),
        ({"quiet_hours": []}, "quiet_hours is [], expected an object in braces"),
        ({"quiet_hours": QUIET | {"zone": "Zurich"}}, "`quiet_hours.zone` is 'Zurich', expected a name of the IANA"),
        ({"quiet_hours": QUIET | {"zone": "../etc"}}, "`quiet_hours.zone` is '../etc'"),
        ({"quiet_hours": QUIET | {"zone": 7}}, "`quiet_hours.zone` is 7"),
        ({"quiet_hours": QUIET | {"from": "24:00"}}, "`quiet_hours.from` is '24:00', expected a time from 00:00"),
        ({"quiet_hours": QUIET | {"from": "06:30"}}, "`quiet_hours.to` is '06:30', expected another time than `from`"),
        ({"quiet_hours": {"zone": "UTC", "from": "22:00"}}, "`quiet_hours.to` is missing"),
        ({"quiet_hours": QUIET | {"breaks_through": "all"}}, "expected one of warning, critical, nothing"),
        ({"digest": {"zone": "UTC", "at": "8"}}, "`digest.at` is '8', expected a time from 00:00 to 23:59"),
        ({"digest": {"at": "08:00"}}, "`digest.zone` is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_channel_its_field_and_what_was_expected(
    change: dict[str, Any], words: str
) -> None:
    (fault,) = faults(SLACK | change)
    assert fault.startswith("channel ")
    assert words in fault


def test_all_faults_are_told_at_once_and_no_secret_with_them() -> None:
    pager = {"name": "ops", "kind": "pagerduty", "routing_key": "hidden-but-too-short", "address": "ftp://hidden"}
    found = faults(SLACK | {"adress": "https://hidden"}, SLACK, SLACK, pager, "x", runbook="http://docs")
    assert len(found) == 6
    assert "channel 'ops': its name is that of 2 channels; give each its own" in found
    assert "the document: `runbook` is 'http://docs', expected an address that begins with https://" in found
    assert "channel number 5: it is 'x', expected an object in braces" in found
    assert not any("hidden" in fault.replace("that is not shown", "") for fault in found)


def test_a_document_that_is_none_is_refused_without_quoting_it() -> None:
    with pytest.raises(ChannelsError, match=r"no JSON: look at line 1, column 31$"):
        parsed('{"channels": [{"address": "ab"hidden"}]}')
    with pytest.raises(ChannelsError, match="`channels` is missing"):
        parsed('{"runbook": "https://x.example"}')
    with pytest.raises(ChannelsError, match="expected an object in braces"):
        parsed("[]")


def test_there_are_no_more_channels_than_places_to_deliver() -> None:
    many = [SLACK | {"name": f"c{number}"} for number in range(MAX_CHANNELS + 1)]
    assert faults(*many) == ["the document has 11 channels; at most 10 are delivered side by side"]
    assert len(parsed(json.dumps({"channels": many[1:]})).channels) == MAX_CHANNELS


def test_no_representation_shows_a_secret() -> None:
    pager = {"name": "pager", "kind": "pagerduty", "routing_key": KEY}
    document = parsed(json.dumps({"channels": [SLACK, pager]}))
    assert "hidden" not in repr(document)
    assert KEY not in repr(document)
    assert document.channels[1].masked(f"'{KEY}' is unknown") == "'***' is unknown"
