"""The promises of the registry and the warehouse: they answer, and they are told to stop before they must.

Metrics: Aurora guide, "Performance and scaling for Aurora Serverless v2" (ACUUtilization, by cluster); Redshift guide,
"Amazon Redshift Serverless CloudWatch metrics" (ComputeSeconds by Workgroup, in RPU-seconds).
"""

from collections.abc import Iterator

import aws_cdk as cdk

from infra.stacks.alarming import metric
from infra.stacks.config import PlatformConfig
from infra.stacks.observability.promises import Promise

_FIVE_MINUTES = cdk.Duration.minutes(5)
_A_DAY = cdk.Duration.days(1)
# The share of the day's limit at which there is still time to act.
WARNED_AT = 0.8


def of_databases(config: PlatformConfig) -> Iterator[Promise]:
    """The alarms' promises of both databases.

    The warehouse's day is the last 24 hours and the limit's day begins at midnight UTC, so that the alarm comes sooner,
    never later. Redshift rounds what it counts against the limit up to whole RPU-hours.
    """
    limit = config.warehouse_rpu_hours_a_day
    yield Promise(
        "WarehouseNearsItsLimit",
        f"In 24 hours the warehouse has used {WARNED_AT:.0%} of its {limit} RPU-hours a day; at the limit it refuses "
        "queries, loads and models among them, until midnight UTC",
        metric("AWS/Redshift-Serverless", "ComputeSeconds", {"Workgroup": config.name}, "Sum", _A_DAY),
        round(limit * 3600 * WARNED_AT),
    )
    yield Promise(
        "RegistryAtItsCapacity",
        f"The registry has used over nine tenths of its {config.registry_max_acu:g} capacity units for 15 minutes",
        metric(
            "AWS/RDS", "ACUUtilization", {"DBClusterIdentifier": f"{config.name}-registry"}, "Average", _FIVE_MINUTES
        ),
        90,
        periods=3,
    )
