"""Where the configuration of the channels is kept: their addresses and keys are secrets."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept


def add_channels_secret(stack: PlatformStack, key: kms.Key) -> None:
    """An empty secret: until somebody writes a document into it, SNS's topics alone are told.

    The resource itself, for the construct would put a generated password in.
    """
    secret = secretsmanager.CfnSecret(
        stack,
        "Channels",
        name=stack.config.channels_secret,
        description="Channels of alerts: `python -m iot_pipeline.edge channels --help` says how it is written",
        kms_key_id=key.key_arn,
    )
    secret.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    accept(secret, "AwsSolutions-SMG4", "Addresses and keys are made by Slack, Teams and PagerDuty, which rotate none")
