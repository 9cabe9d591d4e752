"""The sizes that the platform comes in: which parts each has, and the quantities in which it differs from `team`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Size(StrEnum):
    """From one person's trial to a company's production; every size has the same contract, lake and books."""

    PROTOTYPE = "prototype"
    """Nothing that costs while nothing is sent: the rule writes straight to S3; no stream, no VPC, no database."""
    TEAM = "team"
    """Everything, in the smallest quantities that work."""
    PRODUCTION = "production"
    """Everything, with spare parts in other zones, longer memories and guards."""


@dataclass(frozen=True)
class Parts:
    """Which parts an environment has beside the lake, the ingestion and the queries, which all have."""

    stream: bool
    """Kinesis and Firehose between the rule and the lake, and the edge, which reads the stream."""
    databases: bool
    """The network, the registry and the warehouse."""
    services: bool
    """Dagster and the console on ECS. Without them both run at home."""
    guards: bool
    """CloudTrail, AWS Config, dashboards and the alarms of the promises."""
    customer_keys: bool
    """KMS keys of our own, which cost by the month. Without them AWS encrypts with its own."""


PARTS: Mapping[Size, Parts] = {
    Size.PROTOTYPE: Parts(stream=False, databases=False, services=False, guards=False, customer_keys=False),
    Size.TEAM: Parts(stream=True, databases=True, services=True, guards=True, customer_keys=True),
    Size.PRODUCTION: Parts(stream=True, databases=True, services=True, guards=True, customer_keys=True),
}

# What `PlatformConfig` begins with is the team's.
QUANTITIES: Mapping[Size, Mapping[str, Any]] = {
    Size.PROTOTYPE: {"deletion_protection": False, "log_days": 30},
    Size.TEAM: {},
    Size.PRODUCTION: {
        "registry_min_acu": 1,
        "registry_max_acu": 16,
        "registry_backup_days": 35,
        "stream_retention_hours": 168,
        "noncurrent_days": 30,
        "edge_concurrency": 100,
        "service_zones": 2,
        "service_tasks": 2,
        "service_max_tasks": 6,
        "runs_on_spot": False,
        "dagster_min_acu": 1,
        "dagster_max_acu": 8,
    },
}
