"""What AWS's services call by themselves on the way of the data: IoT rules, Firehose, crawlers, COPY, flow logs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import Need, listing, need
from iot_pipeline.contract import CONTRACT, tables
from iot_pipeline.contract.layout import REGISTRY, UNLOAD

_RULES = 'AWS IoT Core developer guide, "AWS IoT rule actions", {}'
_FIREHOSE_S3 = 'Firehose guide, "Controlling access", "Grant Firehose access to an Amazon S3 destination"'
_FIREHOSE_GLUE = 'Firehose guide, "Controlling access", "Grant Firehose access to AWS Glue for data format conversion"'
_REGISTER = 'AWS IoT Core developer guide, "Provisioning devices that don\'t have device certificates"'
_CRAWLER = 'AWS Glue guide, "Crawler prerequisites": AWSGlueServiceRole, to what the crawler is pointed at'
_CRAWLER_INDEX = 'AWS Glue guide, "Customizing crawler behavior", partition indexes'
_CRAWLER_LOG = 'AWS Glue guide, "Crawler prerequisites": the log group has a fixed name, and Glue makes it'
_COPY = 'Redshift guide, "COPY", "Permissions to access other AWS resources"'
_UNLOAD = 'Redshift guide, "UNLOAD", "Permissions to access other AWS resources"'
_FLOWS = 'VPC guide, "IAM role for publishing flow logs to CloudWatch Logs", with a log group that is there'
_RECORDER = 'AWS Config guide, "Permissions for the IAM role assigned to AWS Config"'
_SCHEDULER = (
    'EventBridge Scheduler guide, "Using universal targets"; service authorization reference, Redshift Serverless'
)
_LOG_STREAM = ":*"


def rule_calls(environment: Environment, rule: Resource) -> Iterator[Need]:
    """An IoT rule's actions."""
    payload = rule.properties["TopicRulePayload"]
    config = environment.config
    for action in (*payload["Actions"], payload.get("ErrorAction", {})):
        for kind, made in action.items():
            if kind == "Kinesis":
                arn = f"arn:aws:kinesis:{config.region}:{config.account}:stream/{made['StreamName']}"
                yield need("kinesis:PutRecord", arn, _RULES.format("Kinesis Data Streams"))
            elif kind == "S3":
                folder = made["Key"].split("${", 1)[0].rpartition("/")[0]
                yield need("s3:PutObject", f"arn:aws:s3:::{made['BucketName']}/{folder}/*", _RULES.format("S3"))
            elif kind == "Sqs":
                name = made["QueueUrl"].rpartition("/")[2]
                yield need(
                    "sqs:SendMessage", f"arn:aws:sqs:{config.region}:{config.account}:{name}", _RULES.format("SQS")
                )
            else:
                raise ValueError(f"{rule.name}: the action {kind} is not known to the prover; say what it calls")


def delivery_calls(environment: Environment, delivery: Resource, way: str) -> Iterator[Need]:
    """What Firehose calls under the role of one way: of its source, or of its destination."""
    if way.startswith("KinesisStreamSourceConfiguration"):
        stream = delivery.properties["KinesisStreamSourceConfiguration"]["KinesisStreamARN"]
        for action in ("DescribeStream", "GetShardIterator", "GetRecords", "ListShards"):
            yield need(f"kinesis:{action}", stream, _FIREHOSE_S3)
        return
    made = delivery.properties["ExtendedS3DestinationConfiguration"]
    bucket = made["BucketARN"]
    for action in ("GetBucketLocation", "ListBucket", "ListBucketMultipartUploads"):
        yield need(f"s3:{action}", bucket, _FIREHOSE_S3)
    for prefix in (made["Prefix"], made["ErrorOutputPrefix"]):
        folder = prefix.split("!{", 1)[0].rpartition("/")[0]
        objects = f"{bucket}/{folder}/*"
        for action in ("AbortMultipartUpload", "GetObject", "PutObject"):
            yield need(f"s3:{action}", objects, _FIREHOSE_S3)
    yield from _conversion_calls(environment, made)
    logging = made.get("CloudWatchLoggingOptions", {})
    if logging.get("Enabled"):
        config = environment.config
        group = f"arn:aws:logs:{config.region}:{config.account}:log-group:{logging['LogGroupName']}{_LOG_STREAM}"
        yield need("logs:PutLogEvents", group, _FIREHOSE_S3)


def _conversion_calls(environment: Environment, destination: Mapping[str, Any]) -> Iterator[Need]:
    """What Firehose calls to transform records, and to find the columns that it converts them to."""
    processing = destination.get("ProcessingConfiguration", {})
    for processor in processing.get("Processors", []) if processing.get("Enabled") else []:
        given = {each["ParameterName"]: each["ParameterValue"] for each in processor.get("Parameters", [])}
        if processor["Type"] == "Lambda":
            for action in ("InvokeFunction", "GetFunctionConfiguration"):
                yield need(f"lambda:{action}", given["LambdaArn"], _FIREHOSE_S3)
    schema = destination.get("DataFormatConversionConfiguration", {}).get("SchemaConfiguration")
    if schema:
        glue = f"arn:aws:glue:{environment.config.region}:{environment.config.account}:"
        database = schema["DatabaseName"]
        for action in ("GetTable", "GetTableVersion", "GetTableVersions"):
            for resource in ("catalog", f"database/{database}", f"table/{database}/{schema['TableName']}"):
                yield need(f"glue:{action}", glue + resource, _FIREHOSE_GLUE)


def registering_calls(_environment: Environment, template: Resource) -> Iterator[Need]:
    """What RegisterThing calls for a template of a thing, its type, a certificate and a policy that are there."""
    kinds = {
        made["Type"].rpartition("::")[2]
        for made in json.loads(template.properties["TemplateBody"])["Resources"].values()
    }
    if not kinds <= {"Thing", "Certificate", "Policy"}:
        raise ValueError(f"{template.name} makes {', '.join(sorted(kinds))}; say in infra/prover what that calls")
    for name in (
        *("DescribeThing", "CreateThing", "UpdateThing", "DescribeThingType", "AttachThingPrincipal"),
        *("DescribeCertificate", "UpdateCertificate", "GetPolicy", "AttachPolicy", "AttachPrincipalPolicy"),
    ):
        yield need(f"iot:{name}", "*", _REGISTER)


def crawler_calls(environment: Environment, crawler: Resource) -> Iterator[Need]:
    """What a crawler reads, and what it writes to its own database."""
    config = environment.config
    for target in crawler.properties["Targets"]["S3Targets"]:
        bucket, _, prefix = target["Path"].removeprefix("s3://").partition("/")
        arn = f"arn:aws:s3:::{bucket}"
        yield listing(arn, prefix, _CRAWLER)
        yield need("s3:GetBucketLocation", arn, _CRAWLER)
        yield need("s3:GetObject", f"{arn}/{prefix}*", _CRAWLER)
    glue = f"arn:aws:glue:{config.region}:{config.account}:"
    database = crawler.properties["DatabaseName"]
    on_all = (f"{glue}catalog", f"{glue}database/{database}", f"{glue}table/{database}/*")
    for name in _CRAWLER_ON_TABLES:
        for resource in on_all:
            yield need(f"glue:{name}", resource, _CRAWLER_INDEX if "Index" in name else _CRAWLER)
    for resource in on_all[:2]:
        yield need("glue:GetDatabase", resource, _CRAWLER)
    group = f"arn:aws:logs:{config.region}:{config.account}:log-group:/aws-glue/crawlers*"
    for name in ("CreateLogGroup", "CreateLogStream", "PutLogEvents"):
        yield need(f"logs:{name}", group, _CRAWLER_LOG)


# Each is authorised on the table, its database and the catalog (Glue guide, "Specifying AWS Glue resource ARNs").
_CRAWLER_ON_TABLES = (
    *("GetTable", "GetTables", "CreateTable", "UpdateTable"),
    *("GetPartition", "GetPartitions", "BatchGetPartition", "BatchCreatePartition"),
    *("UpdatePartition", "BatchUpdatePartition", "GetPartitionIndexes", "CreatePartitionIndex"),
)


def copy_calls(environment: Environment, _namespace: Resource) -> Iterator[Need]:
    """What COPY and UNLOAD call: the statements are those of iot_pipeline/warehouse."""
    bucket = f"arn:aws:s3:::{environment.config.lake_bucket}"
    made = tables(CONTRACT)
    for prefix in (made.curated_telemetry.prefix, made.alert_history.prefix, REGISTRY):
        yield listing(bucket, prefix, _COPY)
        yield need("s3:GetObject", f"{bucket}/{prefix}*", _COPY)
    yield need("s3:GetBucketLocation", bucket, _COPY)
    yield listing(bucket, UNLOAD, _UNLOAD)
    for action in ("PutObject", "GetObject", "AbortMultipartUpload"):
        yield need(f"s3:{action}", f"{bucket}/{UNLOAD}*", _UNLOAD)


def recorder_calls(environment: Environment, recorder: Resource) -> Iterator[Need]:
    """What AWS Config delivers; what it reads stands in AWS's own policy."""
    _ = recorder
    for channel in environment.of_type("AWS::Config::DeliveryChannel"):
        bucket = f"arn:aws:s3:::{channel.properties['S3BucketName']}"
        for action in ("GetBucketAcl", "ListBucket"):
            yield need(f"s3:{action}", bucket, _RECORDER)
        prefix = channel.properties.get("S3KeyPrefix")
        folder = f"{prefix}/" if prefix else ""
        written = f"{bucket}/{folder}AWSLogs/{environment.config.account}/Config/*"
        yield need("s3:PutObject", written, _RECORDER, **{"s3__x-amz-acl": "bucket-owner-full-control"})
        if key := channel.properties.get("S3KmsKeyArn"):
            for action in ("Decrypt", "GenerateDataKey"):
                yield need(f"kms:{action}", key, _RECORDER)


def schedule_calls(environment: Environment, schedule: Resource) -> Iterator[Need]:
    """What EventBridge Scheduler calls. Raises ValueError for a target that is not known here."""
    target, config = schedule.properties["Target"], environment.config
    if target["Arn"] != "arn:aws:scheduler:::aws-sdk:redshiftserverless:createSnapshot":
        raise ValueError(f"{schedule.name}: {target['Arn']} is not known to the prover; say what it calls")
    # A snapshot and its namespace, whose ARN has an id of AWS's making.
    for kind in ("namespace", "snapshot"):
        arn = f"arn:aws:redshift-serverless:{config.region}:{config.account}:{kind}/*"
        yield need("redshift-serverless:CreateSnapshot", arn, _SCHEDULER)


def flow_log_calls(environment: Environment, flow_log: Resource) -> Iterator[Need]:
    """What the flow logs' service writes."""
    config = environment.config
    group = (
        f"arn:aws:logs:{config.region}:{config.account}:log-group:{flow_log.properties['LogGroupName']}{_LOG_STREAM}"
    )
    for action in ("CreateLogStream", "DescribeLogStreams", "PutLogEvents"):
        yield need(f"logs:{action}", group, _FLOWS)
