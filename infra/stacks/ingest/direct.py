"""The way in without a stream: the rule itself writes each message to the raw zone, an object a message."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot

from infra.stacks.base import PlatformStack
from infra.stacks.nag import accept_wildcards
from iot_pipeline.contract.layout import RAW

# One expression gives the whole folder, so that the clock is read once: an object whose year was taken before midnight
# and whose hour after it would be in no hour. Patterns are Joda's, in which apostrophes quote (AWS IoT developer guide,
# "Functions", `parse_time(String, Long[, String])` and `newuuid()`).
_HOUR = """${parse_time("'year='yyyy'/month='MM'/day='dd'/hour='HH", timestamp(), "UTC")}"""
OBJECT_KEY = f"{RAW}{_HOUR}/${{newuuid()}}.json"


def allow_objects(stack: PlatformStack, role: iam.Role) -> None:
    """Let the rule's role add objects to the raw zone, and nothing else (AWS IoT developer guide, "S3")."""
    objects = stack.config.lake_objects(RAW)
    role.add_to_policy(iam.PolicyStatement(sid="Write", actions=["s3:PutObject"], resources=[objects]))
    accept_wildcards(role, [objects], "Each message is an object of its own, named by the rule")


def s3_action(stack: PlatformStack, role: iam.Role) -> iot.CfnTopicRule.ActionProperty:
    """The rule's action: one JSON document, one object."""
    return iot.CfnTopicRule.ActionProperty(
        s3=iot.CfnTopicRule.S3ActionProperty(
            bucket_name=stack.config.lake_bucket, key=OBJECT_KEY, role_arn=role.role_arn
        )
    )
