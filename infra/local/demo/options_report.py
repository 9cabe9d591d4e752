"""What a demo with options of arrival tells beside its books: of what format raw is, and what the crawler did."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import boto3
from rich.console import Console

from infra.stacks.config import PlatformConfig
from iot_pipeline.settings import deployment

# Of a Parquet file, its first and last four bytes (Apache Parquet, "File Format").
_MAGIC = b"PAR1"


def print_options(config: PlatformConfig, objects: Iterable[str], console: Console) -> None:
    """Print a line of each option that is on. `objects` are those of raw, s3://bucket/key."""
    if config.firehose_format == "parquet":
        begins = [_beginning(each) for each in objects]
        console.print(
            f"Firehose to Parquet: {begins.count(_MAGIC)} of {len(begins)} raw objects are Parquet", soft_wrap=True
        )
    if config.crawl_on_events_minutes:
        crawler = boto3.client("glue").get_crawler(Name=deployment().raw_crawler)["Crawler"]
        last = crawler.get("LastCrawl")
        told = f"{last['Status']}, begun at {last['StartTime']:%F %T}" if last else "there was none yet"
        console.print(
            f"S3 arrival to crawler: the last crawl of {crawler['Name']}: {told}; it is {crawler['State']}",
            soft_wrap=True,
        )


def _beginning(url: str) -> bytes:
    where = urlsplit(url)
    answer = boto3.client("s3").get_object(Bucket=where.netloc, Key=where.path[1:], Range=f"bytes=0-{len(_MAGIC) - 1}")
    return bytes(answer["Body"].read())
