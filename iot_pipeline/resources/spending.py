"""What Athena has cost, asked of Athena itself."""

from datetime import datetime

import boto3
import dagster as dg

from iot_pipeline.lake.spending import Spent, counted
from iot_pipeline.settings import deployment


class Spending(dg.ConfigurableResource["Spending"]):
    """The workgroups of this deployment: of the builds, and of people."""

    def look(self, before: Spent | None, now: datetime) -> Spent:
        """What has been spent today, by what was at the last look. Raises botocore's errors."""
        where = deployment()
        groups = list(dict.fromkeys((where.athena_workgroup, where.people_workgroup, where.tenants_workgroup)))
        return counted(boto3.client("athena"), groups, before, now)
