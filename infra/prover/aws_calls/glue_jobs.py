"""What Glue and Spark call under a job's role by themselves; what our own code calls is found in its source."""

from collections.abc import Callable, Iterator, Mapping

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, listing, need
from infra.prover.places import OF_BACKFILLS
from infra.prover.product import process_calls
from iot_pipeline.spark.order import PIPES

_SOURCE = 'AWS Glue guide, "Kinesis connections": read access to the stream'
_CHECKPOINT = 'Spark guide, "Structured Streaming Programming Guide", "Recovering from Failures with Checkpointing"'
_CODE = 'AWS Glue guide, "Step 2: Create an IAM role for AWS Glue": script and modules are read in the job\'s name'
# Where a job of Glue 5.0 or newer writes what it prints and what Spark logs, unless it is given groups of its own.
_LOG_GROUPS = "/aws-glue/jobs/*"
_LOGS = 'AWS Glue guide, "Logging for AWS Glue jobs": the log groups have fixed names, and Glue makes them'
_METRICS = 'AWS Glue guide, "Monitoring AWS Glue using Amazon CloudWatch metrics"'
_OWN_NAMESPACE = 'CloudWatch guide, "Publish custom metrics", in the namespace of the platform'
_PIPES = 'Dagster docs, "Using Dagster Pipes with AWS Glue": the context is read, the messages are written'

BACKFILL = "iot_pipeline.spark.job"
# Found by a method's name alone, and not run there.
NOT_IN_BACKFILLS = (
    # Every call of `partitions` names its hours, so that none of them lists a table.
    "iot_pipeline.lake.catalog:Catalog._pages",
    # `columns` is a table's of the contract, or a frame's of Spark.
    "iot_pipeline.lake.catalog:Catalog.columns",
)


def job_calls(environment: Environment, job: Resource) -> Iterator[Need]:
    """A job's calls: those of our code, those of Spark, and Glue's own."""
    kind = job.properties["Command"]["Name"]
    if kind not in _BY_COMMAND:
        raise ValueError(f"{job.name}: a job of the command {kind}; say in infra/prover/aws_calls what it calls")
    yield from _BY_COMMAND[kind](environment, job)
    for url in (job.properties["Command"]["ScriptLocation"], job.properties["DefaultArguments"]["--extra-py-files"]):
        yield need("s3:GetObject", f"arn:aws:s3:::{url.removeprefix('s3://')}", _CODE)
    for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents"):
        yield need(f"logs:{action}", f"arn:aws:logs:{_regional(environment)}:log-group:{_LOG_GROUPS}", _LOGS)
    if job.properties["DefaultArguments"].get("--enable-metrics") == "true":
        yield need("cloudwatch:PutMetricData", "*", _METRICS, cloudwatch__namespace="Glue")


def _backfill_calls(environment: Environment, _job: Resource) -> Iterator[Need]:
    """The driver and its workers have one role. Spark itself reads and writes nothing: the workers' Python does."""
    yield from process_calls(environment, BACKFILL, OF_BACKFILLS, NOT_IN_BACKFILLS)
    for action in ("GetObject", "PutObject"):
        yield need(f"s3:{action}", f"arn:aws:s3:::{environment.config.lake_bucket}/{PIPES}*", _PIPES)


def _streaming_calls(environment: Environment, job: Resource) -> Iterator[Need]:
    yield from process_calls(environment, "iot_pipeline.streaming.glue_job")
    arguments = job.properties["DefaultArguments"]
    for action in ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"):
        stream = f"arn:aws:kinesis:{_regional(environment)}:stream/{arguments['--stream']}"
        yield need(f"kinesis:{action}", stream, _SOURCE)
    bucket, _, prefix = arguments["--checkpoint"].removeprefix("s3://").partition("/")
    for action in ("GetObject", "PutObject", "DeleteObject"):
        yield need(f"s3:{action}", f"arn:aws:s3:::{bucket}/{prefix}*", _CHECKPOINT)
    yield listing(f"arn:aws:s3:::{bucket}", prefix, _CHECKPOINT)
    yield need("cloudwatch:PutMetricData", "*", _OWN_NAMESPACE, cloudwatch__namespace=arguments["--metrics"])


# Glue API reference, "JobCommand".
_BY_COMMAND: Mapping[str, Callable[[Environment, Resource], Iterator[Need]]] = {
    "glueetl": _backfill_calls,
    "gluestreaming": _streaming_calls,
}


def _regional(environment: Environment) -> str:
    return f"{environment.config.region}:{environment.config.account}"
