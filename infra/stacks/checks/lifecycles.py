"""How long the lake keeps what: raw is the only copy of what devices sent."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Resource, Synthesised, listed, text
from iot_pipeline.contract import CONTRACT
from iot_pipeline.contract.layout import FAILED_DELIVERY, QUERY_RESULTS, RAW, TEMPORARY, UNLOAD

# A lifecycle may not remove raw objects before this: five years.
RAW_DAYS = 5 * 365
# A mistake is found within a week; so long what was overwritten or deleted can be brought back.
NONCURRENT_DAYS = 7
# What may expire by age; for all else of the lake age says nothing of whether it is still needed.
_TEMPORARY = (FAILED_DELIVERY, QUERY_RESULTS, TEMPORARY, UNLOAD)
# Classes from which an object has to be restored, which takes minutes to hours (S3 guide, "Understanding S3 Glacier
# storage classes"); within the lateness bound an hour's raw objects may be read again at any moment.
_ASLEEP = frozenset({"GLACIER", "DEEP_ARCHIVE"})
# S3 bills these classes for 128 KB of each object at least (S3 guide, "Using Amazon S3 storage classes").
_NO_SMALL_OBJECTS = "all_storage_classes_128K"


def the_lake_is_kept(environment: Synthesised) -> Problems:
    """No rule expires what the platform still needs; raw may go after RAW_DAYS."""
    for bucket, rule in _rules(environment):
        days = rule.get("ExpirationInDays")
        if "ExpirationDate" in rule:
            yield bucket, f"rule {rule.get('Id')} removes objects on a day"
        if days is None:
            continue
        prefix = _prefix(rule)
        if prefix.startswith(_TEMPORARY) or (prefix.startswith(RAW.split("/")[0]) and int(days) >= RAW_DAYS):
            continue
        yield bucket, f"rule {rule.get('Id')} removes what is under {prefix or 'every prefix'!r} after {days} days"


def what_was_overwritten_can_come_back(environment: Synthesised) -> Problems:
    """The lake is versioned, and versions stay for NONCURRENT_DAYS at least, and not for ever."""
    for bucket in _lakes(environment):
        if bucket.properties.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield bucket, "is not versioned: a mistaken delete cannot be undone"
    bounded = set()
    for bucket, rule in _rules(environment):
        days = rule.get("NoncurrentVersionExpiration", {}).get(
            "NoncurrentDays", rule.get("NoncurrentVersionExpirationInDays")
        )
        if days is None:
            continue
        if not _prefix(rule):
            bounded.add(bucket.name)
        if int(days) < NONCURRENT_DAYS:
            yield bucket, f"rule {rule.get('Id')} removes old versions after {days} days, before {NONCURRENT_DAYS}"
    for bucket in _lakes(environment):
        if bucket.name not in bounded:
            yield bucket, "keeps old versions for ever"


def raw_can_be_read_while_data_is_late(environment: Synthesised) -> Problems:
    """Whatever is asked for again within the lateness bound is not asleep, and small objects are not moved."""
    bound = max(timedelta(days=environment.config.lateness_days), CONTRACT.lateness_bound).days
    for bucket, rule in _rules(environment):
        for transition in listed(rule.get("Transitions")) + listed(rule.get("Transition")):
            if transition["StorageClass"] in _ASLEEP and int(transition.get("TransitionInDays", 0)) <= bound:
                yield bucket, f"rule {rule.get('Id')}: {transition['StorageClass']} within {bound} days of lateness"
    for bucket in _lakes(environment):
        size = bucket.properties.get("LifecycleConfiguration", {}).get("TransitionDefaultMinimumObjectSize")
        if size not in (None, _NO_SMALL_OBJECTS):
            yield bucket, f"TransitionDefaultMinimumObjectSize {size}: small objects would cost more, not less"


def abandoned_uploads_go(environment: Synthesised) -> Problems:
    """Parts of an upload that never ended are billed, and no list of objects shows them."""
    for bucket in _lakes(environment):
        rules = [rule for found, rule in _rules(environment) if found.name == bucket.name]
        if not any("AbortIncompleteMultipartUpload" in rule and not _prefix(rule) for rule in rules):
            yield bucket, "keeps abandoned uploads"


def _lakes(environment: Synthesised) -> Iterator[Resource]:
    for bucket in environment.of_type("AWS::S3::Bucket"):
        if text(bucket.properties.get("BucketName", "")) == environment.config.lake_bucket:
            yield bucket


def _rules(environment: Synthesised) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for bucket in _lakes(environment):
        for rule in listed(bucket.properties.get("LifecycleConfiguration", {}).get("Rules")):
            if rule.get("Status") == "Enabled":
                yield bucket, rule


def _prefix(rule: Mapping[str, Any]) -> str:
    wanted = rule.get("Filter", {})
    return str(rule.get("Prefix") or wanted.get("Prefix") or wanted.get("And", {}).get("Prefix") or "")
