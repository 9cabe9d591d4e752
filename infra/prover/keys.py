"""The calls to a key that a call on encrypted data implies: they are made in the caller's name.

Each row: the action, and what the service asks of the key for it, with the page that says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.prover.deployed import Environment, Resource
from infra.prover.needed import VIA_SERVICE, Need

_S3 = 'S3 user guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)"'
_PARTS = 'S3 user guide, "Uploading and copying objects using multipart upload", "Multipart upload API and permissions"'
_SNS = 'SNS guide, "Managing Amazon SNS encryption keys and costs"'
_SQS = 'SQS guide, "Key management"'
_SECRETS = 'Secrets Manager guide, "Secret encryption and decryption in AWS Secrets Manager"'
_TABLES = (
    'DynamoDB guide, "DynamoDB encryption at rest", "Managing encrypted tables": the key is used in the caller\'s name'
)
_STREAMS = 'Kinesis guide, "Permissions to use user-generated KMS keys"'

_DATA_KEY = ("GenerateDataKey",)
_BOTH = ("GenerateDataKey", "Decrypt")
# Of a table's key DynamoDB makes use in the name of whoever reads or writes; which of them a call needs is not said.
_ALL_OF_TABLES = (
    *("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"),
    *("GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
)
ASKED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "s3:GetObject": (("Decrypt",), _S3),
    "s3:GetObjectVersion": (("Decrypt",), _S3),
    "s3:PutObject": (_DATA_KEY, _S3),
    # Whoever may abort a multipart upload makes some: its parts are read again when it is completed.
    "s3:AbortMultipartUpload": (("Decrypt",), _PARTS),
    "sns:Publish": (_BOTH, _SNS),
    "sqs:SendMessage": (_BOTH, _SQS),
    "sqs:ReceiveMessage": (("Decrypt",), _SQS),
    "secretsmanager:GetSecretValue": (("Decrypt",), _SECRETS),
    "secretsmanager:PutSecretValue": (_BOTH, _SECRETS),
    "kinesis:PutRecord": (_DATA_KEY, _STREAMS),
    "kinesis:PutRecords": (_DATA_KEY, _STREAMS),
    "kinesis:GetRecords": (("Decrypt",), _STREAMS),
    **{
        f"dynamodb:{name}": (_ALL_OF_TABLES, _TABLES)
        for name in (
            *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem"),
            *("Query", "Scan", "UpdateItem"),
        )
    },
}


@dataclass(frozen=True)
class Encrypted:
    """A resource under a key of ours, by what its ARN and those of what is in it begin with."""

    arn: str
    key: str


def encrypted(environment: Environment) -> list[Encrypted]:
    """All buckets, queues, topics, tables, streams and secrets under a key that is a resource."""
    found = []
    for resource in environment.resources:
        key = _key_of(environment, resource)
        if key:
            found.append(Encrypted(environment.arn(resource), key))
    return found


def key_calls(environment: Environment, need: Need) -> Iterator[Need]:
    """What a need asks of the key of what it is on; nothing if that has none."""
    asked = ASKED.get(need.action)
    if asked is None:
        return
    service = need.action.partition(":")[0]
    via = ((VIA_SERVICE, f"{service}.{environment.config.region}.amazonaws.com"),)
    for place in encrypted(environment):
        if _is_within(need.resource, place.arn):
            for action in asked[0]:
                yield Need(f"kms:{action}", place.key, f"{need.action}: {asked[1]}", via)


def _is_within(resource: str, arn: str) -> bool:
    if ":secret:" in arn:
        # The six characters behind its name are of AWS's making.
        return resource.rpartition("-")[0] == arn.rpartition("-")[0]
    return resource == arn or resource.startswith(f"{arn}/")


def _key_of(environment: Environment, resource: Resource) -> str | None:
    properties = resource.properties
    name: str | None = None
    if resource.type == "AWS::S3::Bucket":
        rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", ())
        names = [rule.get("ServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules]
        name = next(filter(None, names), None)
    elif resource.type in ("AWS::SQS::Queue", "AWS::SNS::Topic"):
        name = properties.get("KmsMasterKeyId")
    elif resource.type == "AWS::DynamoDB::Table":
        name = properties.get("SSESpecification", {}).get("KMSMasterKeyId")
    elif resource.type == "AWS::SecretsManager::Secret":
        name = properties.get("KmsKeyId")
    elif resource.type == "AWS::Kinesis::Stream":
        name = properties.get("StreamEncryption", {}).get("KeyId")
    if name is None:
        return None
    keys = {environment.arn(key) for key in environment.of_type("AWS::KMS::Key")}
    arn = (
        name
        if name.startswith("arn:")
        else f"arn:aws:kms:{environment.config.region}:{environment.config.account}:key/{name}"
    )
    # An alias of AWS's own key needs nobody's leave.
    return arn if arn in keys else None
