"""What each of the edge's functions may do: what it does, and nothing else."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.stacks.base import PlatformStack
from infra.stacks.edge.places import Places
from infra.stacks.key_use import used_via
from infra.stacks.nag import accept_wildcards
from iot_pipeline.contract.layout import EDGE_RULES

Statements = Mapping[str, iam.PolicyStatement]

# Of a table's key DynamoDB makes use in the name of whoever calls it (DynamoDB guide, "Using IAM permissions with
# customer managed keys"); `kms:CreateGrant` is for whoever makes the table.
TABLE_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_READ_STREAM = (
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)


def add_handler_role(stack: PlatformStack, places: Places, log: logs.LogGroup) -> iam.Role:
    """The handler's: it also reads the stream and writes failed records for its event source mapping.

    What the mapping needs: AWS Lambda guide, "Process Amazon Kinesis Data Streams records with Lambda", execution role;
    "Retain discarded batch records for a Kinesis Data Streams event source in Lambda".
    """
    failed = f"{places.failures}/aws/lambda/*"
    role = _role(
        stack,
        "HandlerRole",
        log,
        {
            **_rules(stack, places),
            # A transaction needs the actions of its parts (DynamoDB guide, "Using IAM with DynamoDB transactions").
            "State": _allow([places.state], "dynamodb:BatchGetItem", "dynamodb:PutItem"),
            "Alerts": _allow([places.alerts], "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "TableKey": _via(stack, "dynamodb", places.edge_key, *TABLE_KEY),
            "Stream": _allow([places.stream], "kinesis:DescribeStream", *_READ_STREAM),
            "KeepFailed": _allow([failed], "s3:PutObject"),
            "FindFailures": _allow([places.failures], "s3:ListBucket"),
            "EncryptFailed": _via(stack, "s3", places.edge_key, "kms:GenerateDataKey"),
            "Notify": _allow([places.notify], "lambda:InvokeFunction"),
        },
    )
    _accept_rules(stack, role)
    accept_wildcards(role, [failed], "Lambda names the objects itself, under this prefix")
    return role


def allow_consumer(role: iam.Role, consumer_arn: str) -> None:
    """Let the handler's mapping read by enhanced fan-out."""
    statement = _allow([consumer_arn], "kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard")
    statement.sid = "FanOut"
    role.add_to_policy(statement)


def add_sweep_role(stack: PlatformStack, places: Places, log: logs.LogGroup) -> iam.Role:
    """The sweep's: it looks at all devices, and at the stream to see whether that lags."""
    role = _role(
        stack,
        "SweepRole",
        log,
        {
            **_rules(stack, places),
            "State": _allow([places.state], "dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:PutItem"),
            "Alerts": _allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "Episodes": _allow([f"{places.alerts}/index/open"], "dynamodb:Query"),
            "TableKey": _via(stack, "dynamodb", places.edge_key, *TABLE_KEY),
            "Stream": _allow([places.stream], *_READ_STREAM),
            "Notify": _allow([places.notify], "lambda:InvokeFunction"),
            "DeadLetters": _allow([places.dead_letters], "sqs:SendMessage"),
        },
    )
    _accept_rules(stack, role)
    return role


def add_notify_role(stack: PlatformStack, places: Places, log: logs.LogGroup) -> iam.Role:
    """That of whoever tells people: alerts and topics, the channels, and having letters delivered."""
    indexes = [f"{places.alerts}/index/{name}" for name in ("open", "pending", "written")]
    return _role(
        stack,
        "NotifyRole",
        log,
        {
            "Alerts": _allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "Outbox": _allow(indexes, "dynamodb:Query"),
            # A digest lists what is open of all tenants.
            "OpenEpisodes": _allow([f"{places.alerts}/index/open"], "dynamodb:Scan"),
            "TableKey": _via(stack, "dynamodb", places.edge_key, *TABLE_KEY),
            "Deliver": _allow([places.deliver], "lambda:InvokeFunction"),
            **_channels(stack, places),
            **_topics(stack, places),
        },
    )


def add_deliver_role(stack: PlatformStack, places: Places, log: logs.LogGroup) -> iam.Role:
    """The sender's: letters, the channels, topics, and a queue for what no channel takes."""
    return _role(
        stack,
        "DeliverRole",
        log,
        {
            "Letters": _allow([places.alerts], "dynamodb:GetItem", "dynamodb:UpdateItem"),
            "Waiting": _allow([f"{places.alerts}/index/pending"], "dynamodb:Query"),
            "TableKey": _via(stack, "dynamodb", places.edge_key, *TABLE_KEY),
            "DeadLetters": _allow([places.alert_dead_letters], "sqs:SendMessage"),
            **_channels(stack, places),
            **_topics(stack, places),
        },
    )


def _channels(stack: PlatformStack, places: Places) -> Statements:
    return {
        "Channels": _allow([places.channels], "secretsmanager:GetSecretValue"),
        "ChannelsKey": _via(stack, "secretsmanager", places.edge_key, "kms:Decrypt"),
    }


def _topics(stack: PlatformStack, places: Places) -> Statements:
    return {
        "Publish": _allow(list(places.topics.values()), "sns:Publish"),
        "TopicKey": _via(stack, "sns", places.alerts_key, "kms:Decrypt", "kms:GenerateDataKey"),
    }


def _role(stack: PlatformStack, construct_id: str, log: logs.LogGroup, statements: Statements) -> iam.Role:
    role = iam.Role(stack, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    always = {
        "Log": _allow([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
        "Trace": _allow(["*"], "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    }
    for sid, statement in {**statements, **always}.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, ["*"], "X-Ray's traces have no ARN (service authorization reference, AWS X-Ray)")
    return role


def _rules(stack: PlatformStack, places: Places) -> Statements:
    """Reading the rules; without the right to list, S3 answers 403 rather than 404 where there are none yet."""
    return {
        "Rules": _allow([stack.config.lake_objects(EDGE_RULES)], "s3:GetObject"),
        "FindRules": _listed(stack.config.bucket_arn(stack.config.lake_bucket), EDGE_RULES),
        "RulesKey": _via(stack, "s3", places.lake_key, "kms:Decrypt"),
    }


def _accept_rules(stack: PlatformStack, role: iam.Role) -> None:
    accept_wildcards(role, [stack.config.lake_objects(EDGE_RULES)], "Each version of the rules is an object")


def _allow(resources: list[str], *actions: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=resources)


def _listed(bucket: str, prefix: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["s3:ListBucket"], resources=[bucket], conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}}
    )


def _via(stack: PlatformStack, service: str, key: str, *actions: str) -> iam.PolicyStatement:
    return used_via(stack.config, service, key, *actions)
