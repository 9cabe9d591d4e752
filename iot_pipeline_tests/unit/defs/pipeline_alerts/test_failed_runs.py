"""Failures are gathered by cause: the same error is the same cause, whatever varies in its text."""

import json

import pytest

from iot_pipeline.defs.pipeline_alerts.failed_runs import MAX_CAUSES, MAX_TARGETS, MAX_WORDS, Cause

NOT_FOUND = "An error occurred (EntityNotFoundException) when calling the"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Timeout after 12.5 s", "Timeout after 300 s"),
        ("request 8c2d5a1f-6f0b-4a7e-9d55-1c3fd0a1b2c3 failed", "request 00000000-1111-2222-3333-444444444444 failed"),
        ("table 'build_x' is missing", "table 'build_y' is missing"),
        ('Could not connect to the endpoint URL: "http://a:1/"', 'Could not connect to the endpoint URL: "http://b/"'),
        (
            f"botocore.errorfactory.EntityNotFoundException: {NOT_FOUND} GetPartitions operation: Table a.b not found.",
            f"ClientError: {NOT_FOUND} GetTable operation: Database a not found.",
        ),
        (
            f"ClientError: {NOT_FOUND} GetTable operation: Table a.b not found.",
            "pyathena.error.OperationalError: TABLE_NOT_FOUND: Table 'awsdatacatalog.a.b' does not exist",
        ),
        (
            "ClientError: An error occurred (AccessDenied) when calling the GetObject operation: x is not authorized",
            "ClientError: An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied",
        ),
        ("s3 key v=20261128T101112_2f0df98f is gone", "s3 key v=20261129T000000_aaaaaaaa is gone"),
    ],
)
def test_what_varies_does_not_make_another_cause(one: str, other: str) -> None:
    assert Cause(one).name == Cause(other).name


def test_other_errors_are_other_causes() -> None:
    texts = ("ValueError: the disk is full", "OSError: the disk is full", "ValueError: the disk is slow", "")
    assert len({Cause(text).name for text in texts}) == len(texts)


def test_what_is_wrong_with_a_request_is_told_apart_by_its_words() -> None:
    words = "ClientError: An error occurred (ValidationException) when calling the PutItem operation: "
    assert Cause(words + "an item is empty").name != Cause(words + "a key is missing").name


def test_a_cause_is_one_line_that_ends() -> None:
    assert Cause.of("\nValueError: no\n  File x\n").words == "ValueError: no"
    assert len(Cause.of("x" * 100_000).words) == MAX_WORDS
    assert Cause.of("").words == "it does not say why"


def test_what_is_followed_fits_into_one_item() -> None:
    longest = f"asset {'a' * 60} 2026-11-28-00:00"
    target = {longest + str(number): 1_795_907_529.781 for number in range(MAX_TARGETS)}
    cause = {"words": "x" * MAX_WORDS, "since_ms": 10**13, "runs": 10**6, "more": 10**6, "targets": target}
    assert len(json.dumps({str(number): cause for number in range(MAX_CAUSES + 1)})) < 300_000
