"""What calls the functions: the stream's records, and the clock."""

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_

from infra.stacks.base import PlatformStack
from infra.stacks.edge.functions import Functions
from infra.stacks.edge.names import NOTIFY, SWEEP
from infra.stacks.edge.places import Places
from infra.stacks.edge.roles import allow_consumer

EVERY_MINUTE = "rate(1 minute)"


def add_mapping(stack: PlatformStack, places: Places, functions: Functions) -> lambda_.CfnEventSourceMapping:
    """The event source mapping, with every limit set: by default both retries and record age are without end.

    One batch a shard is in flight, so that a device's messages are handled in the order of their arrival.
    """
    config = stack.config
    source = places.stream
    if config.edge_fan_out:
        consumer = kinesis.CfnStreamConsumer(
            stack, "Consumer", consumer_name=config.edge_function(), stream_arn=places.stream
        )
        source = consumer.attr_consumer_arn
        allow_consumer(functions.handler_role, source)
    mapping = lambda_.CfnEventSourceMapping(
        stack,
        "Records",
        function_name=functions.handler.function_arn,
        event_source_arn=source,
        # Of what was sent before the edge was there, nothing is an alert any more.
        starting_position="LATEST",
        batch_size=config.edge_batch_size,
        maximum_batching_window_in_seconds=config.edge_window_seconds,
        parallelization_factor=1,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        maximum_retry_attempts=config.edge_retries,
        maximum_record_age_in_seconds=config.edge_record_age_hours * 3600,
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=places.failures)
        ),
        # For the alarm on what was given up (AWS Lambda guide, "Event source mapping metrics").
        metrics_config=lambda_.CfnEventSourceMapping.MetricsConfigProperty(metrics=["EventCount"]),
    )
    mapping.node.add_dependency(functions.handler_role.node.find_child("DefaultPolicy"))
    return mapping


def add_schedules(stack: PlatformStack, places: Places, functions: Functions) -> None:
    """A rule for the sweep and one for the notifications, each of which can be paused alone."""
    for role, function in ((SWEEP, functions.sweep), (NOTIFY, functions.notify)):
        name = stack.config.edge_function(role)
        rule = events.CfnRule(
            stack,
            f"{role.capitalize()}Schedule",
            name=name,
            description=f"Calls {name} every minute",
            schedule_expression=EVERY_MINUTE,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id=role,
                    arn=function.function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=places.dead_letters),
                    # After a minute the next call does the same.
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=60, maximum_retry_attempts=2
                    ),
                )
            ],
        )
        function.add_permission(
            "Schedule",
            principal=iam.ServicePrincipal("events.amazonaws.com"),
            source_arn=rule.attr_arn,
            source_account=stack.config.account,
        )
