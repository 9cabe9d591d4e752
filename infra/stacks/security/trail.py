"""The trail: who read, wrote and removed the lake's objects, and who changed the account."""

from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from infra.stacks.base import PlatformStack
from infra.stacks.security.audit_bucket import TRAIL_PREFIX
from iot_pipeline.contract.layout import CURATED, RAW, REMOVALS

_MANAGEMENT = "management-events"


def add_trail(stack: PlatformStack, bucket: s3.Bucket, key: kms.Key) -> cloudtrail.CfnTrail:
    """A trail whose records cannot be changed unnoticed (log file validation).

    The resource itself, since the construct writes no key policy and knows no advanced event selectors. Data events
    cost 0.10 USD per 100,000 (CloudTrail pricing page): raw's one object a minute, written, judged and read again, is
    under a cent a day. Management events of an account's second trail are billed too, so that one environment of an
    account has them all.
    """
    has_management = _MANAGEMENT in stack.config.account_guards
    trail = cloudtrail.CfnTrail(
        stack,
        "Trail",
        trail_name=stack.config.name,
        is_logging=True,
        s3_bucket_name=bucket.bucket_name,
        s3_key_prefix=TRAIL_PREFIX,
        kms_key_id=key.key_arn,
        enable_log_file_validation=True,
        is_multi_region_trail=has_management,
        include_global_service_events=has_management,
        advanced_event_selectors=_selectors(stack, bucket, with_management=has_management),
    )
    # CloudTrail tries bucket and key when the trail is made.
    trail.node.add_dependency(bucket.node.find_child("Policy"))
    return trail


def _selectors(
    stack: PlatformStack, bucket: s3.Bucket, *, with_management: bool
) -> list[cloudtrail.CfnTrail.AdvancedEventSelectorProperty]:
    """What is recorded. Of the audit bucket reads alone: a record of CloudTrail's own writes would be another write."""
    config = stack.config
    lake = [config.lake_objects(prefix).removesuffix("*") for prefix in (RAW, CURATED, REMOVALS)]
    failures = f"{config.bucket_arn(config.failure_bucket)}/"
    selectors = [
        _objects("lake and failed records", [*lake, failures]),
        _objects("reads of the audit bucket", [f"{bucket.bucket_arn}/"], reads_only=True),
    ]
    if with_management:
        selectors.append(_selector("what changes the account", {"eventCategory": ["Management"]}))
    return selectors


def _objects(
    name: str, prefixes: list[str], *, reads_only: bool = False
) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    equal = {"eventCategory": ["Data"], "resources.type": ["AWS::S3::Object"]}
    return _selector(name, equal | ({"readOnly": ["true"]} if reads_only else {}), prefixes)


def _selector(
    name: str, equal: dict[str, list[str]], prefixes: list[str] | None = None
) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
    fields = [field(field=key, equal_to=values) for key, values in equal.items()]
    if prefixes:
        fields.append(field(field="resources.ARN", starts_with=prefixes))
    return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(name=name, field_selectors=fields)
