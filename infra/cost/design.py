"""What of the platform's design can be chosen otherwise, and has its price."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from infra.cost.fleet import MINUTES_A_MONTH, Fleet
from infra.stacks.config import PlatformConfig
from infra.stacks.sizes import QUANTITIES, Size
from iot_pipeline.settings import Policy


class Publishing(StrEnum):
    """How what devices send comes in."""

    BROKER = "IoT Core's broker"
    BASIC_INGEST = "Basic Ingest"
    KINESIS = "Kinesis, by the devices themselves"


class Landing(StrEnum):
    """How it comes into the raw zone."""

    FIREHOSE = "Firehose, gzip"
    FIREHOSE_PARQUET = "Firehose, Parquet"
    RULE_TO_S3 = "the rule straight to S3"


class Finding(StrEnum):
    """How queries find the raw zone's partitions."""

    PROJECTION = "partition projection"
    CRAWLERS = "crawlers"


class Warehouse(StrEnum):
    """What holds the facts."""

    NONE = "none"
    SERVERLESS = "Redshift Serverless"
    PROVISIONED = "Redshift on nodes of its own"
    SNOWFLAKE = "Snowflake"


@dataclass(frozen=True)
class Design:
    """One choice of each."""

    publishing: Publishing = Publishing.BROKER
    landing: Landing = Landing.FIREHOSE
    finding: Finding = Finding.PROJECTION
    warehouse: Warehouse = Warehouse.SERVERLESS
    # IOT_BUILD_INTERVAL_MINUTES: how often hours with new raw objects are built, and loaded.
    build_minutes: int = Policy.model_fields["build_interval_minutes"].default
    # Whether both crawlers go through their zones once a day.
    daily_crawl: bool = True

    @property
    def stream(self) -> bool:
        """Whether there is a Kinesis stream, and with it the edge, which reads it."""
        return self.landing is not Landing.RULE_TO_S3

    def builds_an_hour(self, fleet: Fleet) -> float:
        """How often the open hour is built: an interval in which nothing came asks for no build."""
        messages = fleet.messages / MINUTES_A_MONTH * self.build_minutes
        return 60 / self.build_minutes * (1 - math.exp(-messages))


def of_size(size: Size) -> PlatformConfig:
    """The configuration that an environment of a size begins with, with the domain that its console needs."""
    config = PlatformConfig(size=size, **QUANTITIES[size])
    return replace(config, domain="example.com", hosted_zone="Z0000000EXAMPLE") if config.parts.services else config


def design_of(config: PlatformConfig) -> Design:
    """The design that an environment's stacks are."""
    small = config.size is Size.PROTOTYPE
    return Design(
        build_minutes=config.build_interval_minutes,
        daily_crawl=not small,
        landing=_landing(config),
        warehouse=Warehouse.SERVERLESS if config.parts.databases else Warehouse.NONE,
    )


def _landing(config: PlatformConfig) -> Landing:
    if not config.parts.stream:
        return Landing.RULE_TO_S3
    return Landing.FIREHOSE_PARQUET if config.raw_is_parquet else Landing.FIREHOSE
