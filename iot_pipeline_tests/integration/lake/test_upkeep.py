"""Clean-up of replaced versions, and the crawlers of both zones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import boto3
import dagster as dg
import pytest

from infra.local.session.platform import Platform
from iot_pipeline.contract import tables
from iot_pipeline.defs.ops.crawled_schemas import CURATED, RAW, crawl
from iot_pipeline.defs.ops.schedules import _cleaned_until, clean_up_job
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.cleanup import CleanUp, clean_up
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.lake import Lake
from iot_pipeline.resources import RESOURCES, Crawlers
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


BUILT = f"{datetime.now(UTC) - timedelta(days=3):%Y%m%dT%H%M%S}_0a1b2c3d"
OF_A_BUILD = f"curated/telemetry/v={BUILT}/"
# Names that no build gives, below the curated zone, and what of each is reported.
STRANGE = {
    "v=backup/a.parquet": "v=backup/",
    "v=backup/year=2026/month=11/day=05/hour=05/a.parquet": "v=backup/",
    "v=/a": "v=/",
    "v=20261128T101112/year=2026/month=11/day=05/hour=05/a": "v=20261128T101112/",
    "v=20261128T101112_/a": "v=20261128T101112_/",
    "v=20261128T101112_0A1B2C3D/a": "v=20261128T101112_0A1B2C3D/",
    "v=20261128T101112_0a1b2c3d_copy/a": "v=20261128T101112_0a1b2c3d_copy/",
    "v=20261340T101112_0a1b2c3d/a": "v=20261340T101112_0a1b2c3d/",
    "v=20261128T256199_0a1b2c3d/a": "v=20261128T256199_0a1b2c3d/",
    "v=\uff12\uff10261128T101112_0a1b2c3d/a": "v=\uff12\uff10261128T101112_0a1b2c3d/",
    "v=+1/a": "v=+1/",
    "v=%2F/a": "v=%2F/",
    "v=ä/a": "v=ä/",
    "v=a\nb/a": "v=a\nb/",
    "year=2026/month=11/day=05/hour=05/a.parquet": "year=2026/",
    "readme.txt": "readme.txt",
    "_SUCCESS": "_SUCCESS",
    "a+b %41 ä\n.txt": "a+b %41 ä\n.txt",
    "": "",
    **{
        name: name
        for name in (
            f"v={BUILT}/notes.txt",
            f"v={BUILT}/year=2026/a",
            f"v={BUILT}/year=__HIVE_DEFAULT_PARTITION__/month=11/day=05/hour=05/a",
            f"v={BUILT}/year=2026/month=11/day=05/hour=__HIVE_DEFAULT_PARTITION__/a",
            f"v={BUILT}/year=2026/month=11/day=05/hour=xx/a",
            f"v={BUILT}/year=2026/month=11/day=05/hour=5/a",
            f"v={BUILT}/year=2026/month=02/day=30/hour=05/a",
            f"v={BUILT}/year=2026/month=11/day=05/hour=05/",
            f"v={BUILT}/year=2026/month=11/day=05/hour=05/deeper/a",
        )
    },
}
STRANGE_TABLES = (
    "build_",
    "build_report_of_may",
    "build_curated_telemetry",
    "build_curated_telemetry_of_20261101t101112_0a1b2c3d",
    "build_nothing_20261101t101112_0a1b2c3d",
    "build_curated_telemetry_20261301t101112_0a1b2c3d",
    "build_curated_telemetry_20261101t101112_0a1b2c3d_2",
)


@dataclass(frozen=True)
class Zone:
    """The curated zone of a lake, in which a person puts things."""

    lake: Lake
    s3: Any
    put_keys: list[str]
    put_partitions: list[list[str]]

    def put(self, *keys: str) -> list[str]:
        for key in keys:
            self.s3.put_object(Bucket=self.lake.bucket, Key=key, Body=b"x")
            self.put_keys.append(key)
        return list(keys)

    def left(self, keys: list[str]) -> list[str]:
        """Those of these keys that are there still."""
        there = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.lake.bucket, Prefix="curated/telemetry/")
        found = {item["Key"] for page in there for item in page.get("Contents", [])}
        return [key for key in keys if key in found]

    def point(self, values: list[str], location: str | None) -> None:
        """Register a partition as a person or a crawler does."""
        storage: Any = {} if location is None else {"Location": location}
        self.lake.catalog.glue.create_partition(
            DatabaseName=self.lake.catalog.database,
            TableName=Z.curated_telemetry.name,
            PartitionInput={"Values": values, "StorageDescriptor": storage},
        )
        self.put_partitions.append(values)


@pytest.fixture
def zone(lake: Lake) -> Iterator[Zone]:
    """What is put into it is gone after the test."""
    zone = Zone(lake, boto3.client("s3"), [], [])
    yield zone
    for key in zone.put_keys:
        zone.s3.delete_object(Bucket=lake.bucket, Key=key)
    for values in zone.put_partitions:
        lake.catalog.glue.delete_partition(
            DatabaseName=lake.catalog.database, TableName=Z.curated_telemetry.name, PartitionValues=values
        )


@pytest.mark.parametrize("since", [None, datetime(2026, 1, 1, tzinfo=UTC)], ids=["whole", "since"])
def test_names_that_no_build_gives_are_left_alone_and_reported(lake: Lake, zone: Zone, since: datetime | None) -> None:
    keys = zone.put(*(f"curated/telemetry/{name}" for name in STRANGE))
    garbage = zone.put(f"{OF_A_BUILD}year=2019/month=11/day=05/hour=05/a+b %41 ä\n.parquet")
    glue: Any = lake.catalog.glue
    for name in STRANGE_TABLES:
        glue.create_table(DatabaseName=lake.catalog.database, TableInput={"Name": name})
    try:
        removed = clean_up(zone.s3, lake.catalog, lake.bucket, lake.contract, timedelta(days=1), since=since)
        assert set(STRANGE_TABLES) <= set(lake.catalog.table_names("build_"))
    finally:
        for name in STRANGE_TABLES:
            lake.catalog.drop_table(name)
    assert zone.left(keys) == keys
    assert zone.left(garbage) == [], "what a build wrote goes, however its object is called"
    # A clean-up since a moment goes through the versions built since, and looks at what sorts around all versions.
    seen = {name for name in STRANGE.values() if since is None or not name.startswith("v=2") or BUILT in name}
    expected = {f"s3://{lake.bucket}/curated/telemetry/{name}" for name in seen}
    assert expected | {f"table {name}" for name in STRANGE_TABLES} <= set(removed.unknown)


FOREIGN = [
    ["2019", "11", "05", "xx"],
    ["2019", "11", "05", "5"],
    ["2019", "11", "5", "05"],
    ["2019", "13", "05", "05"],
    ["__HIVE_DEFAULT_PARTITION__", "11", "05", "05"],
    ["2019", "11", "05", "__HIVE_DEFAULT_PARTITION__"],
]


@pytest.mark.parametrize("since", [None, datetime(2026, 1, 1, tzinfo=UTC)], ids=["whole", "since"])
@pytest.mark.parametrize("values", FOREIGN, ids="-".join)
def test_a_partition_that_is_no_hour_keeps_its_objects_and_is_reported(
    lake: Lake, zone: Zone, values: list[str], since: datetime | None
) -> None:
    used, unused = zone.put(*(f"{OF_A_BUILD}year=2019/month=11/day=05/hour=0{n}/a" for n in (5, 6)))
    zone.point(values, f"s3://{lake.bucket}/{used.rsplit('/', 1)[0]}")
    removed = clean_up(zone.s3, lake.catalog, lake.bucket, lake.contract, timedelta(days=1), since=since)
    assert zone.left([used, unused]) == [used]
    assert [name for name in removed.unknown if f"partition {values} of curated_telemetry" in name]
    assert values not in [list(hour.values) for hour in lake.catalog.partitions("curated_telemetry")]


@pytest.mark.parametrize(
    "location",
    [
        "s3://{bucket}/{folder}/",
        "s3://{bucket}/{folder}",
        "s3a://{bucket}/{folder}/",
        "S3N://{bucket}/{folder}",
        "s3://{bucket}/{build}",
        "s3://{bucket}/curated/telemetry",
        "s3://{bucket}",
    ],
)
def test_what_a_partition_shows_stays_wherever_above_it_it_points(lake: Lake, zone: Zone, location: str) -> None:
    (key,) = zone.put(f"{OF_A_BUILD}year=2019/month=11/day=05/hour=05/a")
    zone.point(
        ["2019", "11", "05", "07"],
        location.format(bucket=lake.bucket, folder=key.rsplit("/", 1)[0], build=OF_A_BUILD.rstrip("/")),
    )
    cleaned(lake, timedelta(days=1))
    assert zone.left([key]) == [key]


@pytest.mark.parametrize("location", [None, "", "s3://elsewhere/a/", "hdfs://x/y", "nonsense", "s3://"])
def test_a_partition_that_lies_elsewhere_is_reported_and_stops_nothing(
    lake: Lake, zone: Zone, location: str | None
) -> None:
    garbage = zone.put(f"{OF_A_BUILD}year=2019/month=11/day=05/hour=05/a")
    zone.point(["2019", "11", "05", "05"], location)
    removed = cleaned(lake, timedelta(days=1))
    assert zone.left(garbage) == []
    assert [name for name in removed.unknown if name.startswith("partition 2019-11-05 05:00Z at ")]


def test_a_clean_up_since_a_moment_asks_for_no_more_than_was_built_since(
    lake: Lake, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = f"curated/telemetry/v={datetime.now(UTC) - timedelta(days=9):%Y%m%dT%H%M%S}_0a1b2c3d/"
    keys = zone.put(*(f"{build}year=2019/month=11/day=05/hour=05/a" for build in (old, OF_A_BUILD)))
    monkeypatch.setattr(Catalog, "listed", lambda *_: pytest.fail("all partitions were listed"))
    since = datetime.now(UTC) - timedelta(days=5)
    removed = clean_up(zone.s3, lake.catalog, lake.bucket, lake.contract, timedelta(days=1), since=since)
    assert zone.left(keys) == keys[:1]
    assert removed.objects >= 1
    monkeypatch.undo()
    cleaned(lake, timedelta(days=1))
    assert zone.left(keys) == [], "the clean-up of everything finds what was left"


def test_the_job_takes_up_where_the_last_clean_up_ended_and_goes_through_all_once_a_week(platform: Platform) -> None:
    day = timedelta(days=1)
    with dg.DagsterInstance.ephemeral() as instance:
        assert _cleaned_until(instance, day, datetime.now(UTC)) is None, "the first one goes through everything"
        failed = clean_up_job.execute_in_process(
            instance=instance, resources={**RESOURCES, "lake": object()}, raise_on_error=False
        )
        assert not failed.success
        assert _cleaned_until(instance, day, datetime.now(UTC)) is None, "a clean-up that failed has not been one"
        result = clean_up_job.execute_in_process(instance=instance, resources=RESOURCES)
        started = instance.get_run_records(dg.RunsFilter(run_ids=[result.run_id]))[0].start_time
        assert started
        at = datetime.fromtimestamp(started, UTC)
        assert _cleaned_until(instance, day, at) == at - day
        assert _cleaned_until(instance, day, at + 7 * day) is None, "the first one of a week goes through everything"
    (metadata,) = [event.step_output_data.metadata for event in result.all_events if event.is_successful_output]
    assert metadata["versions built since"].value == "ever"
    assert {"unknown names", "left alone", "objects", "build tables"} <= set(metadata)


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
    # As what the others are inferred depends on what other tests sent: even an arrival time that is a text.
    assert "readings" in raw_columns
    assert raw_columns["iot_device"] == "string"


def test_what_the_crawlers_find_is_held_against_the_contract(
    crawlers: Crawlers, lake: Lake, raw: RawZone, arrival: Hour
) -> None:
    raw.put(arrival, [line(message(reading(arrival.start, 1)), arrival.start)])
    build(lake, [arrival])
    with dg.DagsterInstance.ephemeral() as instance:
        assert crawl.execute_in_process(instance=instance, resources={"crawlers": crawlers}).success
        found = {
            zone.check: instance.get_latest_asset_check_evaluation_record(dg.AssetCheckKey(zone.asset, zone.check))
            for zone in (RAW, CURATED)
        }
    assert all(found.values())
    assert CURATED.result(crawlers).passed
    result = RAW.result(crawlers)
    told = str(result.metadata["differences"].value)
    # Other tests send what the contract does not know, `readings` that are none among it.
    assert "iot_device" not in told
    assert result.passed == (result.description is None)


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
