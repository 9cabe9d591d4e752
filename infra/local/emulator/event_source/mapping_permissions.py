"""What a function's role has to allow for an event source mapping and for destinations.

AWS Lambda developer guide, "Process Amazon Kinesis Data Streams records with Lambda", execution role permissions, and
"Retain discarded batch records for a Kinesis Data Streams event source in Lambda", permissions of the destinations.
"""

from typing import Any

from ministack.core.arn import parse_arn

from infra.local.emulator.authorisation.service_roles import LAMBDA, ServiceRole

_OF_THE_STREAM = ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
# A consumer is pushed its records and asks for none.
_OF_A_FANNED_OUT_STREAM = ("DescribeStream", "DescribeStreamSummary", "ListShards")


def check_source(role_arn: str, mapping: Any) -> None:
    """Raise AccessDeniedError unless the function's role may read the mapping's stream."""
    stream_arn, _, consumer = mapping["EventSourceArn"].partition("/consumer/")
    role = ServiceRole(role_arn, LAMBDA, mapping["FunctionArn"])
    for name in _OF_A_FANNED_OUT_STREAM if consumer else _OF_THE_STREAM:
        role.check(f"kinesis:{name}", stream_arn)
    if consumer:
        role.check("kinesis:SubscribeToShard", mapping["EventSourceArn"])


def check_destination(role_arn: str, function_arn: str, destination: str, key: str) -> None:
    """Raise AccessDeniedError unless the function's role may tell the destination; `key` is that of an object in S3."""
    role = ServiceRole(role_arn, LAMBDA, function_arn)
    match parse_arn(destination).service:
        case "sqs":
            role.check("sqs:SendMessage", destination)
        case "sns":
            role.check("sns:Publish", destination)
        case "s3":
            role.check("s3:ListBucket", destination)
            role.check("s3:PutObject", f"{destination}/{key}")
