"""The lake as a Dagster resource."""

from collections.abc import Callable

import boto3
import dagster as dg

from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.settings import deployment, policy


class LakeResource(dg.ConfigurableResource["LakeResource"]):
    """Gives each use its own `Lake`, so that what its queries cost is counted for it alone."""

    def open(self, progress: Callable[[str], None] = lambda _: None) -> Lake:
        """The lake of this deployment. `progress` is told what is being done, with each query's id."""
        where = deployment()
        return Lake(
            bucket=where.lake_bucket,
            catalog=Catalog(boto3.client("glue"), where.glue_database),
            athena=Athena(
                where.athena_workgroup,
                where.glue_database,
                on_start=lambda query_id: progress(f"Athena query {query_id}"),
            ),
            contract=policy().contract,
            progress=progress,
        )
