"""The canary's function, what it may do, and the clock that calls it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from infra.stacks.base import PlatformStack
from infra.stacks.bundles import CANARY, built
from infra.stacks.dead_letters import uncalled
from infra.stacks.nag import accept, accept_role_dependency, accept_wildcards
from infra.stacks.parameters import read
from infra.stacks.schedules import Scheduled, add_schedule
from infra.stacks.statements import table_keys
from iot_pipeline.contract import topic_of

# The tenant and the site under which the canary is in the registry (docs/observability.md, "The canary").
TENANT, SITE = "platform", "canary"
# Well above the promise of 5 s, so that a late message is told from a lost one, and below the minute until the next.
_WITHIN_SECONDS = 30


def add_canary(stack: PlatformStack) -> None:
    """A function that publishes on one topic, reads one item, and is called by the clock.

    It publishes by the broker's HTTPS interface with a role, not with a certificate: that spares a secret that nobody
    would rotate. Certificates and policies of devices are what it does not test.
    """
    config = stack.config
    log = logs.LogGroup(
        stack, "CanaryLog", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=cdk.RemovalPolicy.DESTROY
    )
    topic = topic_of(TENANT, SITE, config.canary, config.topic_root)
    role = _role(stack, log, topic)
    with built(CANARY) as package:
        function = lambda_.Function(
            stack,
            "Canary",
            function_name=config.canary,
            description="Sends as a device does, and looks whether the live state has it in time",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler="canary_device.handler",
            code=lambda_.Code.from_asset(str(package)),
            environment={
                "TOPIC": topic,
                "DEVICE": config.canary,
                "TABLE": config.device_state_table,
                "WITHIN_SECONDS": str(_WITHIN_SECONDS),
                "METRICS": config.metrics,
            },
            # Without updates the construct cannot add statements of its own.
            role=role.without_policy_updates(),
            memory_size=256,
            timeout=cdk.Duration.seconds(_WITHIN_SECONDS + 15),
            reserved_concurrent_executions=1,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log,
            # A message that comes late says nothing: the next call does the same.
            retry_attempts=0,
            max_event_age=cdk.Duration.minutes(1),
        )
    function.node.add_dependency(role.node.find_child("DefaultPolicy"))
    accept_role_dependency(function)
    accept(function, "Platform::functions_are_watched", "A call that fails is a message lost: CanaryLost tells of it")
    _schedule(stack, function)


def _schedule(stack: PlatformStack, function: lambda_.Function) -> None:
    config = stack.config
    called = Scheduled(
        "canary",
        config.canary,
        f"Calls {config.canary}, which sends as a device does and looks for it in the live state",
        function,
        # A call that comes late says nothing: the next does the same.
        retries=0,
    )
    add_schedule(stack, called, config.canary_minutes, uncalled(stack, "canary", [config.canary]).queue_arn)


def _role(stack: PlatformStack, log: logs.LogGroup, topic: str) -> iam.Role:
    config = stack.config
    table = stack.format_arn(service="dynamodb", resource="table", resource_name=config.device_state_table)
    role = iam.Role(stack, "CanaryRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    statements = {
        "Send": iam.PolicyStatement(
            actions=["iot:Publish"],
            resources=[stack.format_arn(service="iot", resource="topic", resource_name=topic)],
        ),
        "Look": iam.PolicyStatement(
            actions=["dynamodb:GetItem"],
            resources=[table],
            conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [config.canary]}},
        ),
        "TableKey": table_keys(stack, [read(stack, config, "edge-key")]),
        "Log": iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
        ),
        "Trace": iam.PolicyStatement(actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"]),
    }
    for sid, statement in statements.items():
        statement.sid = sid
        role.add_to_policy(statement)
    accept_wildcards(role, ["*"], "X-Ray's traces have no ARN (service authorization reference, AWS X-Ray)")
    return role
