"""What a delivery stream's roles have to allow, and the error log that one of them writes.

Amazon Data Firehose developer guide, "Controlling access with Amazon Data Firehose": the policies of "Grant Firehose
access to an Amazon S3 destination" and of "Kinesis as source", less what only streams of other kinds need. Firehose's
own calls are not documented one by one: what the guide demands is what is demanded here. "Monitor Amazon Data Firehose
using CloudWatch Logs": the error log.
"""

import json
from typing import Any

from infra.local.emulator.authorisation.denials import AccessDeniedError
from infra.local.emulator.authorisation.service_roles import ServiceRole
from infra.local.emulator.log_lines import append_lines, stream_arn

FIREHOSE = "firehose.amazonaws.com"
_OF_THE_STREAM = ("DescribeStream", "GetShardIterator", "GetRecords", "ListShards")
_OF_THE_BUCKET = ("GetBucketLocation", "ListBucket", "ListBucketMultipartUploads")
_OF_THE_OBJECT = ("AbortMultipartUpload", "GetObject", "PutObject")


def check_source(stream: Any) -> None:
    """Raise AccessDeniedError unless the stream may read its Kinesis stream, if it has one."""
    source = stream.get("kinesis_source")
    if stream["type"] != "KinesisStreamAsSource" or not source:
        return
    role = ServiceRole(source["RoleARN"], FIREHOSE, stream["arn"])
    for name in _OF_THE_STREAM:
        role.check(f"kinesis:{name}", source["KinesisStreamARN"])


def check_destination(stream: Any, config: Any, bucket: str, key: str) -> None:
    """Raise AccessDeniedError unless the stream may write an object; a large one goes in parts."""
    role = ServiceRole(config["RoleARN"], FIREHOSE, stream["arn"])
    for name in _OF_THE_BUCKET:
        role.check(f"s3:{name}", f"arn:aws:s3:::{bucket}")
    for name in _OF_THE_OBJECT:
        role.check(f"s3:{name}", f"arn:aws:s3:::{bucket}/{key}")


def log_failure(stream: Any, config: Any, message: str) -> None:
    """Write why a delivery failed to the stream's error log, if it has one and may."""
    options = config.get("CloudWatchLoggingOptions") or {}
    if not options.get("Enabled"):
        return
    group, name = options["LogGroupName"], options["LogStreamName"]
    try:
        ServiceRole(config["RoleARN"], FIREHOSE, stream["arn"]).check("logs:PutLogEvents", stream_arn(group, name))
    except AccessDeniedError:
        return
    line = {"deliveryStreamARN": stream["arn"], "destination": config["BucketARN"], "message": message}
    append_lines(group, name, [json.dumps(line)])
