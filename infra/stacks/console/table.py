"""The console's own table: sessions, API keys, saved queries, layouts, the audit."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from infra.stacks.base import PlatformStack

# As iot_pipeline.console.store has them: the keys, and where an item says when it may go.
KEY, SORT, EXPIRES = "key", "sort", "expires"


def add_table(stack: PlatformStack, key: kms.Key) -> dynamodb.Table:
    """One table for all of it, with a key and a sort key, both texts."""
    text = dynamodb.AttributeType.STRING
    return dynamodb.Table(
        stack,
        "Table",
        table_name=stack.config.console_table,
        partition_key=dynamodb.Attribute(name=KEY, type=text),
        sort_key=dynamodb.Attribute(name=SORT, type=text),
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
