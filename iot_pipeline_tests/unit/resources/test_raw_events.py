"""Notifications as S3 and others write them."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.s3_events import EMPTY, FOLDER_MARKER, HIDDEN, REMOVED, SetAside
from iot_pipeline.resources.raw_events import Notification, RawObject, _notification

HOUR = Hour(datetime(2026, 11, 5, 12, tzinfo=UTC))
KEY = f"raw/telemetry/{HOUR.path}telemetry-1 a+b.gz"


FOLDER = f"raw/telemetry/{HOUR.path}"
# Every event that S3's API knows by name; those with a star stand for others.
S3_API = botocore.session.get_session().get_service_model("s3")
KINDS = [name for name in S3_API.shape_for("Event").metadata["enum"] if "*" not in name]
LOSSES = ("s3:ObjectRemoved:", "s3:LifecycleExpiration:", "s3:ReducedRedundancyLostObject")


def record(key: str, size: object = 123, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    entry: dict[str, Any] = {"key": key} if size is None else {"key": key, "size": size}
    return {"eventName": name, "s3": {"bucket": {"name": "lake"}, "object": entry}}


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


def told(key: str, size: object = 123, name: str = "ObjectCreated:Put") -> Notification:
    return parsed(json.dumps({"Records": [record(quote_plus(key), size, name)]}))


@pytest.mark.parametrize("prefix", ["", "s3:"], ids=["as messages have it", "as the API has it"])
@pytest.mark.parametrize("kind", KINDS)
def test_only_what_creates_an_object_is_a_new_one(kind: str, prefix: str) -> None:
    name = prefix + kind.removeprefix("s3:")
    found = told(KEY, 7, name)
    assert found.problem is None
    if kind.startswith("s3:ObjectCreated:"):
        assert (found.objects, found.set_aside) == ((RawObject(KEY, 7, HOUR),), ())
    elif kind.startswith(LOSSES):
        assert (found.objects, found.set_aside) == ((), (SetAside(KEY, REMOVED, is_loss=True),))
    else:
        assert (found.objects, found.set_aside) == ((), (SetAside(KEY, kind.removeprefix("s3:")),))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_of_a_foreign_key_is_unreadable_whatever_its_kind(kind: str) -> None:
    found = told("curated/telemetry/a.parquet", 7, kind)
    assert (found.objects, found.set_aside) == ((), ())
    assert "is no raw object" in (found.problem or "")


@given(st.text())
def test_an_event_that_s3_does_not_have_is_named(name: str) -> None:
    known = {kind.partition(":")[2].partition(":")[0] for kind in KINDS} | {"ObjectLegalHold"}
    if not name.removeprefix("s3:").startswith(tuple(known)):
        assert "is no event of S3" in (told(KEY, 7, name).problem or "")


def test_an_event_without_a_name_is_unreadable() -> None:
    nameless = {"s3": {"object": {"key": quote_plus(KEY), "size": 1}}}
    assert parsed(json.dumps({"Records": [nameless]})).problem == "KeyError: 'eventName'"


@pytest.mark.parametrize(
    ("key", "size", "what"),
    [
        (KEY, 0, EMPTY),
        (KEY, "0", EMPTY),
        (FOLDER, 0, FOLDER_MARKER),
        (FOLDER, 5, FOLDER_MARKER),
        (f"{FOLDER}sub/", 0, FOLDER_MARKER),
        ("raw/telemetry/year=2026/", 0, FOLDER_MARKER),
        ("raw/telemetry/", 0, FOLDER_MARKER),
        (f"{FOLDER}_SUCCESS", 9, HIDDEN),
        (f"{FOLDER}.telemetry-1.gz.crc", 9, HIDDEN),
        (f"{FOLDER}_temporary/telemetry-1.gz", 9, HIDDEN),
        (f"{FOLDER}.spark/telemetry-1.gz", 9, HIDDEN),
        (f"{FOLDER}__", 9, HIDDEN),
        ("raw/telemetry/_SUCCESS", 0, HIDDEN),
    ],
)
@pytest.mark.parametrize("name", ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload"])
def test_what_no_query_reads_is_named_and_is_no_data(key: str, size: object, what: str, name: str) -> None:
    assert told(key, size, name) == Notification("r", "m", (), None, (SetAside(key, what),))


@pytest.mark.parametrize(
    "name", ["telemetry_1.gz", "a.b", "-", "~", "telemetry-1_.", "tél émétrie+%2F.gz", "a\nb", "%"]
)
def test_other_names_are_data(name: str) -> None:
    assert told(FOLDER + name) == Notification("r", "m", (RawObject(FOLDER + name, 123, HOUR),))


def test_the_removal_of_what_no_query_reads_is_no_loss() -> None:
    assert told(FOLDER, None, "ObjectRemoved:Delete").set_aside == (SetAside(FOLDER, FOLDER_MARKER),)


@pytest.mark.parametrize("size", ["many", [], {}, "1.5"])
def test_a_size_that_is_no_number_is_unreadable(size: object) -> None:
    assert told(KEY, size).problem


def test_a_key_that_is_no_utf8_is_unreadable_and_not_another_key() -> None:
    found = parsed(json.dumps({"Records": [record(quote_plus(FOLDER) + "%ff.gz")]}))
    assert "UnicodeDecodeError" in (found.problem or "")


def test_a_notification_of_several_events_tells_each() -> None:
    records = [record(quote_plus(KEY)), record(quote_plus(KEY), None, "ObjectRemoved:Delete"), record(FOLDER + "e", 0)]
    found = parsed(json.dumps({"Records": records}))
    assert found.objects == (RawObject(KEY, 123, HOUR),)
    assert found.set_aside == (SetAside(KEY, REMOVED, is_loss=True), SetAside(FOLDER + "e", EMPTY))
