"""What Glue runs: the streaming query on the stream itself. Its arguments are the job's (infra/stacks/streaming).

The source is Glue's own for Kinesis (Glue guide, "Kinesis connections"), taken as it is, so that the line that is
judged has the bytes that the raw zone has. Spark and Kinesis' source are there where Glue is, and nowhere else.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3

from iot_pipeline.contract import Contract
from iot_pipeline.streaming.batches import Batches
from iot_pipeline.streaming.streaming_query import MIN_WINDOW_SECONDS, Measures, start_query

# The dimension by which the platform's own metrics say which function they are of.
FUNCTION = "streaming"


@dataclass(frozen=True)
class JobOptions:
    """What the job is told. `window_seconds` is how often a micro-batch begins; the bounds are the contract's."""

    stream: str
    region: str
    starting_position: str
    bucket: str
    failures: str
    database: str
    checkpoint: str
    metrics: str
    window_seconds: int
    lateness_days: float
    future_hours: float

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> "JobOptions":
        """From the arguments, of which Glue adds some of its own. Ends the process for one that is missing or wrong."""
        parser = argparse.ArgumentParser(prog="streaming job", allow_abbrev=False)
        for name in ("stream", "region", "bucket", "failures", "database", "checkpoint", "metrics"):
            parser.add_argument(f"--{name}", required=True)
        parser.add_argument("--starting-position", choices=("LATEST", "TRIM_HORIZON"), default="LATEST")
        parser.add_argument("--window-seconds", type=int, required=True)
        parser.add_argument("--lateness-days", type=float, required=True)
        parser.add_argument("--future-hours", type=float, required=True)
        told, _of_glue = parser.parse_known_args(list(arguments))
        if told.window_seconds < MIN_WINDOW_SECONDS:
            parser.error(f"--window-seconds {told.window_seconds}: expected at least {MIN_WINDOW_SECONDS}")
        return cls(**vars(told))

    @property
    def contract(self) -> Contract:
        """The contract with this environment's bounds on event time."""
        return Contract(
            lateness_bound=timedelta(days=self.lateness_days),
            future_bound=timedelta(hours=self.future_hours),
        )


def publish_measures(cloudwatch: Any, namespace: str, measures: Measures) -> None:
    """Write how long a micro-batch took, how far it is behind and what it held. Raises botocore's errors."""
    notes = measures.batch.notes
    refused = sum(count for outcome, count in notes.outcomes.items() if outcome != "valid")
    values: dict[str, tuple[float, Any]] = {
        "lag_ms": (measures.lag_ms, "Milliseconds"),
        "duration_ms": (measures.seconds * 1000, "Milliseconds"),
        "records": (notes.records, "Count"),
        "refused": (refused, "Count"),
        "unjudged": (notes.unjudged, "Count"),
    }
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "function", "Value": FUNCTION}],
                "Timestamp": notes.committed_at,
                "Value": value,
                "Unit": unit,
            }
            for name, (value, unit) in values.items()
        ],
    )


def main(arguments: Sequence[str]) -> None:
    """Run the query until Glue ends it. Raises what ended the query; Glue's retries and the trigger begin it again."""
    from pyspark.sql import SparkSession

    options = JobOptions.parse(arguments)
    spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    source = (
        spark.readStream.format("kinesis")
        .option("streamName", options.stream)
        .option("endpointUrl", f"https://kinesis.{options.region}.amazonaws.com")
        .option("startingPosition", options.starting_position)
        .load()
    )
    s3, glue, cloudwatch = boto3.client("s3"), boto3.client("glue"), boto3.client("cloudwatch")
    batches = Batches(s3, glue, options.database, options.bucket, options.failures)
    query = start_query(
        source,
        batches,
        options.contract,
        options.checkpoint,
        lambda measures: publish_measures(cloudwatch, options.metrics, measures),
        {"processingTime": f"{options.window_seconds} seconds"},
    )
    query.awaitTermination()


if __name__ == "__main__":
    main(sys.argv[1:])
