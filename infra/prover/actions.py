"""Which IAM actions an operation of a service needs.

Most are called like the operation. The others: service authorization reference, "Actions, resources, and condition keys
for Amazon S3" (with the S3 user guide, "Required permissions for Amazon S3 API operations"), "... AWS Lambda",
"... Amazon DynamoDB" (with its guide, "Using IAM with DynamoDB transactions"); SQS guide, "Amazon SQS API permissions:
Actions and resource reference".
"""

from collections.abc import Mapping

_OTHERS: Mapping[str, tuple[str, ...]] = {
    "s3:AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:DeleteObjects": ("s3:DeleteObject",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjects": ("s3:ListBucket",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:ListParts": ("s3:ListMultipartUploadParts",),
    "s3:PutBucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "s3:PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
    "s3:UploadPart": ("s3:PutObject",),
    "lambda:Invoke": ("lambda:InvokeFunction",),
    "lambda:InvokeAsync": ("lambda:InvokeFunction",),
    "dynamodb:TransactGetItems": ("dynamodb:GetItem",),
    "sqs:ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
    "sqs:DeleteMessageBatch": ("sqs:DeleteMessage",),
    "sqs:SendMessageBatch": ("sqs:SendMessage",),
}
# An item of a transaction, by what is done with it.
OF_TRANSACTIONS: Mapping[str, str] = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
# boto3's name of a service where IAM has another.
_PREFIXES: Mapping[str, str] = {"iot-data": "iot", "stepfunctions": "states"}
# A copy reads one object and writes another, and so has no action of its own; say on what, where one is made.
_REFUSED = ("s3:CopyObject", "s3:UploadPartCopy", "dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement")


def actions_of(service: str, operation: str) -> tuple[str, ...]:
    """The actions. Raises ValueError for an operation that needs different ones on different resources."""
    call = f"{service}:{operation}"
    if call in _REFUSED:
        raise ValueError(f"{call} needs several actions on several resources; teach infra/prover/actions.py")
    return _OTHERS.get(call, (f"{_PREFIXES.get(service, service)}:{operation}",))
