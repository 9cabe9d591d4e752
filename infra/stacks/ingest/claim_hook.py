"""The function that is asked before a claimed device is registered."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from infra.stacks.alarming import add_alarm, metric
from infra.stacks.base import PlatformStack
from infra.stacks.bundles import CLAIM_HOOK, built
from infra.stacks.nag import accept_role_dependency, accept_wildcards

PERMISSION = "IotCalls"


def add_claim_hook(stack: PlatformStack, template_arn: str) -> lambda_.Function:
    """The hook, which only this template of this account may call: its child PERMISSION says so."""
    log = logs.LogGroup(
        stack, "ClaimHookLog", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
    )
    role = iam.Role(stack, "ClaimHookRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    things = stack.format_arn(service="iot", resource="thing", resource_name="*")
    role.add_to_policy(iam.PolicyStatement(sid="Find", actions=["iot:DescribeThing"], resources=[things]))
    role.add_to_policy(
        iam.PolicyStatement(
            sid="Log", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log.log_group_arn]
        )
    )
    accept_wildcards(role, [things], "The hook looks for things whose names devices send")
    with built(CLAIM_HOOK) as package:
        function = lambda_.Function(
            stack,
            "ClaimHook",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="new_things_only.handler",
            code=lambda_.Code.from_asset(str(package)),
            # Without updates the construct cannot add statements of its own.
            role=role.without_policy_updates(),
            # RegisterThing waits five seconds (AWS IoT developer guide, "Pre-provisioning hooks").
            timeout=Duration.seconds(5),
            memory_size=256,
            log_group=log,
        )
    function.node.add_dependency(role.node.find_child("DefaultPolicy"))
    accept_role_dependency(function)
    function.add_permission(
        PERMISSION,
        principal=iam.ServicePrincipal("iot.amazonaws.com"),
        source_arn=template_arn,
        source_account=stack.config.account,
    )
    add_alarm(
        stack,
        "ClaimHookFails",
        "Devices that claim a certificate are refused, for the hook that is asked before fails: see its log",
        metric("AWS/Lambda", "Errors", {"FunctionName": function.function_name}, "Sum"),
        1,
    )
    return function
