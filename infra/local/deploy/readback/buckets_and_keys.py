"""Buckets, keys and secrets, and the parameters by which stacks find them."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from infra.local.deploy.readback.clients import Clients
from infra.local.deploy.readback.setting import Setting, document, or_none
from infra.local.deploy.resources import Resource


def secret(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SecretsManager::Secret; not its value, which is nobody's but its users'."""
    held = clients.secrets.describe_secret(SecretId=resource.physical_id)
    for name in ("Name", "Description", "KmsKeyId"):
        if name in resource.properties:
            yield Setting(name, resource.properties[name], partial(held.get, name))
    if "GenerateSecretString" in resource.properties:
        asked = resource.properties["GenerateSecretString"]
        yield Setting(
            "GenerateSecretString", asked, lambda: asked if _is_generated(asked, held["ARN"], clients) else None
        )


def _is_generated(asked: Any, arn: str, clients: Clients) -> bool:
    """Whether a secret holds what its template says and, under the key that it names, a text as long as it says."""
    held = json.loads(clients.secrets.get_secret_value(SecretId=arn).get("SecretString") or "{}")
    made = held.pop(asked["GenerateStringKey"], "")
    return bool(held == json.loads(asked["SecretStringTemplate"]) and len(made) == int(asked["PasswordLength"]))


def bucket(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::S3::Bucket."""
    s3, name, asked = clients.s3, resource.physical_id, resource.properties
    if "BucketName" in asked:
        yield Setting("BucketName", asked["BucketName"], lambda: name, needed=True)
    if "BucketEncryption" in asked:
        encryption = {
            "Rules": [_encryption_rule(r) for r in asked["BucketEncryption"]["ServerSideEncryptionConfiguration"]]
        }
        yield Setting(
            "BucketEncryption",
            encryption,
            lambda: or_none(
                lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"], _NO_ENCRYPTION
            ),
            lambda: s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption),  # type: ignore[arg-type]  # built from the template
        )
    if "LifecycleConfiguration" in asked:
        rules = [_lifecycle_rule(r) for r in asked["LifecycleConfiguration"]["Rules"]]
        yield Setting(
            "LifecycleConfiguration",
            rules,
            lambda: or_none(
                lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"], "NoSuchLifecycleConfiguration"
            ),
            lambda: s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules}),  # type: ignore[typeddict-item]  # built from the template
        )
    if "LoggingConfiguration" in asked:
        logging = {
            "TargetBucket": asked["LoggingConfiguration"]["DestinationBucketName"],
            "TargetPrefix": asked["LoggingConfiguration"].get("LogFilePrefix", ""),
        }
        yield Setting(
            "LoggingConfiguration",
            logging,
            lambda: s3.get_bucket_logging(Bucket=name).get("LoggingEnabled"),
            lambda: s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": logging}),  # type: ignore[typeddict-item]  # built from the template
        )
    if "PublicAccessBlockConfiguration" in asked:
        block = asked["PublicAccessBlockConfiguration"]
        yield Setting(
            "PublicAccessBlockConfiguration",
            block,
            lambda: or_none(
                lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
                "NoSuchPublicAccessBlockConfiguration",
            ),
            lambda: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block),
        )
    if "VersioningConfiguration" in asked:
        yield Setting(
            "VersioningConfiguration",
            asked["VersioningConfiguration"]["Status"],
            lambda: s3.get_bucket_versioning(Bucket=name).get("Status"),
            lambda: s3.put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": asked["VersioningConfiguration"]["Status"]}
            ),
        )
    if "NotificationConfiguration" in asked:
        queues = [_queue_notification(q) for q in asked["NotificationConfiguration"]["QueueConfigurations"]]
        yield Setting(
            "NotificationConfiguration",
            queues,
            lambda: [_plain_filter(q) for q in _notifications(clients, name)],
            lambda: s3.put_bucket_notification_configuration(
                Bucket=name,
                NotificationConfiguration={"QueueConfigurations": queues},  # type: ignore[typeddict-item]  # built from the template
            ),
            needed=True,
        )


def bucket_policy(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::S3::BucketPolicy."""
    name = resource.properties["Bucket"]
    yield Setting("Bucket", name, lambda: clients.s3.head_bucket(Bucket=name) and name)
    yield Setting(
        "PolicyDocument",
        resource.properties["PolicyDocument"],
        lambda: document(or_none(lambda: clients.s3.get_bucket_policy(Bucket=name)["Policy"], "NoSuchBucketPolicy")),
    )


def key(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::KMS::Key."""
    kms, key_id, asked = clients.kms, resource.physical_id, resource.properties
    yield Setting(
        "Description",
        asked.get("Description", ""),
        lambda: kms.describe_key(KeyId=key_id)["KeyMetadata"]["Description"],
    )
    yield Setting(
        "EnableKeyRotation",
        asked.get("EnableKeyRotation", False),
        lambda: kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
        lambda: kms.enable_key_rotation(KeyId=key_id),
    )
    yield Setting(
        "KeyPolicy",
        asked["KeyPolicy"],
        lambda: document(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
    )


def key_alias(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::KMS::Alias."""
    name, target = resource.properties["AliasName"], resource.properties["TargetKeyId"].rpartition("/")[2]

    def read() -> Any:
        pages = clients.kms.get_paginator("list_aliases").paginate()
        found = [alias for page in pages for alias in page["Aliases"] if alias["AliasName"] == name]
        return found[0] if found else {}

    yield Setting("AliasName", name, lambda: read().get("AliasName"))
    yield Setting("TargetKeyId", target, lambda: read().get("TargetKeyId"))


def parameter(resource: Resource, clients: Clients) -> Iterator[Setting]:
    """AWS::SSM::Parameter: other stacks are deployed with its value."""
    yield Setting(
        "Value",
        resource.properties["Value"],
        lambda: clients.ssm.get_parameter(Name=resource.physical_id)["Parameter"]["Value"],
        needed=True,
    )


_NO_ENCRYPTION = "ServerSideEncryptionConfigurationNotFoundError"


def _encryption_rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
    if "BucketKeyEnabled" in rule:
        made["BucketKeyEnabled"] = rule["BucketKeyEnabled"]
    return made


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's flat rule as the S3 API's nested one."""
    chosen: dict[str, Any] = {"Prefix": rule.get("Prefix", "")}
    if "ObjectSizeGreaterThan" in rule:
        chosen = {"And": {**chosen, "ObjectSizeGreaterThan": rule["ObjectSizeGreaterThan"]}}
    made: dict[str, Any] = {"ID": rule["Id"], "Status": rule["Status"], "Filter": chosen}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "ExpiredObjectDeleteMarker" in rule:
        made["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "Transitions" in rule:
        made["Transitions"] = [
            {"Days": t["TransitionInDays"], "StorageClass": t["StorageClass"]} for t in rule["Transitions"]
        ]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            made[name] = rule[name]
    return made


def _queue_notification(wanted: dict[str, Any]) -> dict[str, Any]:
    return {
        "QueueArn": wanted["Queue"],
        "Events": [wanted["Event"]],
        "Filter": {"Key": {"FilterRules": wanted["Filter"]["S3Key"]["Rules"]}},
    }


def _notifications(clients: Clients, name: str) -> list[Any]:
    return list(clients.s3.get_bucket_notification_configuration(Bucket=name).get("QueueConfigurations", []))


def _plain_filter(notification: Any) -> dict[str, Any]:
    """Rule names as the template writes them: S3 answers `Prefix`, and takes `prefix`."""
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    plain = [{"Name": r["Name"].lower(), "Value": r["Value"]} for r in rules]
    return {**notification, "Filter": {"Key": {"FilterRules": plain}}}
