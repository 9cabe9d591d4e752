"""The four functions of the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from infra.stacks.base import PlatformStack
from infra.stacks.bundles import EDGE, built
from infra.stacks.edge.names import DELIVER, NOTIFY, SWEEP
from infra.stacks.edge.places import Places
from infra.stacks.edge.roles import add_deliver_role, add_handler_role, add_notify_role, add_sweep_role
from infra.stacks.nag import accept_role_dependency
from iot_pipeline.alerting.channels.document import MAX_CHANNELS

# Below the minute until the next call, which would find the function's one place taken.
_SCHEDULED_TIMEOUT = cdk.Duration.seconds(50)


@dataclass(frozen=True)
class Functions:
    """The handler of the stream's records with its role, the sweep for silence, who tells people, and who sends."""

    handler: lambda_.Function
    handler_role: iam.Role
    sweep: lambda_.Function
    notify: lambda_.Function
    deliver: lambda_.Function


def add_functions(stack: PlatformStack, places: Places) -> Functions:
    """The functions. Each reads its whole configuration from its environment."""
    config = stack.config
    logs_of = {name: _log(stack, name) for name in ("Handler", "Sweep", "Notify", "Deliver")}
    roles = {
        "Handler": add_handler_role(stack, places, logs_of["Handler"]),
        "Sweep": add_sweep_role(stack, places, logs_of["Sweep"]),
        "Notify": add_notify_role(stack, places, logs_of["Notify"]),
        "Deliver": add_deliver_role(stack, places, logs_of["Deliver"]),
    }
    dead_letters = sqs.Queue.from_queue_arn(stack, "DeadLetters", places.dead_letters)

    def function(
        name: str,
        module: str,
        description: str,
        *,
        called: str,
        concurrency: int,
        memory: int,
        timeout: cdk.Duration,
        calls: Mapping[str, Any],
    ) -> lambda_.Function:
        made = lambda_.Function(
            stack,
            name,
            function_name=called,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"iot_pipeline.edge.{module}.handle",
            code=code,
            environment=dict(places.environment),
            # Without updates the construct cannot add statements of its own.
            role=roles[name].without_policy_updates(),
            memory_size=memory,
            timeout=timeout,
            reserved_concurrent_executions=concurrency,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=logs_of[name],
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            **calls,
        )
        made.node.add_dependency(roles[name].node.find_child("DefaultPolicy"))
        accept_role_dependency(made)
        return made

    kept = {
        "on_failure": destinations.SqsDestination(dead_letters),
        "retry_attempts": 2,
        "max_event_age": cdk.Duration.minutes(5),
    }
    # What is to be sent waits in the outbox: an ask that is given up loses nothing, and the next minute asks again.
    dropped = {"retry_attempts": 0, "max_event_age": cdk.Duration.minutes(1)}
    with built(EDGE) as package:
        code = lambda_.Code.from_asset(str(package))
        handler = function(
            "Handler",
            "handler",
            "Judges what devices send: live state, rules, detectors, alerts",
            called=config.edge_function(),
            concurrency=config.edge_concurrency,
            memory=config.edge_memory_mib,
            timeout=cdk.Duration.seconds(config.edge_timeout_seconds),
            calls={},
        )
        sweep = function(
            "Sweep",
            SWEEP,
            "Looks for devices and sites that have fallen silent",
            called=config.edge_function(SWEEP),
            concurrency=1,
            memory=config.edge_memory_mib,
            timeout=_SCHEDULED_TIMEOUT,
            calls=kept,
        )
        notify = function(
            "Notify",
            NOTIFY,
            "Sends what alerts have to tell",
            called=config.edge_function(NOTIFY),
            concurrency=1,
            memory=512,
            timeout=_SCHEDULED_TIMEOUT,
            calls=dropped,
        )
        deliver = function(
            "Deliver",
            DELIVER,
            "Sends to one channel what it is to be told",
            called=config.edge_function(DELIVER),
            # A place for each channel, though all of them hang.
            concurrency=MAX_CHANNELS,
            memory=512,
            timeout=_SCHEDULED_TIMEOUT,
            calls=dropped,
        )
    return Functions(handler, roles["Handler"], sweep, notify, deliver)


def _log(stack: PlatformStack, name: str) -> logs.LogGroup:
    return logs.LogGroup(
        stack, f"{name}Log", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=cdk.RemovalPolicy.DESTROY
    )
