"""Opening the lake."""

from collections.abc import Callable

import boto3

from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.catalog import Catalog
from iot_pipeline.lake.compaction import Compaction
from iot_pipeline.lake.hours import Day
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects
from iot_pipeline.lake.publishing import Publisher
from iot_pipeline.settings import deployment, policy


def open_lake(progress: Callable[[str], None] = lambda _: None) -> Lake:
    """The lake of this deployment, a new one for each use, so that what its queries cost is counted for it alone.

    `progress` is told what is being done, with each query's id. Raises pydantic.ValidationError naming each variable
    that is missing or wrong.
    """
    where, catalog = deployment(), open_catalog()
    return Lake(
        bucket=where.lake_bucket,
        catalog=catalog,
        athena=Athena(
            where.athena_workgroup,
            where.glue_database,
            on_start=lambda query_id: progress(f"Athena query {query_id}"),
            # That of the catalog's client, which boto3 made for this process.
            session=boto3.DEFAULT_SESSION,
        ),
        contract=policy().contract,
        progress=progress,
        s3=boto3.client("s3"),
    )


def open_compaction(progress: Callable[[str], None] = lambda _: None) -> Compaction:
    """What compacts the days of this deployment's lake. Raises as `open_lake` does."""
    lake = open_lake(progress)
    publisher = Publisher(lake.bucket, lake.catalog, progress)
    first = Day.of(policy().partitions_start)
    return Compaction(lake.catalog, lake.athena, lake.contract, publisher, first, progress)


def open_catalog() -> Catalog:
    """The lake's tables in Glue. Raises as `open_lake` does."""
    return Catalog(boto3.client("glue"), deployment().glue_database)


def open_objects() -> Objects:
    """The objects in S3, of whichever bucket the deployment's credentials reach."""
    return Objects(boto3.client("s3"))
