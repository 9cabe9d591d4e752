"""The calls of KMS that a call of another service makes with the caller's permissions.

What is encrypted with a key of the account's own needs the key as well (KMS developer guide, "kms:ViaService"; S3 user
guide, "Using server-side encryption with AWS KMS keys"; DynamoDB developer guide, "DynamoDB encryption at rest: usage
notes"; SNS and SQS developer guides, "Key management"; Kinesis developer guide, "Permissions to use user-generated KMS
keys"; Secrets Manager user guide, "Secret encryption and decryption"). Keys that AWS manages (`alias/aws/...`) let
every caller of the account in, and need nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region
from ministack.services import dynamodb, kinesis, kms, s3, secretsmanager, sns, sqs

from infra.local.emulator.authorisation.decisions import Call

_ENCRYPT, _DECRYPT, _BOTH = ("GenerateDataKey",), ("Decrypt",), ("GenerateDataKey", "Decrypt")
_OF_ACTION: Mapping[str, tuple[str, ...]] = {
    "s3:PutObject": _ENCRYPT,
    "s3:GetObject": _DECRYPT,
    "s3:GetObjectVersion": _DECRYPT,
    "sns:Publish": _BOTH,
    "sqs:SendMessage": _BOTH,
    "sqs:ReceiveMessage": _DECRYPT,
    "kinesis:PutRecord": _ENCRYPT,
    "kinesis:PutRecords": _ENCRYPT,
    "kinesis:GetRecords": _DECRYPT,
    "kinesis:SubscribeToShard": _DECRYPT,
    "secretsmanager:GetSecretValue": _DECRYPT,
    "secretsmanager:PutSecretValue": _BOTH,
    # DynamoDB asks for the table's key whatever is done with items, once in five minutes.
    **{
        f"dynamodb:{name}": _DECRYPT
        for name in ("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem")
    },
    **{f"dynamodb:{name}": _DECRYPT for name in ("Query", "Scan", "UpdateItem")},
}


def key_calls(action: str, resource: str) -> list[Call]:
    """What else is called, with the resource's key, in the current request scope."""
    service = action.partition(":")[0]
    wanted = _OF_ACTION.get(action, ())
    key = _key_of(service, action, resource) if wanted else None
    if not key or key.removeprefix("alias/").startswith("aws/"):
        return []
    record = kms._resolve_key(key)
    arn = record["Arn"] if record else key
    context = (
        ("kms:viaservice", f"{service}.{get_region()}.amazonaws.com"),
        ("kms:calleraccount", get_account_id()),
        ("aws:viaawsservice", "true"),
        *_encryption_context(service, resource),
    )
    return [Call(f"kms:{name}", arn, context) for name in wanted]


def _key_of(service: str, action: str, resource: str) -> str | None:
    """The key's ARN, id or alias; None for what is not there, or not encrypted with a key that can be named."""
    find: Mapping[str, Callable[[str, str], str | None]] = {
        "s3": _of_object,
        "dynamodb": lambda _action, arn: _of_table(arn),
        "sns": lambda _action, arn: _attribute(sns._topics.get(arn)),
        "sqs": lambda _action, arn: _attribute(sqs._queue_by_arn(arn)),
        "kinesis": lambda _action, arn: _of_stream(arn),
        "secretsmanager": lambda _action, arn: _of_secret(arn),
    }
    return find[service](action, resource)


def _of_object(action: str, arn: str) -> str | None:
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    if action == "s3:PutObject":
        headers = s3._bucket_default_sse_headers(bucket)
    else:
        found = s3._buckets.get(bucket)
        stored = found["objects"].get(key) if found else None
        headers = s3._stored_sse_headers(stored) if stored else {}
    key_id: str | None = headers.get("x-amz-server-side-encryption-aws-kms-key-id")
    return key_id


def _of_table(arn: str) -> str | None:
    name = parse_arn(arn).resource.split("/")[1]
    description = (dynamodb._tables.get(name) or {}).get("SSEDescription") or {}
    key_arn: str | None = description.get("KMSMasterKeyArn")
    return key_arn


def _of_stream(arn: str) -> str | None:
    name = parse_arn(arn).resource.split("/")[1]
    return (kinesis._streams.get(name) or {}).get("KeyId")


def _of_secret(arn: str) -> str | None:
    _name, secret = secretsmanager._resolve(arn)
    return (secret or {}).get("KmsKeyId")


def _attribute(record: Any) -> str | None:
    return ((record or {}).get("attributes") or {}).get("KmsMasterKeyId") or None


def _encryption_context(service: str, resource: str) -> tuple[tuple[str, str], ...]:
    """What policies can name of it; S3's is the bucket, since every bucket of ours uses a bucket key."""
    if service == "s3":
        return (("kms:encryptioncontext:aws:s3:arn", resource.partition("/")[0]),)
    if service == "dynamodb":
        return (("kms:encryptioncontext:aws:dynamodb:tablename", parse_arn(resource).resource.split("/")[1]),)
    return ()
