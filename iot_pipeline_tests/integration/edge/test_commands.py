"""The command line as a person uses it: what it prints, and what it says to what it cannot take."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from infra.local.session.platform import Platform
from iot_pipeline import settings
from iot_pipeline.contract.layout import RAW
from iot_pipeline.edge_commands import app
from iot_pipeline.lake.hours import Hour
from iot_pipeline_tests.support.channels import ROUTING_KEY
from iot_pipeline_tests.support.edge import NOON_MS, event, line, reading
from iot_pipeline_tests.support.emulator import eventually, unique
from iot_pipeline_tests.support.receiver import Receiver, Reply

# An arrival hour of which no other test has an object.
AT = datetime(2026, 1, 1, 3, tzinfo=UTC)


def run(*arguments: str) -> tuple[int, str]:
    """Exit code, and all that was printed, on one line."""
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rules", "kinds", "heat"], "no rule is called 'heat'; there are range, rate, stuck"),
        (["rules", "set", "range", "--by", "ada", "warning_above=3"], "expected one of the metrics temperature"),
        (["rules", "set", "range", "temperature", "humidity", "--by", "ada"], "expected one metric"),
        (["rules", "set", "range", "temperature", "warning_above=x", "--by", "ada"], "expected NAME=NUMBER"),
        (["rules", "set", "leak", "flow_rate", "minutes=9", "--by", "ada"], "at least one of tenant, site, model"),
        (
            ["rules", "set", "leak", "flow_rate", "minutes=9", "--by", "ada", "--tenant", "nobody"],
            "not in the registry",
        ),
        (["rules", "end", "987654321", "--by", "ada"], "no rule of the id 987654321 is in force"),
        (["rules", "try", "leak", "flow_rate", "hours=9", "--last", "1h"], "no parameter 'hours'"),
        (["rules", "try", "leak", "flow_rate", "minutes=9", "--last", "soon"], "'soon' is no duration"),
        (["state", "nobody"], "nothing has arrived from a device 'nobody' yet"),
        (["acknowledge", "nothing", "--by", "ada", "--reason", "x"], "no episode has the id 'nothing'"),
        (["silence", "--for", "2h", "--by", "ada", "--reason", "x"], "at least one of tenant, site, device, rule"),
        (["silence", "--site", "a", "--for", "2h", "--by", "a", "--reason", "x", "--at", "2026-01-01T00:00"], "a zone"),
        (["dead-letters", "moon"], "there are rule, firehose, edge, invocation, notification"),
        (["replay", "moon"], "there are rule, firehose, edge, invocation, notification"),
        (["verify", "today", "now"], "Invalid isoformat string: 'today'"),
        (["rebuild-state", "2026-01-01T04:00Z", "2026-01-01T03:00Z"], "is before the first, 2026-01-01T04:00Z"),
    ],
)
def test_what_cannot_be_taken_gets_one_line_that_says_why(platform: Platform, arguments: list[str], words: str) -> None:
    code, printed = run(*arguments)
    assert code == 2, printed
    assert printed.startswith("error:")
    assert words in printed


def test_a_device_s_trouble_from_its_alert_to_its_acknowledgement(platform: Platform) -> None:
    device = unique("device")
    sent = event([(1, line([reading(NOON_MS, 1, temperature=400)], NOON_MS, device=device))])
    answer = boto3.client("lambda").invoke(
        FunctionName=settings.edge().edge_function, Payload=json.dumps(sent).encode()
    )
    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    code, printed = eventually(lambda: run("alerts", "--device", device))
    assert code == 0
    assert f"acme/berlin/{device}" in printed
    assert "1 episodes, 1 open" in printed
    episode = next(word for word in printed.split() if len(word) == 32)
    assert run("acknowledge", episode, "--by", "ada", "--reason", "on my way")[0] == 0
    assert "acknowledged by ada: on my way" in run("alerts", "--device", device)[1]
    code, printed = run("state", device)
    assert code == 0
    assert "1 out_of_range" in printed
    assert episode in printed
    assert run("silence", "--device", device, "--for", "2h", "--by", "ada", "--reason", "new probe")[0] == 0
    assert f"device {device}" in run("silences")[1]


def test_what_there_is_to_see_without_any_trouble(platform: Platform) -> None:
    assert "flow that never returns to zero" in run("rules", "kinds")[1]
    assert "minutes min 0.01 10080 For how long 120" in run("rules", "kinds", "leak")[1]
    code, printed = run("dead-letters")
    assert code == 0
    assert "notification" in printed
    assert run("replay", "notification") == (0, "0 replayed, 0 stay")


def test_a_raw_object_that_cannot_be_read_is_named(platform: Platform) -> None:
    bucket, key = settings.deployment().lake_bucket, f"{RAW}{Hour.of(AT).path}{unique('broken')}.gz"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=gzip.compress(b"{}" * 999)[:-9])
    code, printed = run("verify", AT.isoformat(), AT.isoformat())
    assert code == 2
    assert f"error: s3://{bucket}/{key} cannot be read" in printed
    boto3.client("s3").delete_object(Bucket=bucket, Key=key)


def test_channels_from_nothing_to_a_message(
    platform: Platform, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed = run("channels")
    assert (code, "is empty: the SNS topics alone are told" in printed) == (0, True), "as it was deployed"
    deliver = settings.edge().deliver_function
    answer = boto3.client("lambda").invoke(FunctionName=deliver, Payload=b'{"channel": "ops"}')
    assert answer["Payload"].read() == b"{}", "the function's own role reads the secret"
    secret = unique("channels")
    boto3.client("secretsmanager").create_secret(Name=secret)
    monkeypatch.setenv("IOT_CHANNELS_SECRET", secret)
    settings.forget()
    file, path = tmp_path / "channels.json", f"/{unique('secret')}"
    pager: dict[str, Any] = {"name": "pager", "kind": "pagerduty", "routing_key": ROUTING_KEY}
    ops = {"name": "ops", "kind": "slack", "address": receiver.url(path), "alerts": ["failed_run", "leak"]}
    night = {"zone": "Europe/Zurich", "from": "22:00", "to": "06:30"}
    pager |= {"address": receiver.url(f"{path}/v2/enqueue"), "quiet_hours": night}
    file.write_text(json.dumps({"channels": [ops, pager, {"name": "mail", "kind": "sns"}]}))
    assert run("channels", "check", str(file))[0] == 0
    assert "is empty" in run("channels")[1]
    assert run("channels", "test", "ops") == (2, "error: no channel is called 'ops'; there are: none yet")
    code, printed = run("channels", "set", str(file))
    assert (code, f"written to {secret}" in printed) == (0, True)
    code, printed = run("channels")
    assert code == 0
    assert "failed_run, leak" in printed
    assert "22:00 to 06:30 Europe/Zurich, critical breaks through" in printed
    assert path not in printed
    assert ROUTING_KEY not in printed
    for name in ("ops", "pager", "mail"):
        assert run("channels", "test", name) == (0, f"{name}: it took the message")
    assert [post["text"].partition(" ")[2] for post in receiver.got(path)] == ["[test] a message from iot_pipeline"]
    events = receiver.got(f"{path}/v2/enqueue")
    assert [event["event_action"] for event in events] == ["trigger", "resolve"]
    assert events[0]["dedup_key"] == events[1]["dedup_key"]
    receiver.answers(path, [Reply(403, body=b"invalid_token")])
    assert run("channels", "test", "ops", "--file", str(file)) == (2, "error: ops: HTTP 403: invalid_token")
    settings.forget()


def test_a_document_of_channels_that_cannot_be_taken_is_not_written(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "channels.json"
    file.write_text(json.dumps({"channels": [{"name": "mail", "kind": "sns", "alerts": ["failed_runs", "device"]}]}))
    code, printed = run("channels", "set", str(file))
    assert code == 2
    assert "channel 'mail': `alerts` has 'failed_runs', expected some of anomaly," in printed
    assert "did you mean failed_run?" in printed
    file.write_text(json.dumps({"channels": [{"name": "mail", "kind": "snail"}, {"kind": "sns"}]}))
    code, printed = run("channels", "check", str(file))
    assert (code, printed.count("error: channel")) == (2, 2)
    assert "is empty" in run("channels")[1]
    monkeypatch.delenv("IOT_CHANNELS_SECRET")
    settings.forget()
    assert "set IOT_CHANNELS_SECRET" in run("channels")[1]
    settings.forget()
