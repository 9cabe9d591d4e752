"""The Glue job of backfills: one run of it, started, followed to its end and, if the Dagster run is ended, stopped.

dagster-aws has a client for this, PipesGlueClient, which waits for an EXPIRED run for ever and has no time-out. Through
Pipes come the job's log lines alone: what a run has published stands in the lake, and is found there.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import dagster as dg
from botocore.exceptions import ClientError
from dagster_aws.pipes import PipesS3ContextInjector, PipesS3MessageReader

from iot_pipeline.settings import deployment
from iot_pipeline.spark.order import PIPES

POLL_SECONDS = 5.0
# Glue ends a run at the job's time-out (Glue API reference, "JobRun": minutes); its answer may come so much later.
GRACE_SECONDS = 600.0
# Glue developer guide, "AWS Glue job run statuses".
SUCCEEDED = "SUCCEEDED"
_ENDED = {SUCCEEDED, "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"}


class SparkJobError(RuntimeError):
    """A run of the Glue job could not be started, or did not end in time."""


@dataclass(frozen=True)
class JobRun:
    """How a run ended. `seconds` is what Glue bills, `dpu_hours` how much of it."""

    id: str
    state: str
    error: str
    seconds: int
    dpu_hours: float


class SparkJob(dg.ConfigurableResource["SparkJob"]):
    """The Glue job of this deployment."""

    def run_backfill(self, context: dg.OpExecutionContext, extras: Mapping[str, Any]) -> JobRun:
        """Run the job once and follow it to its end, whatever that is; its log lines go to the step's log.

        Raises SparkJobError if it could not be started or followed. The run is stopped if this step is interrupted.
        """
        s3, where = boto3.client("s3"), deployment()
        with dg.open_pipes_session(
            context=context,
            context_injector=PipesS3ContextInjector(bucket=where.lake_bucket, client=s3, key_prefix=PIPES),
            message_reader=_Messages(interval=POLL_SECONDS, bucket=where.lake_bucket, client=s3),
            extras=dict(extras),
        ) as session:
            run = _run_to_its_end(context, where.spark_job, session.get_bootstrap_cli_arguments())
        return _ended(run)


class _Messages(PipesS3MessageReader):
    """The reader, below the prefix that the job's role may write to."""

    @contextmanager
    def get_params(self) -> Iterator[dict[str, Any]]:
        with super().get_params() as params:
            yield {**params, "key_prefix": f"{PIPES}{params['key_prefix']}"}


def _run_to_its_end(context: dg.OpExecutionContext, job: str, arguments: Mapping[str, str]) -> Mapping[str, Any]:
    glue = boto3.client("glue")
    try:
        run_id = glue.start_job_run(JobName=job, Arguments=dict(arguments))["JobRunId"]
    except glue.exceptions.ConcurrentRunsExceededException as error:
        raise SparkJobError(
            f"a run of the Glue job {job} is under way and goes on by itself; run this again after it: what it has "
            "published is then reported"
        ) from error
    except ClientError as error:
        raise SparkJobError(f"the Glue job {job} could not be started: {error}") from error
    context.log.info("Glue job %s, run %s", job, run_id)
    try:
        return _followed(glue, job, run_id)
    except BaseException:
        # Dagster ends a step by an exception. A run that nobody follows would be billed for what nobody reports.
        stopped = glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
        if stopped["Errors"]:
            context.log.warning("Glue job %s, run %s was not stopped: %s", job, run_id, stopped["Errors"])
        raise


def _followed(glue: Any, job: str, run_id: str) -> Mapping[str, Any]:
    began = time.monotonic()
    while True:
        run: Mapping[str, Any] = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        if run["JobRunState"] in _ENDED:
            return run
        if time.monotonic() - began > 60 * run["Timeout"] + GRACE_SECONDS:
            raise SparkJobError(f"run {run_id} of the Glue job {job} is still {run['JobRunState']} after its time-out")
        time.sleep(POLL_SECONDS)


def _ended(run: Mapping[str, Any]) -> JobRun:
    seconds, capacity = int(run.get("ExecutionTime") or 0), float(run.get("MaxCapacity") or 0)
    # A job that scales says itself what it used (Glue API reference, "JobRun", DPUSeconds).
    dpu_seconds = float(run.get("DPUSeconds") or seconds * capacity)
    error = str(run.get("ErrorMessage") or "")
    return JobRun(run["Id"], run["JobRunState"], error, seconds, dpu_seconds / 3600)
