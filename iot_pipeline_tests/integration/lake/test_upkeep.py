"""Clean-up of replaced versions, and the crawlers of both zones."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import pytest

from infra.local.session.platform import Platform
from iot_pipeline.contract import tables
from iot_pipeline.lake.cleanup import CleanUp, clean_up
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import Crawlers
from iot_pipeline.resources.crawlers import CrawlError
from iot_pipeline.settings import deployment
from iot_pipeline_tests.support.messages import RawZone, build, curated, line, message, reading

Z = tables()
NOTHING = timedelta(0)


def cleaned(lake: Lake, retention: timedelta) -> CleanUp:
    return clean_up(boto3.client("s3"), lake.catalog, lake.bucket, lake.contract, retention)


def versions(lake: Lake) -> set[str]:
    """The versions of the curated table that hold anything."""
    pages = (
        boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=lake.bucket, Prefix="curated/telemetry/v=")
    )
    return {item["Key"].split("/")[2] for page in pages for item in page.get("Contents", [])}


def test_only_replaced_versions_older_than_the_retention_go(lake: Lake, raw: RawZone, arrival: Hour) -> None:
    hours = [arrival + -1, arrival]
    raw.put(arrival, [line(message(*(reading(hour.start, 1) for hour in hours)), arrival.start)])
    there = [versions(lake)]
    assert build(lake, [arrival]) == hours
    there.append(versions(lake))
    for _ in range(2):  # the first version still serves the other hour, the second one nobody
        lake.curate([arrival])
        there.append(versions(lake))
    (first,), (second,), (third,) = (after - before for before, after in pairwise(there))
    rows = curated(lake, hours)
    abandoned = f"build_curated_telemetry_{datetime.now(UTC) - timedelta(days=2):%Y%m%dt%H%M%S}_0a1b2c3d"
    boto3.client("glue").create_table(DatabaseName=lake.catalog.database, TableInput={"Name": abandoned})

    kept = cleaned(lake, timedelta(hours=1))
    assert (kept.objects, kept.tables) == (0, 1)
    assert abandoned not in lake.catalog.table_names("build_")

    removed = cleaned(lake, NOTHING)
    assert removed.versions >= 2
    assert removed.bytes > 0
    left = versions(lake)
    assert {first, third} <= left
    assert second not in left
    assert curated(lake, hours) == rows
    assert cleaned(lake, NOTHING) == CleanUp(0, 0, 0, 0)


@pytest.fixture
def crawlers(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Crawlers:
    monkeypatch.setattr("iot_pipeline.resources.crawlers.POLL_SECONDS", 0.05)
    return Crawlers()


def test_crawlers_infer_the_schema_of_both_zones(crawlers: Crawlers, lake: Lake, raw: RawZone, arrival: Hour) -> None:
    whole = message(reading(arrival.start, 1), fw="1.0", device_id="meter-1")
    raw.put(arrival, [line(payload, arrival.start) for payload in (whole, b"no telemetry")])
    build(lake, [arrival])
    for name in (deployment().raw_crawler, deployment().curated_crawler):
        assert crawlers.crawl(name, lambda _: None)["Status"] == "SUCCEEDED"
    glue: Any = boto3.client("glue")
    database = glue.get_crawler(Name=deployment().raw_crawler)["Crawler"]["DatabaseName"]
    assert database != lake.catalog.database
    found = {table["Name"]: table for table in glue.get_tables(DatabaseName=database)["TableList"]}
    by_zone = {name.split("_")[0]: table for name, table in found.items()}
    inferred = {column["Name"]: column["Type"] for column in by_zone["curated"]["StorageDescriptor"]["Columns"]}
    assert inferred == {column.name: column.type for column in Z.curated_telemetry.columns}
    assert [key["Name"] for key in by_zone["curated"]["PartitionKeys"]] == ["v", "year", "month", "day", "hour"]
    raw_columns = {column["Name"]: column["Type"] for column in by_zone["raw"]["StorageDescriptor"]["Columns"]}
    assert {column.name for column in Z.raw_telemetry.columns if column.name.startswith("iot_")} <= set(raw_columns)
    assert "readings" in raw_columns  # as what, depends on the faults that other tests sent
    assert raw_columns["iot_received_at"] == "bigint"


def test_a_failed_crawl_says_why(crawlers: Crawlers, lake: Lake) -> None:
    glue: Any = boto3.client("glue")
    deployed = glue.get_crawler(Name=deployment().raw_crawler)["Crawler"]
    glue.create_crawler(
        Name="astray",
        Role=deployed["Role"],
        DatabaseName=deployed["DatabaseName"],
        Targets={"S3Targets": [{"Path": "s3://no-such-bucket-of-anyone/raw/"}]},
    )
    with pytest.raises(CrawlError, match=r"crawler astray ended FAILED: .+no-such-bucket"):
        crawlers.crawl("astray", lambda _: None)
