"""Lines of functions' logs: in files, read through CloudWatch Logs' own API, and there again for the next process."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs

from infra.local.emulator import file_log, log_lines
from infra.local.emulator.line_log import LineLog
from infra.local.emulator.log_lines import append_lines

GROUP, STREAM = "/aws/lambda/edge", "2026/11/30/[$LATEST]1"


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path) -> Iterator[None]:
    log_lines.install(tmp_path / "logs")
    cloudwatch_logs._log_groups.clear()
    with request_scope("000000000000", "eu-west-1"):
        yield
    cloudwatch_logs._log_groups.clear()


def asked(function: Any, **request: Any) -> dict[str, Any]:
    status, _headers, body = function(request)
    assert status == 200, body
    return dict(json.loads(body))


def messages(**more: Any) -> list[str]:
    request = {"logGroupName": GROUP, "logStreamName": STREAM, "startFromHead": True, **more}
    return [event["message"] for event in asked(cloudwatch_logs._get_log_events, **request)["events"]]


def test_lines_are_read_as_they_were_written() -> None:
    lines = ["first", "zweite ü\U0001f321", "", '{"level": "INFO"}', "no UTF-8: \udcff"]
    append_lines(GROUP, STREAM, lines[:2])
    append_lines(GROUP, STREAM, lines[2:])
    lines[-1] = "no UTF-8: ?"
    assert messages() == lines
    assert messages(limit=2, startFromHead=False) == lines[-2:]
    found = asked(cloudwatch_logs._filter_log_events, logGroupName=GROUP, filterPattern="zweite")["events"]
    assert [event["message"] for event in found] == [lines[1]]
    [described] = asked(cloudwatch_logs._describe_log_streams, logGroupName=GROUP)["logStreams"]
    assert described["storedBytes"] == sum(map(len, lines))
    assert described["firstEventTimestamp"] <= described["lastEventTimestamp"] == described["lastIngestionTime"]


def test_lines_that_a_client_puts_stand_beside_them_in_the_order_of_their_times() -> None:
    append_lines(GROUP, STREAM, ["a function's"])
    now = cloudwatch_logs._log_groups[GROUP]["streams"][STREAM]["lastEventTimestamp"]
    put = [
        {"timestamp": now - 1000, "message": "a client's of before"},
        {"timestamp": now + 5000, "message": "of later"},
    ]
    asked(cloudwatch_logs._put_log_events, logGroupName=GROUP, logStreamName=STREAM, logEvents=put)
    append_lines(GROUP, STREAM, ["a function's of after"])
    assert messages() == ["a client's of before", "a function's", "of later", "a function's of after"]
    found = asked(cloudwatch_logs._filter_log_events, logGroupName=GROUP)["events"]
    assert [bool(event.get("eventId")) for event in found] == [True, False, True, False]


@pytest.mark.parametrize("timestamp", [-1000, 12.5])
def test_a_time_that_aws_would_refuse_costs_no_line_of_others(timestamp: float) -> None:
    append_lines(GROUP, STREAM, ["a function's"])
    put = [{"timestamp": timestamp, "message": "a client's"}]
    asked(cloudwatch_logs._put_log_events, logGroupName=GROUP, logStreamName=STREAM, logEvents=put)
    append_lines(GROUP, STREAM, ["a function's of after"])
    assert messages() == ["a client's", "a function's", "a function's of after"]


def test_the_next_process_finds_them_and_none_of_a_stream_that_is_gone(tmp_path: Path) -> None:
    append_lines(GROUP, STREAM, ["kept"])
    append_lines(GROUP, "deleted", ["gone"])
    append_lines("another group", STREAM, ["gone too"])
    asked(cloudwatch_logs._delete_log_stream, logGroupName=GROUP, logStreamName="deleted")
    asked(cloudwatch_logs._delete_log_group, logGroupName="another group")
    assert len(list((tmp_path / "logs").iterdir())) == 1
    saved = cloudwatch_logs.get_state()
    append_lines(GROUP, STREAM, ["written after the state was saved"])
    assert "kept" not in str(copy.deepcopy(saved["log_groups"]).get(GROUP))
    cloudwatch_logs._log_groups.clear()
    cloudwatch_logs.load_persisted_state(saved)
    assert messages() == ["kept", "written after the state was saved"]
    assert len(list((tmp_path / "logs").iterdir())) == 1
    append_lines(GROUP, STREAM, ["next"])
    append_lines(GROUP, "deleted", ["another of that name"])
    assert messages() == ["kept", "written after the state was saved", "next"]
    assert messages(logStreamName="deleted") == ["another of that name"]


def test_a_stream_keeps_its_newest_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_log, "FILE_BYTES", 5_000)
    monkeypatch.setattr(log_lines, "KEPT_BYTES", 20_000)
    for number in range(0, 1000, 10):
        append_lines(GROUP, STREAM, [f"{number + n:03d}" + "x" * 97 for n in range(10)])
    found = [int(message[:3]) for message in messages()]
    assert found == list(range(found[0], 1000))
    assert 150 < len(found) < 250
    assert sum(file.stat().st_size for file in (tmp_path / "logs").glob("*/*")) < 30_000


def test_a_clock_that_is_set_back_changes_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, line in ((100.0, "first"), (40.0, "second"), (101.0, "third")):
        monkeypatch.setattr("time.time", lambda seconds=seconds: seconds)
        append_lines(GROUP, STREAM, [line])
    assert messages() == ["first", "second", "third"]
    assert isinstance(cloudwatch_logs._log_groups[GROUP]["streams"][STREAM]["events"], LineLog)
