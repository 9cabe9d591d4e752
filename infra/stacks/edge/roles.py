"""What each of the edge's functions may do: what it does, and nothing else."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.stacks.base import PlatformStack
from infra.stacks.edge.places import Places
from infra.stacks.nag import accept_wildcards
from infra.stacks.statements import READ_STREAM, Statements, allow, listing, table_keys, via
from iot_pipeline.contract.layout import EDGE_RULES


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
            "State": allow([places.state], "dynamodb:BatchGetItem", "dynamodb:PutItem"),
            "Alerts": allow([places.alerts], "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "TableKey": table_keys(stack, [places.edge_key]),
            "Stream": allow([places.stream], "kinesis:DescribeStream", *READ_STREAM),
            "KeepFailed": allow([failed], "s3:PutObject"),
            "FindFailures": allow([places.failures], "s3:ListBucket"),
            "EncryptFailed": via(stack, "s3", [places.edge_key], "kms:GenerateDataKey"),
            "Notify": allow([places.notify], "lambda:InvokeFunction"),
        },
    )
    _accept_rules(stack, role)
    accept_wildcards(role, [failed], "Lambda names the objects itself, under this prefix")
    return role


def allow_consumer(role: iam.Role, consumer_arn: str) -> None:
    """Let the handler's mapping read by enhanced fan-out."""
    statement = allow([consumer_arn], "kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard")
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
            "State": allow([places.state], "dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:PutItem"),
            "Alerts": allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "Episodes": allow([f"{places.alerts}/index/open"], "dynamodb:Query"),
            "TableKey": table_keys(stack, [places.edge_key]),
            "Stream": allow([places.stream], *READ_STREAM),
            "Notify": allow([places.notify], "lambda:InvokeFunction"),
            "DeadLetters": allow([places.dead_letters], "sqs:SendMessage"),
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
            "Alerts": allow([places.alerts], "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
            "Outbox": allow(indexes, "dynamodb:Query"),
            # A digest lists what is open of all tenants.
            "OpenEpisodes": allow([f"{places.alerts}/index/open"], "dynamodb:Scan"),
            "TableKey": table_keys(stack, [places.edge_key]),
            "Deliver": allow([places.deliver], "lambda:InvokeFunction"),
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
            "Letters": allow([places.alerts], "dynamodb:GetItem", "dynamodb:UpdateItem"),
            "Waiting": allow([f"{places.alerts}/index/pending"], "dynamodb:Query"),
            "TableKey": table_keys(stack, [places.edge_key]),
            "DeadLetters": allow([places.alert_dead_letters], "sqs:SendMessage"),
            **_channels(stack, places),
            **_topics(stack, places),
        },
    )


def _channels(stack: PlatformStack, places: Places) -> Statements:
    return {
        "Channels": allow([places.channels], "secretsmanager:GetSecretValue"),
        "ChannelsKey": via(stack, "secretsmanager", [places.edge_key], "kms:Decrypt"),
    }


def _topics(stack: PlatformStack, places: Places) -> Statements:
    return {
        "Publish": allow(places.topics.values(), "sns:Publish"),
        "TopicKey": via(stack, "sns", [places.alerts_key], "kms:Decrypt", "kms:GenerateDataKey"),
    }


def _role(stack: PlatformStack, construct_id: str, log: logs.LogGroup, statements: Statements) -> iam.Role:
    role = iam.Role(stack, construct_id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    always = {
        "Log": allow([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
        "Trace": allow(["*"], "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    }
    for sid, statement in {**statements, **always}.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, ["*"], "X-Ray's traces have no ARN (service authorization reference, AWS X-Ray)")
    return role


def _rules(stack: PlatformStack, places: Places) -> Statements:
    """Reading the rules; without the right to list, S3 answers 403 rather than 404 where there are none yet."""
    return {
        "Rules": allow([stack.config.lake_objects(EDGE_RULES)], "s3:GetObject"),
        "FindRules": listing(stack.config.bucket_arn(stack.config.lake_bucket), [EDGE_RULES]),
        "RulesKey": via(stack, "s3", [places.lake_key], "kms:Decrypt"),
    }


def _accept_rules(stack: PlatformStack, role: iam.Role) -> None:
    accept_wildcards(role, [stack.config.lake_objects(EDGE_RULES)], "Each version of the rules is an object")
