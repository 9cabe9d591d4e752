"""Everything at rest is encrypted, by a key of the platform's where the data are the tenants'."""

from collections.abc import Callable, Mapping
from typing import Any

from infra.stacks.checks.finding import Problems
from infra.stacks.checks.synthesised import Synthesised, listed, text

Says = Mapping[str, Any]


def data_is_encrypted(environment: Synthesised) -> Problems:
    """Streams, buckets, queues, topics, tables, databases, secrets, deliveries: what each needs to say.

    An environment without keys of its own leaves to AWS's keys what AWS always encrypts.
    """
    checks = _ENCRYPTED if environment.config.parts.customer_keys else _BY_AWS
    for resource in environment.resources:
        encrypted = checks.get(resource.type)
        if encrypted and (problem := encrypted(resource.properties)):
            yield resource, problem


def query_results_are_encrypted(environment: Synthesised) -> Problems:
    """Athena writes results as its workgroup says (Athena guide, "Encrypt Athena query results stored in Amazon S3").

    Whoever may override a workgroup's settings may write elsewhere and unencrypted: the builds alone may.
    """
    builds = f"{environment.config.name}-builds"
    own_buckets = (environment.config.results_bucket, environment.config.lake_bucket)
    for group in environment.of_type("AWS::Athena::WorkGroup"):
        says = group.properties.get("WorkGroupConfiguration", {})
        result = says.get("ResultConfiguration", {})
        encryption = result.get("EncryptionConfiguration", {})
        own = encryption.get("EncryptionOption") == "SSE_KMS" and encryption.get("KmsKey")
        if not own and (environment.config.parts.customer_keys or "EncryptionOption" not in encryption):
            yield group, "writes results that no key of the platform's encrypts"
        written = text(result.get("OutputLocation", ""))
        if not written.startswith(tuple(f"s3://{bucket}/" for bucket in own_buckets)):
            yield group, f"writes results to {written}, which is no bucket of the platform's"
        if not says.get("EnforceWorkGroupConfiguration") and group.properties.get("Name") != builds:
            yield group, "lets its users say where and how results are written (EnforceWorkGroupConfiguration)"
        if not says.get("BytesScannedCutoffPerQuery"):
            yield group, "has no limit on what a query scans (BytesScannedCutoffPerQuery)"


def nobody_has_standing_keys(environment: Synthesised) -> Problems:
    """People sign in and services take on roles; an access key is valid until somebody remembers it."""
    for resource in environment.of_type("AWS::IAM::AccessKey", "AWS::IAM::User"):
        yield resource, "is a user or a key of its own: use a role"


def keys_rotate(environment: Synthesised) -> Problems:
    """Yearly, without anybody's doing (KMS guide, "Rotate AWS KMS keys")."""
    for key in environment.of_type("AWS::KMS::Key"):
        symmetric = key.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        if symmetric and key.properties.get("EnableKeyRotation") is not True:
            yield key, "does not rotate (EnableKeyRotation)"
        if key.properties.get("Enabled") is False:
            yield key, "is disabled: nothing under it can be read"


def secrets_are_in_no_template(environment: Synthesised) -> Problems:
    """Passwords are AWS's making, and functions are told where a secret is, not what it is."""
    for resource in environment.resources:
        for name in ("MasterUserPassword", "AdminUserPassword", "SecretString"):
            value = resource.properties.get(name)
            if isinstance(value, str) and not value.startswith("{{resolve:"):
                yield resource, f"{name} is in the template in clear text"
        for name, value in _environment_of(resource.properties):
            if isinstance(value, str) and _SECRET.intersection(name.upper().split("_")) and not _is_place(name, value):
                yield resource, f"{name} is in the function's environment in clear text"


_SECRET = frozenset({"PASSWORD", "SECRET", "TOKEN", "PRIVATE"})


def _environment_of(says: Says) -> list[tuple[str, Any]]:
    own = says.get("Environment", {})
    found = list(own.get("Variables", {}).items()) if isinstance(own, Mapping) else []
    for container in listed(says.get("ContainerDefinitions")):
        found += [(e["Name"], e.get("Value")) for e in listed(container.get("Environment"))]
    return found


def _is_place(name: str, value: str) -> bool:
    """A name or an ARN by which a secret is asked for."""
    return value.startswith("arn:") or name.upper().endswith(("SECRET", "SECRET_ARN", "SECRET_ID", "SECRET_NAME"))


def _any_bucket(says: Says) -> str:
    return "" if says.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration") else "names no encryption"


# What runs print names devices and holds readings too; the audit names objects, and so devices, and people.
_OF_TENANTS = ("-lake-", "-results-", "-edge-", "-dagster-", "-audit-", "-intake-")


def _bucket(says: Says) -> str:
    rules = says.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    defaults = [rule.get("ServerSideEncryptionByDefault", {}) for rule in rules]
    if not defaults:
        return "names no default encryption"
    named = "BucketName" in says and any(part in text(says["BucketName"]) for part in _OF_TENANTS)
    if named and any(d.get("SSEAlgorithm") != "aws:kms" or not d.get("KMSMasterKeyID") for d in defaults):
        return "holds tenants' data, and no key of the platform's encrypts it"
    return ""


def _stream(says: Says) -> str:
    encryption = says.get("StreamEncryption", {})
    ok = encryption.get("EncryptionType") == "KMS" and encryption.get("KeyId")
    return "" if ok else "is not encrypted (StreamEncryption)"


def _queue(says: Says) -> str:
    ok = says.get("SqsManagedSseEnabled") is True or says.get("KmsMasterKeyId")
    return "" if ok else "is not encrypted (SqsManagedSseEnabled or KmsMasterKeyId)"


def _topic(says: Says) -> str:
    return "" if says.get("KmsMasterKeyId") else "is not encrypted (KmsMasterKeyId)"


def _table(says: Says) -> str:
    sse = says.get("SSESpecification", {})
    ok = sse.get("SSEEnabled") is True and sse.get("KMSMasterKeyId")
    return "" if ok else "is not encrypted by a key of the platform's (SSESpecification)"


def _cluster(says: Says) -> str:
    ok = says.get("StorageEncrypted") is True and says.get("KmsKeyId")
    return "" if ok else "is not encrypted by a key of the platform's (StorageEncrypted, KmsKeyId)"


def _by_key(name: str) -> Callable[[Says], str]:
    return lambda says: "" if says.get(name) else f"is not encrypted by a key of the platform's ({name})"


def _file_system(says: Says) -> str:
    return "" if says.get("Encrypted") is True else "is not encrypted (Encrypted)"


_ENCRYPTED: Mapping[str, Callable[[Says], str]] = {
    "AWS::CloudTrail::Trail": _by_key("KMSKeyId"),
    "AWS::CodeBuild::Project": _by_key("EncryptionKey"),
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::Volume": _file_system,
    "AWS::EFS::FileSystem": _file_system,
    "AWS::Kinesis::Stream": _stream,
    "AWS::RDS::DBCluster": _cluster,
    "AWS::RedshiftServerless::Namespace": _by_key("KmsKeyId"),
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
    "AWS::SecretsManager::Secret": _by_key("KmsKeyId"),
}
_BY_AWS: Mapping[str, Callable[[Says], str]] = {
    "AWS::EFS::FileSystem": _file_system,
    "AWS::Kinesis::Stream": _stream,
    "AWS::S3::Bucket": _any_bucket,
    "AWS::SQS::Queue": _queue,
}
