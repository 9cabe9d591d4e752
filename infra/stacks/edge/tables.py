"""The two tables: what each device's state is now, and the episodes of all alerts."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from infra.stacks.base import PlatformStack

# Where an item says, in seconds since 1970, when it may go. DynamoDB removes it within a few days of that.
EXPIRES = "expires_at"

# The indexes of the alerts by name: partition key, sort key. An item is in an index only if it has both attributes.
ALERT_INDEXES = {
    "subject": ("subject", "opened_at"),
    # `open` holds the tenant while the episode is open, and goes when it is resolved.
    "open": ("open", "opened_at"),
    # The outbox: `pending` is there while a notification is still to be sent.
    "pending": ("pending", "pending_at"),
    # What changed since the last export to the lake: under the day of its last write.
    "written": ("written_day", "written_at"),
}


def add_device_state(stack: PlatformStack, key: kms.Key) -> dynamodb.Table:
    """One item a device."""
    return _table(stack, "DeviceState", stack.config.device_state_table, "device", key)


def add_alerts_table(stack: PlatformStack, key: kms.Key) -> dynamodb.Table:
    """One item an episode, found by its subject, among the open ones, and among those with something to send."""
    table = _table(stack, "Alerts", stack.config.alerts_table, "id", key)
    for name, (partition, sort) in ALERT_INDEXES.items():
        table.add_global_secondary_index(
            index_name=name, partition_key=_text(partition), sort_key=_text(sort), projection_type=_WHOLE_ITEMS
        )
    return table


_WHOLE_ITEMS = dynamodb.ProjectionType.ALL


def _table(stack: PlatformStack, construct_id: str, name: str, partition: str, key: kms.Key) -> dynamodb.Table:
    return dynamodb.Table(
        stack,
        construct_id,
        table_name=name,
        partition_key=_text(partition),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=EXPIRES,
        deletion_protection=stack.config.deletion_protection,
        # Not on creation: with its fixed name it would stand in the way of the next attempt.
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
