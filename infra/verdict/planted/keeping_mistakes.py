"""Mistakes in how long data is kept, and in what protects it."""

from collections.abc import Callable
from typing import Any

from infra.verdict.planted.mistake import Body, Mistake, bucket_named, setting, without

_BUCKET = "AWS::S3::Bucket"
_TABLE = "AWS::DynamoDB::Table"
_CLUSTER = "AWS::RDS::DBCluster"
_NAMESPACE = "AWS::RedshiftServerless::Namespace"
_WORKGROUP = "AWS::RedshiftServerless::Workgroup"
_POOL = "AWS::Cognito::UserPool"
_PROTECTED = "databases_are_protected"
_KEPT = "the_lake_is_kept"
_HOLDING = (_BUCKET, _TABLE, _CLUSTER, _NAMESPACE, _POOL, "AWS::KMS::Key", "AWS::Kinesis::Stream")


def _rule(**rule: Any) -> Callable[[Body], bool]:
    """One more lifecycle rule for the lake."""

    def plant(body: Body) -> bool:
        body["Properties"]["LifecycleConfiguration"]["Rules"].append({"Id": "planted", "Status": "Enabled", **rule})
        return True

    return bucket_named("-lake-", plant)


def _old_versions(days: int | None) -> Callable[[Body], bool]:
    def plant(body: Body) -> bool:
        rules = body["Properties"]["LifecycleConfiguration"]["Rules"]
        kept = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
        for rule in kept:
            rule.pop("NoncurrentVersionExpiration") if days is None else rule.update(
                NoncurrentVersionExpiration={"NoncurrentDays": days}
            )
        return bool(kept)

    return bucket_named("-lake-", plant)


def _attribute(name: str, value: str | None) -> Callable[[Body], bool]:
    """An attribute of the resource itself, beside its properties."""

    def plant(body: Body) -> bool:
        had = body.pop(name, None)
        if value is not None:
            body[name] = value
        return bool(had != value)

    return plant


MISTAKES = (
    Mistake(
        "data that goes with its stack",
        "what_holds_data_outlives_its_stack",
        _HOLDING,
        _attribute("DeletionPolicy", "Delete"),
    ),
    Mistake(
        "data that goes with a replacement",
        "what_holds_data_outlives_its_stack",
        _HOLDING,
        _attribute("UpdateReplacePolicy", None),
    ),
    Mistake(
        "a fixed name kept after a failed creation",
        "a_failed_creation_leaves_nothing_behind",
        (_NAMESPACE, _TABLE, _BUCKET),
        lambda body: (
            any(isinstance(body["Properties"].get(n), str) for n in ("NamespaceName", "TableName", "BucketName"))
            and _attribute("DeletionPolicy", "Retain")(body)
        ),
    ),
    Mistake("an unprotected registry", _PROTECTED, (_CLUSTER,), setting(False, "DeletionProtection")),
    Mistake("a registry with a day's backups", _PROTECTED, (_CLUSTER,), setting(1, "BackupRetentionPeriod")),
    Mistake("an unprotected table", _PROTECTED, (_TABLE,), without("DeletionProtectionEnabled")),
    Mistake("a table without a past", _PROTECTED, (_TABLE,), without("PointInTimeRecoverySpecification")),
    Mistake("an unprotected user pool", _PROTECTED, (_POOL,), without("DeletionProtection")),
    Mistake("a warehouse without a ceiling", "spending_has_an_end", (_WORKGROUP,), without("MaxCapacity")),
    Mistake("raw that expires after 30 days", _KEPT, (_BUCKET,), _rule(Prefix="raw/", ExpirationInDays=30)),
    Mistake(
        "raw that expires with a Filter",
        _KEPT,
        (_BUCKET,),
        _rule(Filter={"Prefix": "raw/telemetry/"}, ExpirationInDays=400),
    ),
    Mistake("everything that expires after a year", _KEPT, (_BUCKET,), _rule(ExpirationInDays=365)),
    Mistake("curated that expires", _KEPT, (_BUCKET,), _rule(Prefix="curated/", ExpirationInDays=3650)),
    Mistake("a ledger that expires on a day", _KEPT, (_BUCKET,), _rule(Prefix="ledger/", ExpirationDate="2027-01-01")),
    Mistake("old versions for a day", "what_was_overwritten_can_come_back", (_BUCKET,), _old_versions(1)),
    Mistake("old versions for ever", "what_was_overwritten_can_come_back", (_BUCKET,), _old_versions(None)),
    Mistake(
        "a lake without versions",
        "what_was_overwritten_can_come_back",
        (_BUCKET,),
        bucket_named("-lake-", without("VersioningConfiguration")),
    ),
    Mistake(
        "raw that sleeps after a week",
        "raw_can_be_read_while_data_is_late",
        (_BUCKET,),
        _rule(Prefix="raw/", Transitions=[{"StorageClass": "GLACIER", "TransitionInDays": 7}]),
    ),
    Mistake(
        "small objects in colder classes",
        "raw_can_be_read_while_data_is_late",
        (_BUCKET,),
        bucket_named(
            "-lake-", setting("varies_by_storage_class", "LifecycleConfiguration", "TransitionDefaultMinimumObjectSize")
        ),
    ),
    Mistake(
        "abandoned uploads for ever",
        "abandoned_uploads_go",
        (_BUCKET,),
        bucket_named("-lake-", setting([], "LifecycleConfiguration", "Rules")),
    ),
)
