"""Raw objects that no device sent through the IoT rules, that cannot be read, or that were overwritten."""

import gzip
import json
from collections.abc import Callable

import pytest

from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline_tests.support.messages import RawZone, build, curated, line, message, quarantined, reading

WHOLE = gzip.compress(b"".join(b"%d\n" % n for n in range(5_000)))
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda body: body[: len(body) // 2],
    "cut off in its check sum": lambda body: body[:-3],
    "cut off in its header": lambda _: b"\x1f\x8b\x08",
    "text": gzip.decompress,
    "json": lambda _: b'{"v":1,"readings":[]}\n',
    "one bit wrong": lambda body: body[:40] + bytes([body[40] ^ 4]) + body[41:],
    "a second member that is none": lambda body: body + b"x" * 40,
    "a second member cut off": lambda body: body + WHOLE[:100],
}


def good(arrival: Hour, seq: int, **values: float) -> bytes:
    """A line with one reading of the hour's start, received a minute later."""
    sent = reading(arrival.start, seq, **values)
    return line(message(sent), arrival.start.replace(minute=1), trace=str(seq))


@pytest.mark.parametrize("how", BROKEN)
def test_an_object_that_cannot_be_read_is_set_aside_and_the_rest_is_built(
    lake: Lake, raw: RawZone, arrival: Hour, how: str
) -> None:
    raw.put(arrival, [good(arrival, n) for n in range(3)])
    broken = raw.put(arrival, [good(arrival, n) for n in range(10, 400)])
    key = broken.removeprefix(f"s3://{raw.bucket}/")
    raw.s3.put_object(
        Bucket=raw.bucket, Key=key, Body=BROKEN[how](raw.s3.get_object(Bucket=raw.bucket, Key=key)["Body"].read())
    )
    assert build(lake, [arrival]) == [arrival]
    assert [row["seq"] for row in curated(lake, [arrival])] == [0, 1, 2]
    (record,) = quarantined(lake, [arrival])
    assert (record["reason"], record["object"], record["device_id"]) == ("unreadable_object", broken, None)
    assert record["detail"].startswith("expected gzip, as the name says")
    (balance,) = lake.arrival_balances([arrival])
    assert (balance.received, balance.valid, balance.quarantined) == (4, 3, 1)
    # It is mended: restored from its versions, say.
    raw.s3.put_object(Bucket=raw.bucket, Key=key, Body=gzip.compress(good(arrival, 10) + b"\n"))
    build(lake, [arrival])
    assert [row["seq"] for row in curated(lake, [arrival])] == [0, 1, 2, 10]
    assert quarantined(lake, [arrival]) == []


def test_an_object_in_a_compression_that_nothing_here_writes_fails_no_hour(
    lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    uri = raw.put(arrival, [good(arrival, 1)])
    key = uri.removeprefix(f"s3://{raw.bucket}/").replace(".gz", ".zst")
    raw.s3.put_object(Bucket=raw.bucket, Key=key, Body=good(arrival, 2))
    assert build(lake, [arrival]) == [arrival]
    assert [row["seq"] for row in curated(lake, [arrival])] == [1]
    (record,) = quarantined(lake, [arrival])
    assert (record["reason"], record["object"]) == ("unreadable_object", f"s3://{raw.bucket}/{key}")
    assert record["detail"] == "expected gzip or plain text, as Firehose writes; zst cannot be checked here"
    # A crawler of another test would find it.
    raw.delete(f"s3://{raw.bucket}/{key}")


def test_what_a_person_put_there_has_a_reason_of_its_own(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    stray = [
        message(reading(arrival.start, 1), reading(arrival.start, 2)),
        b'[{"ts":1,"seq":1}]',
        b"17",
        b"null",
        json.dumps({"iot_device": "meter-1", "v": 1, "readings": [reading(arrival.start, 1)]}).encode(),
    ]
    raw.put(arrival, [*stray, good(arrival, 7), b"no JSON"])
    assert build(lake, [arrival]) == [arrival]
    assert [row["seq"] for row in curated(lake, [arrival])] == [7]
    found = quarantined(lake, [arrival])
    assert sorted(row["reason"] for row in found) == ["malformed_json"] + ["not_from_ingest"] * len(stray)
    assert all(row["device_id"] is None and row["tenant"] is None for row in found)
    assert {row["record"] for row in found} == {*(text.decode() for text in stray), "no JSON"}
    (balance,) = lake.arrival_balances([arrival])
    assert (balance.received, balance.valid, balance.quarantined) == (len(stray) + 2, 1, len(stray) + 1)


def test_an_object_overwritten_by_other_values_makes_its_event_hour_stale(
    lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    """Also by one with as many readings, whose least and greatest values are the same."""
    values = (20.0, 21.0, 22.0, 23.0)
    uri = raw.put(arrival, [good(arrival, n, temperature=value) for n, value in enumerate(values)])
    build(lake, [arrival])
    lake.judge([arrival])
    assert lake.stale([arrival]) == []
    swapped = (20.0, 22.0, 21.0, 23.0)
    body = b"".join(good(arrival, n, temperature=value) + b"\n" for n, value in enumerate(swapped))
    raw.s3.put_object(Bucket=raw.bucket, Key=uri.removeprefix(f"s3://{raw.bucket}/"), Body=gzip.compress(body))
    lake.judge([arrival])
    assert lake.stale([arrival]) == [arrival]
    lake.curate([arrival])
    assert [row["temperature"] for row in curated(lake, [arrival])] == list(swapped)
