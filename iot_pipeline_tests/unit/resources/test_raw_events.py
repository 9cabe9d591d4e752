"""Notifications as S3 and others write them."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import pytest

from iot_pipeline.lake.hours import Hour
from iot_pipeline.resources.raw_events import Notification, RawObject, _notification

HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
KEY = f"raw/telemetry/{HOUR.path}telemetry-1 a+b.gz"


def record(key: str, size: int | None = 123) -> dict[str, Any]:
    entry: dict[str, Any] = {"key": key} if size is None else {"key": key, "size": size}
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "lake"}, "object": entry}}


def parsed(body: str) -> Notification:
    return _notification({"Body": body, "MessageId": "m", "ReceiptHandle": "r"})


def test_keys_come_url_encoded() -> None:
    found = parsed(json.dumps({"Records": [record(quote_plus(KEY)), record(quote_plus(KEY, safe="/=-"), None)]}))
    assert found == Notification("r", "m", (RawObject(KEY, 123, HOUR), RawObject(KEY, 0, HOUR)))


def test_the_test_event_is_no_object_and_no_problem() -> None:
    found = parsed(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "lake"}))
    assert found == Notification("r", "m", ())


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "JSONDecodeError"),
        ("hello", "JSONDecodeError"),
        ("[]", "AttributeError"),
        ("null", "AttributeError"),
        ("{}", "KeyError: 'Records'"),
        ('{"Records": [{}]}', "KeyError: 's3'"),
        ('{"Records": 7}', "TypeError"),
        (json.dumps({"Records": [record("curated/telemetry/a.parquet")]}), "is no raw object: expected raw/telemetry/"),
        (json.dumps({"Records": [record(KEY.replace("hour=12", "hour=25"))]}), "is no raw object"),
    ],
)
def test_what_cannot_be_read_says_why(body: str, problem: str) -> None:
    found = parsed(body)
    assert found.objects == ()
    assert problem in (found.problem or "")


def test_one_foreign_key_makes_the_whole_notification_unreadable() -> None:
    found = parsed(json.dumps({"Records": [record(quote_plus(KEY)), record("elsewhere")]}))
    assert found.objects == ()
    assert found.problem
