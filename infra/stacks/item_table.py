"""A table of DynamoDB as every stack makes one: billed by use, encrypted, with its past, and kept when a stack goes."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from infra.stacks.base import PlatformStack


def item_table(
    stack: PlatformStack,
    construct_id: str,
    name: str,
    key: kms.Key,
    *,
    partition: str,
    expires: str,
    sort: str | None = None,
) -> dynamodb.Table:
    """A table whose keys are texts. `expires` names where an item says, in seconds since 1970, when it may go: DynamoDB
    removes it within a few days of that.
    """
    return dynamodb.Table(
        stack,
        construct_id,
        table_name=name,
        partition_key=text_attribute(partition),
        sort_key=None if sort is None else text_attribute(sort),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        time_to_live_attribute=expires,
        deletion_protection=stack.config.deletion_protection,
        # Not on creation: with its fixed name it would stand in the way of the next attempt.
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def text_attribute(name: str) -> dynamodb.Attribute:
    """An attribute that keys are made of, a text."""
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
