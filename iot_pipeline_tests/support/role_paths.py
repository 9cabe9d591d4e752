"""What each role of the platform does on the local AWS, statement by statement: the requests of who acts as it, or what
makes a service act as it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from infra.local.session.assumed_roles import assume
from iot_pipeline.contract import topic_of
from iot_pipeline_tests.support.emulator import LocalAws, unique

Path = Callable[["Platform", str], object]
"""Goes the way for which a role needs a statement; gets the platform and the role's ARN."""


@dataclass(eq=False)
class Platform:
    """The platform's stacks on the local AWS under test."""

    aws: LocalAws
    outputs: Mapping[str, str]

    @cache  # noqa: B019  one instance a test module
    def roles(self) -> dict[str, str]:
        """The roles' names by the names of their constructs, to which the CDK adds a hash of eight characters."""
        client = self.aws.client("cloudformation")
        found: dict[str, str] = {}
        for page in client.get_paginator("list_stacks").paginate():
            for stack in page["StackSummaries"]:
                resources = client.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
                found |= {
                    one["LogicalResourceId"][:-8]: one["PhysicalResourceId"]
                    for one in resources
                    if one["ResourceType"] == "AWS::IAM::Role"
                }
        return found

    def policy(self, role: str) -> tuple[str, dict[str, Any]]:
        """The name and the document of a role's inline policy; the platform's roles have one each."""
        iam, name = self.aws.client("iam"), self.roles()[role]
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        return policy, iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]

    def put_policy(self, role: str, policy: str, document: dict[str, Any]) -> None:
        """Put a role's inline policy."""
        text = json.dumps(document)
        self.aws.client("iam").put_role_policy(RoleName=self.roles()[role], PolicyName=policy, PolicyDocument=text)

    def denials(self, since: int = 0) -> list[str]:
        """What was denied since the log had a length."""
        text = self.aws.emulator.log_file.read_bytes()[since:].decode()
        return [line.partition("AccessDenied: ")[2] for line in text.splitlines() if "AccessDenied: " in line]

    def log_length(self) -> int:
        """The log's length now."""
        return self.aws.emulator.log_file.stat().st_size

    def session(self, role_arn: str, service: str) -> Any:
        """A client of a service as a role."""
        return session_client(self.aws, role_arn, service)


@cache
def session_client(aws: LocalAws, role_arn: str, service: str) -> Any:
    """A client that signs with a role's session credentials."""
    session = assume(aws.emulator, role_arn)
    return boto3.client(  # type: ignore[call-overload]  # the service is a variable
        service,
        endpoint_url=session["AWS_ENDPOINT_URL"],
        region_name=session["AWS_DEFAULT_REGION"],
        aws_access_key_id=session["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=session["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=session["AWS_SESSION_TOKEN"],
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )


def call(service: str, operation: str, **arguments: str | Callable[[Platform], Any]) -> Path:
    """A request as the role; an argument that is a function is given the platform."""

    def go(platform: Platform, role_arn: str) -> object:
        values = {name: value(platform) if callable(value) else value for name, value in arguments.items()}
        return getattr(platform.session(role_arn, service), operation)(**values)

    return go


def out(name: str) -> Callable[[Platform], str]:
    """An output of the stacks."""
    return lambda platform: platform.outputs[name]


RULES, MISSING, RAW = (
    "edge/rules/current.json",
    "edge/rules/none.json",
    "raw/telemetry/year=2026/month=01/day=01/hour=00/a.gz",
)


def publish(platform: Platform, _role_arn: str) -> object:
    """A message of a device, by HTTP as the root."""
    topic = topic_of("acme", "lyon", "d-1", platform.outputs["TopicRoot"])
    data = platform.aws.client("iot-data")
    return data.publish(topic=topic, payload=b'{"v": 1, "readings": [{"ts": 0}]}', qos=1)


def _put_record(platform: Platform, _role_arn: str) -> object:
    kinesis = platform.aws.client("kinesis")
    return kinesis.put_record(StreamName=platform.outputs["StreamName"], Data=b"{}", PartitionKey="k")


def _invoke(output: str) -> Path:
    """The function's own logging."""

    def go(platform: Platform, _role_arn: str) -> object:
        function = platform.aws.client("lambda")
        return function.invoke(FunctionName=platform.outputs[output], Payload=b'{"Records": []}')

    return go


def _claim_hook(platform: Platform, _role_arn: str) -> object:
    function = platform.aws.client("lambda")
    (name,) = (one["FunctionName"] for one in function.list_functions()["Functions"] if "laim" in one["FunctionName"])
    return function.invoke(FunctionName=name, Payload=b'{"parameters": {"DeviceId": "d-9"}}')


def _crawl(platform: Platform, _role_arn: str) -> object:
    glue, name = platform.aws.client("glue"), platform.outputs["RawCrawler"]
    glue.start_crawler(Name=name)
    while (crawler := glue.get_crawler(Name=name)["Crawler"])["State"] != "READY":
        time.sleep(0.05)
    last = crawler["LastCrawl"]
    assert last["Status"] == "SUCCEEDED" or "is not authorized" in last["ErrorMessage"], last
    return last


def _item(table: str) -> Path:
    """Asks for an item, which needs not exist."""

    def go(platform: Platform, role_arn: str) -> object:
        dynamodb = platform.session(role_arn, "dynamodb")
        return dynamodb.get_item(TableName=platform.outputs[table], Key=_absent(platform, table))

    return go


def _items(table: str) -> Path:
    """Asks for items as a batch, which need not exist."""

    def go(platform: Platform, role_arn: str) -> object:
        wanted = {platform.outputs[table]: {"Keys": [_absent(platform, table)]}}
        return platform.session(role_arn, "dynamodb").batch_get_item(RequestItems=wanted)

    return go


def _update(table: str) -> Path:
    """Would change an item if it existed."""

    def go(platform: Platform, role_arn: str) -> object:
        key = _absent(platform, table)
        return platform.session(role_arn, "dynamodb").update_item(
            TableName=platform.outputs[table],
            Key=key,
            ConditionExpression="attribute_exists(#k)",
            ExpressionAttributeNames={"#k": next(iter(key))},
        )

    return go


def _absent(platform: Platform, table: str) -> dict[str, Any]:
    """The key of an item that is not in a table."""
    schema = platform.aws.client("dynamodb").describe_table(TableName=platform.outputs[table])["Table"]["KeySchema"]
    return {part["AttributeName"]: {"S": "none"} for part in schema}


def _index(name: str, operation: str = "query") -> Path:
    def go(platform: Platform, role_arn: str) -> object:
        table = platform.outputs["AlertsTable"]
        described = platform.aws.client("dynamodb").describe_table(TableName=table)["Table"]
        (index,) = (one for one in described["GlobalSecondaryIndexes"] if one["IndexName"] == name)
        client = platform.session(role_arn, "dynamodb")
        if operation == "scan":
            return client.scan(TableName=table, IndexName=name)
        attribute = index["KeySchema"][0]["AttributeName"]
        condition: dict[str, Any] = {"KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": attribute}}
        return client.query(
            TableName=table, IndexName=name, ExpressionAttributeValues={":k": {"S": "none"}}, **condition
        )

    return go


def _failed_batch(platform: Platform, role_arn: str) -> object:
    """Puts an object as Lambda does for a batch that failed."""
    s3 = platform.session(role_arn, "s3")
    return s3.put_object(Bucket=platform.outputs["EdgeFailureBucket"], Key=f"aws/lambda/{unique('f')}", Body=b"{}")


def _lake_object(operation: str, key: str) -> Path:
    return call("s3", operation, Bucket=out("LakeBucket"), Key=key)


def _unload(platform: Platform, role_arn: str) -> object:
    s3 = platform.session(role_arn, "s3")
    return s3.put_object(Bucket=platform.outputs["LakeBucket"], Key="unload/a.parquet", Body=b"")


_RULES_READ: Mapping[str, Path] = {
    "Rules": _lake_object("get_object", RULES),
    "RulesKey": _lake_object("get_object", RULES),
    "FindRules": _lake_object("get_object", MISSING),
}
_CHANNELS: Mapping[str, Path] = {
    "Channels": call("secretsmanager", "get_secret_value", SecretId=out("ChannelsSecret")),
    "ChannelsKey": call("secretsmanager", "get_secret_value", SecretId=out("ChannelsSecret")),
    "Publish": call("sns", "publish", TopicArn=out("WarningTopicArn"), Message="m"),
    "TopicKey": call("sns", "publish", TopicArn=out("WarningTopicArn"), Message="m"),
}


def _function(output: str) -> Path:
    return call("lambda", "invoke", FunctionName=out(output), InvocationType="Event", Payload="{}")


def _dead_letter(output: str) -> Path:
    return call("sqs", "send_message", QueueUrl=out(output), MessageBody="{}")


PATHS: Mapping[str, Mapping[str, Path]] = {
    "RuleRole": {"kinesis:PutRecord": publish, "sqs:SendMessage": publish},
    "DeliveryServiceRole": {"Read": _put_record},
    "DeliveryRole": {"FindBucket": _put_record, "Write": _put_record, "Encrypt": _put_record, "Log": _put_record},
    "CrawlerRole": dict.fromkeys(("ListLake", "LocateLake", "ReadLake", "Decrypt", "WriteCatalog", "Log"), _crawl),
    "ClaimHookRole": {"Find": call("iot", "describe_thing", thingName="d-9"), "Log": _claim_hook},
    "HandlerRole": {
        **_RULES_READ,
        "State": _items("DeviceStateTable"),
        "Alerts": _update("AlertsTable"),
        "TableKey": _items("DeviceStateTable"),
        "Stream": _put_record,
        "KeepFailed": _failed_batch,
        "FindFailures": call("s3", "list_objects_v2", Bucket=out("EdgeFailureBucket")),
        "EncryptFailed": _failed_batch,
        "Notify": _function("NotifyFunction"),
        "Log": _invoke("EdgeFunction"),
    },
    "SweepRole": {
        **_RULES_READ,
        "State": call("dynamodb", "scan", TableName=out("DeviceStateTable")),
        "Alerts": _item("AlertsTable"),
        "Episodes": _index("open"),
        "TableKey": _item("AlertsTable"),
        "Stream": call("kinesis", "describe_stream_summary", StreamName=out("StreamName")),
        "Notify": _function("NotifyFunction"),
        "DeadLetters": _dead_letter("EdgeDeadLettersUrl"),
        "Log": _invoke("SweepFunction"),
    },
    "NotifyRole": {
        **_CHANNELS,
        "Alerts": _item("AlertsTable"),
        "Outbox": _index("pending"),
        "OpenEpisodes": _index("open", "scan"),
        "TableKey": _item("AlertsTable"),
        "Deliver": _function("DeliverFunction"),
        "Log": _invoke("NotifyFunction"),
    },
    "DeliverRole": {
        **_CHANNELS,
        "Letters": _item("AlertsTable"),
        "Waiting": _index("pending"),
        "TableKey": _item("AlertsTable"),
        "DeadLetters": _dead_letter("AlertDeadLettersUrl"),
        "Log": _invoke("DeliverFunction"),
    },
    "CopyRole": {
        "Locate": call("s3", "get_bucket_location", Bucket=out("LakeBucket")),
        "List": call("s3", "list_objects_v2", Bucket=out("LakeBucket"), Prefix="registry/"),
        "Read": _lake_object("get_object", "registry/devices.parquet"),
        "Decrypt": _lake_object("get_object", "registry/devices.parquet"),
        "Unload": _unload,
    },
}
# A path that is gone only after another one has failed: that one's statement is removed as well.
AFTER: Mapping[tuple[str, str], str] = {
    ("RuleRole", "sqs:SendMessage"): "kinesis:PutRecord",
    ("DeliveryRole", "Log"): "Write",
}
# Statements that nothing of the local AWS can show to be missing.
NOT_HERE: Mapping[str, str] = {
    "Trace": "the local AWS has no X-Ray, and its functions send no traces",
}


def statement_name(statement: Mapping[str, Any]) -> str:
    """A statement's Sid, or its first action without one."""
    actions = statement["Action"]
    return str(statement.get("Sid") or (actions if isinstance(actions, str) else actions[0]))
