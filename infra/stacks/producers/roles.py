"""What the intake's function may do, and what each producer may."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept_wildcards
from infra.stacks.parameters import read
from infra.stacks.producers.declared import Producer
from infra.stacks.statements import READ_STREAM, Statements, allow, via
from iot_pipeline.intake.refusals import PREFIX

# The tag of a backend's own role, or user, that says which producer's role it may take on.
TAG = "producer"


def add_intake_role(stack: PlatformStack, platform_stream: str, sources: list[str], log: logs.LogGroup) -> iam.Role:
    """The function's: it reads the producers' streams, looks devices up, and puts to the platform's stream.

    What its mappings need: AWS Lambda guide, "Process Amazon Kinesis Data Streams records with Lambda", execution role;
    "Retain discarded batch records for a Kinesis Data Streams event source in Lambda".
    """
    bucket = stack.config.bucket_arn(stack.config.intake_bucket)
    failed, refused = f"{bucket}/aws/lambda/*", f"{bucket}/{PREFIX}*"
    things = stack.format_arn(service="iot", resource="thing", resource_name="*")
    role = iam.Role(stack, "IntakeRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    statements: Statements = {
        "Streams": allow(sources, "kinesis:DescribeStream", *READ_STREAM),
        "Devices": allow([things], "iot:DescribeThing"),
        "Forward": allow([platform_stream], "kinesis:PutRecords"),
        "Refuse": allow([refused], "s3:PutObject"),
        "KeepFailed": allow([failed], "s3:PutObject"),
        "FindFailures": allow([bucket], "s3:ListBucket"),
        "EncryptKept": via(stack, "s3", [read(stack, stack.config, "edge-key")], "kms:GenerateDataKey"),
        "Log": allow([log.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
        "Trace": allow(["*"], "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, ["*"], "X-Ray's traces have no ARN (service authorization reference, AWS X-Ray)")
    accept_wildcards(role, [failed], "Lambda names the objects itself, under this prefix")
    accept_wildcards(role, [refused], "Each refused record is an object, named by its sequence number")
    accept_wildcards(role, [things], "Devices are things that the registry makes, by their own names")
    return role


def add_producer_role(stack: PlatformStack, producer: Producer, stream: str) -> iam.Role:
    """A producer's: it may put to its own stream, whose records are its tenant's for that reason, and nothing else."""
    account = iam.AccountPrincipal(stack.config.account)
    role = iam.Role(
        stack,
        f"{producer.construct_id}Role",
        role_name=stack.config.producer(producer.name),
        description=f"Puts telemetry of {producer.tenant} ({', '.join(producer.sites)})",
        # Whoever of the account has the tag, which its administrators give (IAM user guide, "Controlling access to and
        # for IAM users and roles using tags").
        assumed_by=account.with_conditions({"StringEquals": {f"aws:PrincipalTag/{TAG}": producer.name}}),
    )
    statement = allow([stream], "kinesis:PutRecords")
    statement.sid = "Put"
    role.add_to_policy(statement)
    return role
