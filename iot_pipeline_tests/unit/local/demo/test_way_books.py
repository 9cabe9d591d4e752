"""The books of a way: when they are whole, how they read, and what ends a demo without a local AWS."""

from unittest.mock import Mock

import boto3
import pytest

from infra.local.demo.way_books import WayBooks, on_local_aws
from infra.local.servers.local_server import LocalError

ENDPOINT = "AWS_ENDPOINT_URL"


@pytest.mark.parametrize(
    ("books", "received", "is_curated"),
    [
        (WayBooks(), 0, True),
        (WayBooks({"valid": 5}), 5, False),
        (WayBooks({"valid": 5, "too_late": 2}, curated=3, duplicates=1, conflicts=1), 7, True),
        (WayBooks({"valid": 5}, curated=6), 5, False),
    ],
)
def test_books_are_curated_when_each_valid_reading_is_somewhere(
    books: WayBooks, received: int, is_curated: bool
) -> None:
    assert (books.received, books.is_curated) == (received, is_curated)


def test_books_read_as_two_sums() -> None:
    books = WayBooks({"valid": 5, "too_late": 2, "no_metrics": 1}, curated=3, duplicates=1, conflicts=1)
    assert str(books) == (
        "8 judged = 5 valid + 3 quarantined (1 no_metrics, 2 too_late); 5 valid: 3 curated + 1 duplicates + 1 conflicts"
    )


def test_without_the_environment_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    with pytest.raises(SystemExit) as ended, on_local_aws():
        pytest.fail("it must not begin")
    assert ended.value.code == 2
    assert "AWS_ENDPOINT_URL is not set; start the local AWS (`make up`)" in capsys.readouterr().err


def test_a_local_aws_that_does_not_answer_is_told_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Nothing listens on port 1.
    for name, value in {ENDPOINT: "http://127.0.0.1:1", "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(SystemExit) as ended, on_local_aws():
        pytest.fail("it must not begin")
    printed = capsys.readouterr().err
    assert (ended.value.code, printed.count("\n")) == (2, 1)
    assert "http://127.0.0.1:1" in printed
    assert "start the local AWS (`make up`)" in printed


def test_what_stalls_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setattr("infra.local.demo.way_books.boto3.client", lambda *_, **__: Mock())
    with pytest.raises(SystemExit) as ended, on_local_aws():
        raise LocalError("nothing has changed")
    assert (ended.value.code, capsys.readouterr().err) == (2, "error: nothing has changed\n")
