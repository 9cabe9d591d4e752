"""Opening the query engine of this deployment."""

import boto3

from iot_pipeline.console.query.estimate import Estimator
from iot_pipeline.console.query.executions import Executions
from iot_pipeline.console.query.history import History
from iot_pipeline.console.query.sizes import Catalogued
from iot_pipeline.console.store import Store
from iot_pipeline.settings import deployment


def open_queries(store: Store) -> Executions:
    """What runs queries, keeping who asked what in the console's table.

    Raises pydantic.ValidationError naming each variable that is missing or wrong.
    """
    where, s3 = deployment(), boto3.client("s3")
    return Executions(
        athena=boto3.client("athena"),
        s3=s3,
        database=where.glue_database,
        people_workgroup=where.people_workgroup,
        tenants_workgroup=where.tenants_workgroup,
        estimator=Estimator.on(Catalogued(boto3.client("glue"), s3, where.glue_database)),
        history=History(store),
    )
