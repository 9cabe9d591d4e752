"""Glue's crawlers look at both zones daily; what they find is held against the contract."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from iot_pipeline.contract import Table, tables
from iot_pipeline.defs.curated.assets import curated_telemetry
from iot_pipeline.defs.evaluations import record
from iot_pipeline.defs.metadata import markdown_table
from iot_pipeline.defs.raw.assets import raw_telemetry
from iot_pipeline.lake.crawled import Difference, of_files, of_messages, told
from iot_pipeline.resources import Crawlers
from iot_pipeline.settings import Deployment, deployment


@dataclass(frozen=True)
class Zone:
    """A zone that a crawler looks at."""

    asset: dg.AssetKey
    check: str
    description: str
    crawler: Callable[[Deployment], str]
    table: Table
    compare: Callable[[Mapping[str, str], Table], Sequence[Difference]]

    def result(self, crawlers: Crawlers) -> dg.AssetCheckResult:
        """What the crawler found last, against the contract."""
        found = crawlers.found(self.crawler(deployment()))
        differences = self.compare(found, self.table) if found else []
        rows = [(each.column, each.contract or "-", each.found or "-") for each in differences]
        return dg.AssetCheckResult(
            asset_key=self.asset,
            check_name=self.check,
            passed=not differences,
            severity=dg.AssetCheckSeverity.WARN,
            description=told(differences) if found else "the crawler has not found anything yet",
            metadata={
                "columns found": len(found),
                "differences": markdown_table(("column", "contract", "found"), rows),
            },
        )


RAW = Zone(
    raw_telemetry.key,
    "raw_schema_is_known",
    "The crawler has found no field in messages that the contract does not know or has in another form.",
    lambda where: where.raw_crawler,
    tables().raw_telemetry,
    of_messages,
)
CURATED = Zone(
    curated_telemetry.key,
    "curated_schema_is_the_contracts",
    "The crawler has found in the curated files exactly the columns of the contract's table.",
    lambda where: where.curated_crawler,
    tables().curated_telemetry,
    of_files,
)


def _check(zone: Zone) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=zone.asset, name=zone.check, description=zone.description)
    def looked(crawlers: Crawlers) -> dg.AssetCheckResult:
        return zone.result(crawlers)

    return looked


schema_checks = [_check(RAW), _check(CURATED)]


@dg.op
def crawl_raw(context: dg.OpExecutionContext, crawlers: Crawlers) -> None:
    """Crawl the raw zone, to see whether the form of what devices send has changed."""
    _crawl(context, crawlers, RAW)


@dg.op
def crawl_curated(context: dg.OpExecutionContext, crawlers: Crawlers) -> None:
    """Crawl the curated zone, to see whether its files still have the table's schema."""
    _crawl(context, crawlers, CURATED)


def _crawl(context: dg.OpExecutionContext, crawlers: Crawlers, zone: Zone) -> None:
    name = zone.crawler(deployment())
    last = crawlers.crawl(name, context.log.info)
    context.log.info("crawler %s: %s, started %s", name, last["Status"], last["StartTime"])
    result = zone.result(crawlers)
    record(context.instance, result)
    context.add_output_metadata(result.metadata)


@dg.job(description="Runs the Glue crawlers of both zones, and holds what they find against the contract.")
def crawl() -> None:
    """Both zones, side by side."""
    crawl_raw()
    crawl_curated()


daily_crawl = dg.ScheduleDefinition(
    name="daily_crawl",
    job=crawl,
    cron_schedule="30 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="At 02:30 UTC: whether what lies in raw and curated has the form that the contract says.",
)
