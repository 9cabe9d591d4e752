"""What Glue and Spark call under a job's role by themselves; what our own code calls is found in its source."""

from collections.abc import Iterator

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, UnprovedError, listing, need
from infra.prover.product import process_calls

_SOURCE = 'AWS Glue guide, "Kinesis connections": read access to the stream'
_STREAMING = "gluestreaming"
_CHECKPOINT = 'Spark guide, "Structured Streaming Programming Guide", "Recovering from Failures with Checkpointing"'
_CODE = 'AWS Glue guide, "Step 2: Create an IAM role for AWS Glue": script and modules are read in the job\'s name'
_LOGS = 'AWS Glue guide, "Logging for AWS Glue jobs": the log groups have fixed names, and Glue makes them'
_METRICS = 'AWS Glue guide, "Monitoring AWS Glue using Amazon CloudWatch metrics"'
_OWN_NAMESPACE = 'CloudWatch guide, "Publish custom metrics", in the namespace of the platform'


def job_calls(environment: Environment, job: Resource) -> Iterator[Need]:
    """A streaming job's calls. Raises UnprovedError for the job of backfills."""
    if job.properties["Command"]["Name"] != _STREAMING:
        raise UnprovedError("what Spark's workers call is not in the record, which is made without Spark")
    yield from process_calls(environment, "iot_pipeline.streaming.glue_job")
    config, arguments = environment.config, job.properties["DefaultArguments"]
    regional = f"{config.region}:{config.account}"
    for action in ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"):
        yield need(f"kinesis:{action}", f"arn:aws:kinesis:{regional}:stream/{arguments['--stream']}", _SOURCE)
    bucket, _, prefix = arguments["--checkpoint"].removeprefix("s3://").partition("/")
    for action in ("GetObject", "PutObject", "DeleteObject"):
        yield need(f"s3:{action}", f"arn:aws:s3:::{bucket}/{prefix}*", _CHECKPOINT)
    yield listing(f"arn:aws:s3:::{bucket}", prefix, _CHECKPOINT)
    for url in (job.properties["Command"]["ScriptLocation"], arguments["--extra-py-files"]):
        yield need("s3:GetObject", f"arn:aws:s3:::{url.removeprefix('s3://')}", _CODE)
    for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents"):
        yield need(f"logs:{action}", f"arn:aws:logs:{regional}:log-group:/aws-glue/*", _LOGS)
    yield need("cloudwatch:PutMetricData", "*", _METRICS, cloudwatch__namespace="Glue")
    yield need("cloudwatch:PutMetricData", "*", _OWN_NAMESPACE, cloudwatch__namespace=arguments["--metrics"])
