"""The job in Glue, what starts it, and its role."""

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets

from infra.stacks.base import PlatformStack
from infra.stacks.bundles import STREAMING, built
from infra.stacks.nag import accept, accept_wildcards
from infra.stacks.parameters import read
from infra.stacks.principals import for_this_account
from infra.stacks.statements import READ_STREAM, Statements, allow, listing, via
from iot_pipeline.contract.layout import STREAM_CHECKPOINT, STREAMED
from iot_pipeline.streaming.batches import TABLE, UNJUDGED

# Spark 3.5.6 and Python 3.11 (Glue guide, "AWS Glue versions").
GLUE_VERSION = "5.1"
# A quarter of a DPU, for streaming of low volume alone (Glue guide, "Worker types").
WORKER = "G.025X"
# Glue ends and begins a streaming job anew in this hour of the week, UTC, once it has run for days (Glue guide,
# "Maintenance windows for AWS Glue Streaming").
MAINTENANCE_WINDOW = "Tue:3"
_ENTRY = "iot_pipeline/streaming/glue_job.py"
# Where Glue writes what a job prints (Glue guide, "Logging for AWS Glue jobs").
_LOGS = "/aws-glue/jobs/*"


def add_job(stack: PlatformStack) -> glue.CfnJob:
    """The job and its trigger, which asks for it every hour: while it runs, Glue refuses a second run."""
    config = stack.config
    with built(STREAMING) as package:
        script = assets.Asset(stack, "Script", path=str(package / _ENTRY))
        modules = assets.Asset(stack, "Modules", path=str(package))
    role = _role(stack, [script, modules])
    job = glue.CfnJob(
        stack,
        "Job",
        name=config.streaming_job,
        description="Judges what the stream carries, in micro-batches, for whoever cannot wait for the batch",
        role=role.role_arn,
        command=glue.CfnJob.JobCommandProperty(
            name="gluestreaming", python_version="3", script_location=script.s3_object_url
        ),
        glue_version=GLUE_VERSION,
        worker_type=WORKER,
        # With auto scaling, the most there may be (Glue guide, "Using auto scaling for AWS Glue").
        number_of_workers=config.streaming_max_workers,
        max_retries=1,
        execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=1),
        maintenance_window=MAINTENANCE_WINDOW,
        default_arguments={
            "--extra-py-files": modules.s3_object_url,
            "--enable-auto-scaling": "true",
            "--enable-metrics": "true",
            "--enable-continuous-cloudwatch-log": "true",
            "--stream": read(stack, config, "stream"),
            "--region": config.region,
            "--bucket": config.lake_bucket,
            "--failures": config.failure_bucket,
            "--database": config.database,
            "--checkpoint": f"s3://{config.lake_bucket}/{STREAM_CHECKPOINT}",
            "--metrics": config.metrics,
            "--window-seconds": str(config.streaming_window_seconds),
            "--lateness-days": f"{config.lateness_days:g}",
            "--future-hours": f"{config.future_hours:g}",
        },
    )
    accept(job, "AwsSolutions-GL1", "The job's log counts records by batch; no telemetry is in it")
    accept(job, "AwsSolutions-GL3", "The job has no bookmark: its checkpoint lies encrypted in the lake's bucket")
    # Glue looks at the role when the job is made.
    job.node.add_dependency(role.node.find_child("DefaultPolicy"))
    glue.CfnTrigger(
        stack,
        "Start",
        name=config.streaming_job,
        description="Begins the job again where a run has ended",
        type="SCHEDULED",
        schedule="cron(5 * * * ? *)",
        start_on_creation=True,
        actions=[glue.CfnTrigger.ActionProperty(job_name=job.ref)],
    )
    return job


def _role(stack: PlatformStack, code: list[assets.Asset]) -> iam.Role:
    """A role that reads the stream, writes the job's own prefixes, and registers partitions of its own table."""
    config = stack.config
    role = iam.Role(stack, "JobRole", assumed_by=for_this_account("glue.amazonaws.com", config))
    stream = stack.format_arn(service="kinesis", resource="stream", resource_name=read(stack, config, "stream"))
    lake, failures = config.bucket_arn(config.lake_bucket), config.bucket_arn(config.failure_bucket)
    rows, checkpoint = config.lake_objects(STREAMED), config.lake_objects(STREAM_CHECKPOINT)
    unjudged, logs = f"{failures}/{UNJUDGED}*", stack.format_arn(service="logs", resource=f"log-group:{_LOGS}")
    table = stack.format_arn(service="glue", resource="table", resource_name=f"{config.database}/{TABLE}")
    database = stack.format_arn(service="glue", resource="database", resource_name=config.database)
    catalog = stack.format_arn(service="glue", resource="catalog")
    statements: Statements = {
        "Stream": allow([stream], "kinesis:DescribeStream", *READ_STREAM),
        "Rows": allow([rows], "s3:PutObject"),
        "Checkpoint": allow([checkpoint], "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        "FindCheckpoint": listing(lake, [STREAM_CHECKPOINT]),
        "KeepUnjudged": allow([unjudged], "s3:PutObject"),
        "LakeKey": via(stack, "s3", [read(stack, config, "lake-key")], "kms:Decrypt", "kms:GenerateDataKey"),
        "EdgeKey": via(stack, "s3", [read(stack, config, "edge-key")], "kms:GenerateDataKey"),
        "Commit": allow([catalog, database, table], "glue:GetTable", "glue:CreatePartition", "glue:UpdatePartition"),
        "Measure": iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": [config.metrics, "Glue"]}},
        ),
        "Log": allow([logs], "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        "Code": allow([f"{each.bucket.bucket_arn}/{each.s3_object_key}" for each in code], "s3:GetObject"),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, [rows, checkpoint, unjudged], "The job names what it writes, under prefixes of its own")
    accept_wildcards(role, [logs], "Glue makes the log groups, under a fixed prefix")
    accept_wildcards(role, ["*"], "Metrics have no resource type; the condition names their namespaces")
    return role
