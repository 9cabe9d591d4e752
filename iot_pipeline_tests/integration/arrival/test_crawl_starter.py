"""S3's events start the raw crawler on the local AWS: by EventBridge, the queue and the function that is deployed."""

import io
import re
from datetime import UTC, datetime
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from infra.local.session.platform import Platform
from iot_pipeline.contract.layout import CURATED, QUERY_RESULTS, RAW
from iot_pipeline.lake.hours import Hour
from iot_pipeline_tests.support.emulator import eventually

STORM = 300
ARRIVAL = Hour(datetime(2021, 5, 5, 5, tzinfo=UTC))


def body() -> bytes:
    """A raw object."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({"line": ["{}"]}), buffer)
    return buffer.getvalue()


class Starter:
    """What there is of the crawl starter on a platform."""

    def __init__(self, platform: Platform) -> None:
        self.outputs = platform.deployed.outputs
        self.function = self.outputs["CrawlFunction"]
        self.bucket = self.outputs["LakeBucket"]
        self.s3 = boto3.client("s3")

    def hurry(self) -> None:
        """Three seconds between crawls, in place of ten minutes."""
        client = boto3.client("lambda")
        variables = client.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        quick = {**variables, "IOT_CRAWL_PAUSE_MINUTES": "0.05"}
        client.update_function_configuration(FunctionName=self.function, Environment={"Variables": quick})

    def put(self, key: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body())

    def log(self) -> str:
        logs = boto3.client("logs")
        group = boto3.client("lambda").get_function_configuration(FunctionName=self.function)["LoggingConfig"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["LogGroup"])
        return "\n".join(event["message"] for page in pages for event in page["events"])

    def crawled(self) -> list[int]:
        """For how many arrivals each crawl was that has succeeded."""
        return [int(count) for count in re.findall(r"has crawled (\d+) arrivals", self.log())]

    def settled(self, arrivals: int) -> Any:
        """The last crawl, once so many arrivals are crawled; None before."""
        if sum(self.crawled()) < arrivals:
            return None
        return boto3.client("glue").get_crawler(Name=self.outputs["RawCrawler"])["Crawler"]["LastCrawl"]


def test_a_storm_is_crawled_seldom_whole_and_alone(parquet_platform: Platform) -> None:
    """Other zones ask for nothing, the sensor's queue is told of all, and the last object has a crawl after it."""
    starter = Starter(parquet_platform)
    starter.hurry()
    before = sum(starter.crawled())
    for number in range(STORM):
        starter.put(f"{RAW}{ARRIVAL.path}tenant=acme/{number}.parquet")
    starter.put(f"{QUERY_RESULTS}1.parquet")
    starter.put(f"{CURATED}v=1/{ARRIVAL.path}1.parquet")
    put_at = datetime.now(UTC).replace(microsecond=0)
    last = eventually(lambda: starter.settled(before + STORM), 60)
    assert last["Status"] == "SUCCEEDED"
    assert last["StartTime"] >= put_at, "the last object lay there when the last crawl began"
    assert sum(starter.crawled()) == before + STORM, "and nothing else was an arrival"
    assert len(starter.crawled()) <= 10, "300 objects are no 300 crawls"
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=starter.outputs["RawQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    assert int(attributes["ApproximateNumberOfMessages"]) >= STORM
    starter.put(f"{RAW}{ARRIVAL.path}tenant=acme/one-more.parquet")
    one_more = datetime.now(UTC).replace(microsecond=0)
    last = eventually(lambda: starter.settled(before + STORM + 1), 60)
    assert last["StartTime"] >= one_more
