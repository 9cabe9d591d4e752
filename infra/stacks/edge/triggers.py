"""What calls the functions: the stream's records, and the clock."""

from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_

from infra.stacks.base import PlatformStack
from infra.stacks.edge.functions import Functions
from infra.stacks.edge.names import NOTIFY, SWEEP
from infra.stacks.edge.places import Places
from infra.stacks.edge.roles import allow_consumer
from infra.stacks.schedules import Scheduled, add_schedule


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
        called = Scheduled(role, name, f"Calls {name} every minute", function, retries=2)
        add_schedule(stack, called, 1, places.dead_letters)
