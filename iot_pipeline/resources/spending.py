"""What Athena has cost, asked of Athena itself."""

from datetime import datetime

import boto3
import dagster as dg

from iot_pipeline.lake.spending import Spent, counted
from iot_pipeline.settings import deployment


class Spending(dg.ConfigurableResource["Spending"]):
    """The workgroups of this deployment."""

    def look(self, before: Spent | None, now: datetime) -> Spent:
        """What has been spent today, by what was at the last look. Raises botocore's errors."""
        return counted(boto3.client("athena"), deployment().workgroups, before, now)
