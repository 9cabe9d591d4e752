"""Questions to the lake: Athena's workgroups, and the crawlers that look for themselves."""

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.config import PlatformConfig
from infra.stacks.queries.crawl_starter import add_crawl_starter
from infra.stacks.queries.crawlers import add_crawlers
from infra.stacks.queries.workgroups import add_workgroups
from iot_pipeline.contract import Contract, tables


class QueriesStack(PlatformStack):
    """What reads the lake, and holds nothing."""

    def __init__(self, scope: Construct, config: PlatformConfig, contract: Contract) -> None:
        super().__init__(scope, "Queries", config, holds_data=False)
        bucket = s3.Bucket.from_bucket_name(self, "Lake", config.lake_bucket)
        key = self.lake_key("Key")
        crawlers = add_crawlers(self, config, bucket, key, tables(contract))
        if config.crawl_on_events_minutes:
            add_crawl_starter(self, crawlers.raw)
        workgroups = add_workgroups(self, config, key)
        self.outputs(
            AthenaWorkgroup=workgroups.people.ref,
            AthenaTenantsWorkgroup=workgroups.tenants.ref,
            AthenaBuildWorkgroup=workgroups.builds.ref,
            RawCrawler=crawlers.raw.ref,
            CuratedCrawler=crawlers.curated.ref,
        )
