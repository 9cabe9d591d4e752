"""Takes over buckets that outlived their stack: after a crash the emulator has the objects and nothing else."""

import json
import time
from typing import Any

from botocore.exceptions import ClientError
from mypy_boto3_cloudformation import CloudFormationClient
from mypy_boto3_cloudformation.type_defs import ResourceToImportTypeDef
from mypy_boto3_s3 import S3Client


def orphaned_buckets(s3: S3Client, template: dict[str, Any]) -> dict[str, str]:
    """The buckets, by logical id, that a template names and that exist; for a stack that does not exist yet."""
    named = {
        logical_id: resource["Properties"]["BucketName"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::S3::Bucket" and isinstance(resource["Properties"].get("BucketName"), str)
    }
    return {logical_id: bucket for logical_id, bucket in named.items() if _exists(s3, bucket)}


def import_change_set(
    client: CloudFormationClient, stack: str, template: dict[str, Any], buckets: dict[str, str]
) -> str:
    """The id of a change set that makes a stack of nothing but these buckets, with the objects in them.

    CloudFormation imports into a stack without outputs; the update that follows brings all the rest
    (CloudFormation user guide, "Import existing resources into a stack").
    """
    resources = {
        logical_id: {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": template["Resources"][logical_id]["DeletionPolicy"],
            "Properties": {"BucketName": bucket},
        }
        for logical_id, bucket in buckets.items()
    }
    to_import: list[ResourceToImportTypeDef] = [
        {
            "ResourceType": "AWS::S3::Bucket",
            "LogicalResourceId": logical_id,
            "ResourceIdentifier": {"BucketName": bucket},
        }
        for logical_id, bucket in buckets.items()
    ]
    return client.create_change_set(
        StackName=stack,
        ChangeSetName=f"adopt-{time.time_ns()}",
        TemplateBody=json.dumps({"Resources": resources}),
        ChangeSetType="IMPORT",
        ResourcesToImport=to_import,
    )["Id"]


def _exists(s3: S3Client, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return False
        raise
    return True
