"""What a demo tells of its options: each that is on, as it found it, and nothing of the others."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from infra.local.demo.options_report import print_options
from infra.stacks.config import PlatformConfig

OBJECTS = {"k/1": b"PAR1....", "k/2": b"\x1f\x8b.....", "k/3": b"PAR1...."}


class Aws:
    """S3 with three objects, and Glue with a crawler."""

    def __init__(self, last: dict[str, Any] | None) -> None:
        self.last = last

    def get_object(self, *, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803  boto3's names
        assert (Bucket, Range) == ("lake", "bytes=0-3")
        return {"Body": io.BytesIO(OBJECTS[Key][:4])}

    def get_crawler(self, *, Name: str) -> dict[str, Any]:  # noqa: N803  boto3's names
        crawler = {"Name": Name, "State": "READY"}
        return {"Crawler": crawler | ({"LastCrawl": self.last} if self.last else {})}


def _told(monkeypatch: pytest.MonkeyPatch, config: PlatformConfig, last: dict[str, Any] | None = None) -> str:
    monkeypatch.setattr("infra.local.demo.options_report.boto3.client", lambda _service: Aws(last))
    for name in ("LAKE_BUCKET", "RESULTS_BUCKET", "RAW_QUEUE_URL", "GLUE_DATABASE", "ATHENA_WORKGROUP"):
        monkeypatch.setenv(f"IOT_{name}", "some")
    monkeypatch.setenv("IOT_RAW_CRAWLER", "raw-crawler")
    console = Console(file=io.StringIO(), width=200)
    print_options(config, [f"s3://lake/{key}" for key in OBJECTS], console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_nothing_is_told_where_no_option_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _told(monkeypatch, PlatformConfig()) == ""


def test_of_parquet_the_objects_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(PlatformConfig(), firehose_format="parquet")
    assert _told(monkeypatch, config) == "Firehose to Parquet: 2 of 3 raw objects are Parquet\n"


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (None, "there was none yet"),
        (
            {"Status": "SUCCEEDED", "StartTime": datetime(2026, 11, 30, 4, 5, 6, tzinfo=UTC)},
            "SUCCEEDED, begun at 2026-11-30 04:05:06",
        ),
    ],
)
def test_of_crawls_on_events_the_last_is_told(
    last: dict[str, Any] | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(PlatformConfig(), crawl_on_events_minutes=10)
    assert _told(monkeypatch, config, last) == (
        f"S3 arrival to crawler: the last crawl of raw-crawler: {told}; it is READY\n"
    )
