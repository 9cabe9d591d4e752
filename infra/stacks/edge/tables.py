"""The two tables: what each device's state is now, and the episodes of all alerts."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from infra.stacks.base import PlatformStack
from infra.stacks.item_table import item_table, text_attribute

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
    return item_table(stack, "DeviceState", stack.config.device_state_table, key, partition="device", expires=EXPIRES)


def add_alerts_table(stack: PlatformStack, key: kms.Key) -> dynamodb.Table:
    """One item an episode, found by its subject, among the open ones, and among those with something to send."""
    table = item_table(stack, "Alerts", stack.config.alerts_table, key, partition="id", expires=EXPIRES)
    for name, (partition, sort) in ALERT_INDEXES.items():
        table.add_global_secondary_index(
            index_name=name,
            partition_key=text_attribute(partition),
            sort_key=text_attribute(sort),
            projection_type=_WHOLE_ITEMS,
        )
    return table


_WHOLE_ITEMS = dynamodb.ProjectionType.ALL
