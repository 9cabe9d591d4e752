"""Spark on AWS Glue, for backfills that are larger than Athena is cheap for. It costs nothing while nobody runs it."""

from pathlib import Path

from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from infra.stacks.base import PlatformStack
from infra.stacks.bundles import SPARK, built, pinned
from infra.stacks.config import PlatformConfig
from infra.stacks.glue_runs import tell_of_runs
from infra.stacks.nag import accept
from infra.stacks.spark.role import add_job_role
from infra.stacks.statements import add_statements, allow
from iot_pipeline.contract import Contract

_SCRIPT = Path(__file__).parent / "scripts" / "backfill_script.py"
# Glue 5.1 has Spark 3.5.6, Python 3.11 and Java 17 (AWS Glue developer guide, "AWS Glue versions").
GLUE_VERSION = "5.1"
# What the package needs beside what Glue 5.1 brings (boto3, pyarrow, pyspark); in the versions of requirements.txt.
MODULES = ("pyathena", "sqlglot", "dagster-pipes")

# A run is ended after six hours. People hear of it after four, while there is time to look.
_MOST_MINUTES, _SLOW_MINUTES = 360, 240


class SparkStack(PlatformStack):
    """The job of backfills, which Dagster's `spark_backfill` starts and follows."""

    def __init__(self, scope: Construct, config: PlatformConfig, contract: Contract) -> None:
        super().__init__(scope, "Spark", config, holds_data=False)
        role = add_job_role(self, contract)
        script = assets.Asset(self, "Script", path=str(_SCRIPT))
        with built(SPARK) as folder:
            package = assets.Asset(self, "Package", path=str(folder))
        own = [asset.bucket.arn_for_objects(asset.s3_object_key) for asset in (script, package)]
        add_statements(role, {"ReadCode": allow(own, "s3:GetObject")}, "")
        job = glue.CfnJob(
            self,
            "Backfill",
            name=config.spark_job,
            description="Judges and curates arrival hours by Spark; started by Dagster, which says which",
            role=role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=script.s3_object_url
            ),
            glue_version=GLUE_VERSION,
            worker_type="G.1X",
            number_of_workers=config.spark_workers,
            # A bill has an end: ten workers for six hours are 60 DPU-hours, 26.40 dollars.
            timeout=_MOST_MINUTES,
            notification_property=glue.CfnJob.NotificationPropertyProperty(notify_delay_after=_SLOW_MINUTES),
            max_retries=0,
            # One at a time: two would judge the same hours twice.
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
            default_arguments={
                "--extra-py-files": package.s3_object_url,
                "--additional-python-modules": ",".join(pinned(MODULES)),
                "--enable-auto-scaling": "true",
                "--enable-continuous-cloudwatch-log": "true",
                # The lake's ledger is the bookmark: Glue's reads a rewritten object again.
                "--job-bookmark-option": "job-bookmark-disable",
            },
        )
        job.node.add_dependency(role.node.find_child("DefaultPolicy"))
        accept(job, "AwsSolutions-GL1", "The job's log names hours and counts; no telemetry is in it")
        accept(job, "AwsSolutions-GL3", "There is no bookmark of Glue's to encrypt")
        tell_of_runs(
            self,
            config.spark_job,
            "Spark",
            "what it has published stands, and the next run over the same hours does the rest",
            _SLOW_MINUTES,
        )
        self.outputs(SparkJob=job.ref)
