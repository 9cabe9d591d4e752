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
