"""Spark, started once a session; without the extra `spark` these tests are skipped."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest

from infra.local.servers.local_spark import MISSING, is_installed, spark_environment
from iot_pipeline.lake.lake import Lake
from iot_pipeline.lake.objects import Objects

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> "Iterator[SparkSession]":
    """A Spark of two threads, as the job starts it."""
    if not is_installed():
        pytest.skip(MISSING)
    before = dict(os.environ)
    os.environ.update(spark_environment())
    try:
        from iot_pipeline.spark.session import start_session

        session = start_session("tests", {"spark.master": "local[2]", "spark.ui.enabled": "false"})
        session.sparkContext.setLogLevel("ERROR")
        yield session
        _stop(session)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _stop(session: "SparkSession") -> None:
    """Stop Spark with its Java, which otherwise ends with this process alone: a run fails by what outlives it."""
    gateway = session.sparkContext._gateway
    assert gateway is not None
    session.stop()
    gateway.shutdown()
    # Java reads this pipe to its end, and then ends itself (pyspark/java_gateway.py).
    gateway.proc.stdin.close()
    gateway.proc.wait(30)


@pytest.fixture
def spark_lake(lake: Lake, spark: "SparkSession") -> Lake:
    """The same lake, whose statements Spark runs."""
    from iot_pipeline.spark.engine import SparkEngine
    from iot_pipeline.spark.scans import Scans

    scans = Scans(lake.bucket, lake.catalog, Objects(boto3.client("s3")), lake.contract)
    return replace(lake, athena=SparkEngine(spark, scans))
