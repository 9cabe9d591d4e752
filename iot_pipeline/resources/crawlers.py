"""Glue crawlers: start one and wait for its end."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
import dagster as dg

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import LastCrawlInfoTypeDef

POLL_SECONDS = 2.0
TIMEOUT_SECONDS = 1800.0


class CrawlError(RuntimeError):
    """A crawl failed, or did not end in time."""


class Crawlers(dg.ConfigurableResource["Crawlers"]):
    """The crawlers of this deployment."""

    def found(self, name: str) -> dict[str, str]:
        """The columns that a crawler has found, with their Hive types; none before its first crawl.

        A crawler that found several tables below its folder has the columns of all. Raises botocore's errors.
        """
        glue = boto3.client("glue")
        crawler = glue.get_crawler(Name=name)["Crawler"]
        prefix, found = crawler.get("TablePrefix", ""), dict[str, str]()
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=crawler["DatabaseName"]):
            for table in page["TableList"]:
                if table["Name"].startswith(prefix):
                    columns = table.get("StorageDescriptor", {}).get("Columns", [])
                    found |= {column["Name"]: column.get("Type", "") for column in columns}
        return found

    def crawl(self, name: str, progress: Callable[[str], None]) -> "LastCrawlInfoTypeDef":
        """Run a crawler to its end and return what Glue says of the crawl. One that runs already is waited for.

        Raises CrawlError with Glue's reason.
        """
        glue = boto3.client("glue")
        try:
            glue.start_crawler(Name=name)
        except glue.exceptions.CrawlerRunningException:
            progress(f"crawler {name} runs already; waiting for it")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (state := glue.get_crawler(Name=name)["Crawler"])["State"] != "READY":
            if time.monotonic() > deadline:
                raise CrawlError(f"crawler {name} is still {state['State']} after {TIMEOUT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
        last = state["LastCrawl"]
        if last["Status"] != "SUCCEEDED":
            raise CrawlError(f"crawler {name} ended {last['Status']}: {last.get('ErrorMessage', 'no reason given')}")
        return last
