"""What differs between deployments of the platform: one typed object, the same templates."""

import os
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class PlatformConfig:
    """Account, region and the few quantities worth tuning.

    `name` prefixes everything that needs a fixed name, so that two deployments fit into one account.
    """

    account: str = "000000000000"
    region: str = "eu-west-1"
    name: str = "telemetry"
    # Firehose closes a buffer at whichever comes first ("Configure buffering hints": 1-128 MiB, 0-900 s). 64 MiB of
    # JSON is about 9 MiB of gzip: large enough for Athena, small enough to be in the lake after a minute.
    firehose_buffer_mib: int = 64
    firehose_interval_seconds: int = 60
    # Long enough to mend a delivery over a weekend's night; Kinesis bills beyond 24 h by the shard-hour.
    stream_retention_hours: int = 48
    # Athena bills 5 dollars a TB: a runaway query costs at most 50 cents.
    scan_cutoff_gib: int = 100
    query_results_days: int = 7
    # How long a deleted or overwritten object, an old version of a partition among them, can still be brought back.
    noncurrent_days: int = 7
    failed_delivery_days: int = 90
    log_days: int = 365
    # What UNLOAD wrote is fetched at once, or unloaded again.
    unload_days: int = 1
    # Off, `cdk destroy` removes the registry (with a final snapshot) and the warehouse (which the lake can rebuild).
    deletion_protection: bool = True
    # An Aurora capacity unit is 2 GiB of memory. Half a unit holds a registry of thousands of devices.
    registry_min_acu: float = 0.5
    registry_max_acu: float = 4
    registry_backup_days: int = 14
    # Redshift Serverless bills by the RPU-hour, about 0.4 dollars, and only while a query runs. At the day's limit it
    # refuses queries until midnight UTC: a runaway dashboard costs at most 20 dollars a day.
    warehouse_base_rpu: int = 8
    warehouse_max_rpu: int = 32
    warehouse_rpu_hours_a_day: int = 48

    @classmethod
    def from_environment(cls) -> Self:
        """The account and region that the CDK command line offers, else those of the local AWS."""
        return cls(
            account=os.environ.get("CDK_DEFAULT_ACCOUNT", cls.account),
            region=os.environ.get("CDK_DEFAULT_REGION", cls.region),
        )

    @property
    def lake_bucket(self) -> str:
        """The lake bucket's name.

        Fixed, because the queue's policy must name the bucket before the bucket exists: S3 refuses a notification
        to a queue that does not yet let it send (S3 user guide, "Granting permissions to publish event messages").
        """
        return f"{self.name}-lake-{self.account}-{self.region}"

    @property
    def crawled_database(self) -> str:
        """The database of what the crawlers find."""
        return f"{self.name}_crawled"

    def lake_objects(self, prefix: str) -> str:
        """The ARN pattern of all objects of the lake under a prefix."""
        return f"arn:aws:s3:::{self.lake_bucket}/{prefix}*"
