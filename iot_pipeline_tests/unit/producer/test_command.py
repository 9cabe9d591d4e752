"""The command line: each line costs itself alone, and what ends the command is one line and exit code 2."""

import json
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from iot_pipeline.contract.contract import CONTRACT, MAX_MESSAGE_BYTES
from iot_pipeline.contract.judge import Judge
from iot_pipeline.contract.raw_line import Origin, raw_line
from iot_pipeline.producer.__main__ import main
from iot_pipeline.producer.client import Producer
from iot_pipeline.producer.message_form import EXAMPLE
from iot_pipeline_tests.unit.producer.test_client import Stream

GOOD = b'{"v": 1, "device_id": "d1", "readings": [{"temperature": 70.50000000000000001}], "x": 1, "x": 2}'


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream()
    monkeypatch.setattr("iot_pipeline.producer.client.boto3.client", lambda *_, **__: stream)
    return stream


def send(tmp_path: Path, content: bytes, *more: str) -> int:
    file = tmp_path / "messages.jsonl"
    file.write_bytes(content)
    spool = ["--spool", str(tmp_path / "spool"), "--encoding", "none"]
    return main(["send", str(file), "--producer", "gateway", *spool, *more])


def test_a_line_goes_out_as_it_is(tmp_path: Path, stream: Stream) -> None:
    assert send(tmp_path, b"\n  " + GOOD + b"\r\n\n") == 0
    assert stream.taken["d1"] == [GOOD]


WRONG = {
    "no JSON": (b"hello", "no JSON: hello"),
    "no UTF-8": (b'{"device_id": "\xff"}', "no JSON: 'utf-8'"),
    "NaN": (b'{"device_id": "d1", "x": NaN}', "no JSON: NaN"),
    "a bomb": (b"[" * 100_000, "nested too deep"),
    "a list": (b"[]", "expected a JSON object with a text `device_id`"),
    "of nobody": (b'{"v": 1}', "expected a JSON object with a text `device_id`"),
    "of a number": (b'{"device_id": 5}', "device 5: expected the device's id"),
    "of a long name": (json.dumps({"device_id": "d" * 129}).encode(), "1 to 128 of the characters"),
    "of no name": (b'{"device_id": "no name"}', "device 'no name': expected the device's id"),
    "of half a character": (b'{"device_id": "\\ud800"}', "half of a surrogate pair"),
    "too large": (json.dumps({"device_id": "d1", "x": " " * MAX_MESSAGE_BYTES}).encode(), "expected at most 131072"),
}


@pytest.mark.parametrize(("line", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_line_costs_itself_alone(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str], line: bytes, told: str
) -> None:
    assert send(tmp_path, GOOD + b"\n" + line + b"\n" + GOOD) == 1
    assert stream.taken == {"d1": [GOOD, GOOD]}
    (error,) = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error: ")]
    assert "messages.jsonl, line 2: " in error
    assert told in error


def test_of_many_wrong_lines_some_are_named_and_all_counted(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send(tmp_path, b"x\n" * 25) == 1
    errors = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error: ")]
    assert len(errors) == 21
    assert errors[-1] == "error: and 5 more"
    assert stream.taken == {}


def test_what_is_wrong_with_the_file_or_the_spool_is_one_line(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", str(tmp_path / "none"), "--producer", "gateway"]) == 2
    assert _error(capsys) == f"error: {tmp_path / 'none'}: there is no such file"
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "gateway.db").write_text("this is no database " * 50)
    assert send(tmp_path, GOOD, "--spool", str(broken)) == 2
    assert f"the spool {broken}/gateway.db: file is not a database" in _error(capsys)
    with Producer("s", tmp_path / "spool" / "gateway.db", kinesis=stream):
        assert send(tmp_path, GOOD) == 2
    assert "another process sends from it" in _error(capsys)


def test_a_refused_producer_is_told_and_the_wrong_lines_too(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yours"}}, "PutRecords")
    assert send(tmp_path, GOOD + b"\nx\n") == 2
    told = capsys.readouterr().err
    assert "line 2: no JSON: x" in told
    assert "not yours; the spool keeps what is left" in told
    stream.error = None
    assert send(tmp_path, b"") == 0
    assert "1 messages of a former run are in the spool" in capsys.readouterr().err
    assert stream.taken["d1"] == [GOOD]


def test_a_stream_that_is_not_there_is_named(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.error = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}, "PutRecords")
    assert send(tmp_path, GOOD) == 2
    assert _error(capsys).startswith("error: there is no stream telemetry-producer-gateway: name a producer that")


def test_a_kinesis_that_does_not_answer_ends_the_command_and_not_the_messages(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iot_pipeline.producer.__main__._UNREACHED_SECONDS", 0.2)
    stream.error = EndpointConnectionError(endpoint_url="https://kinesis.example.com")
    assert send(tmp_path, GOOD) == 2
    assert "Kinesis has not answered for 0.2 s" in _error(capsys)
    stream.error = None
    assert send(tmp_path, b"") == 0
    assert stream.taken["d1"] == [GOOD]


def test_a_stream_that_is_at_its_limit_for_long_is_waited_for(
    tmp_path: Path, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iot_pipeline.producer.__main__._UNREACHED_SECONDS", 0.05)
    stream.closed = True
    timer = threading.Timer(0.5, lambda: setattr(stream, "closed", False))
    timer.start()
    assert send(tmp_path, GOOD) == 0
    assert stream.taken["d1"] == [GOOD]


def test_the_help_shows_a_line_that_the_contract_takes_and_every_metric(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["send", "--help"])
    told = capsys.readouterr().out
    assert EXAMPLE in told
    assert all(f"    {metric.name} " in told for metric in CONTRACT.metrics)
    at_ms = round(datetime(2026, 11, 30, tzinfo=UTC).timestamp() * 1000)
    line = raw_line(EXAMPLE.encode(), Origin("acme", "lyon", "pump-17", at_ms, "producer:gateway", "1"))
    assert [each.outcome for each in Judge().line(line)] == ["valid"]


def test_zstd_that_is_not_installed_is_named(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "iot_pipeline.producer.zstandard", None)
    assert send(tmp_path, GOOD, "--encoding", "zstd") == 2
    assert "zstd needs Python 3.14, or the package backports.zstd" in _error(capsys)
    assert stream.taken == {}


def test_the_progress_says_why_records_are_repeated(
    tmp_path: Path, stream: Stream, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put, failed = stream.put_records, iter([True, True])

    def fails_twice(**request: Any) -> Any:
        stream.closed = next(failed, False)
        return put(**request)

    monkeypatch.setattr(stream, "put_records", fails_twice)
    assert send(tmp_path, GOOD) == 0
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("1 messages on the stream, 0 in the spool, 2 records repeated")
    assert last.endswith("(the last for ProvisionedThroughputExceededException)")


def _error(capsys: pytest.CaptureFixture[str]) -> str:
    """The one error that was told."""
    (error,) = [each for each in capsys.readouterr().err.splitlines() if each.startswith("error: ")]
    return error
