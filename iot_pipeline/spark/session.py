"""Spark as the lake's statements want it."""

from collections.abc import Mapping
from types import MappingProxyType

from pyspark.sql import SparkSession

# An error is an error, as in Athena, and no NULL; a time without a zone means UTC.
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    # A second copy of a task would write the same object at the same time.
    "spark.speculation": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
}


def start_session(name: str, further: Mapping[str, str] = MappingProxyType({})) -> SparkSession:
    """The session of this process, with `further` settings of Spark."""
    builder = SparkSession.builder.appName(name)
    for key, value in (SETTINGS | dict(further)).items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    return session
