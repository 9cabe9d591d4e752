"""Uploads the packages of Lambda functions, as `cdk deploy` does, to the bucket that the templates name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from infra.stacks.bundles import zipped


@dataclass(frozen=True)
class Asset:
    """A folder of the assembly, and where its ZIP file is to be, or a file. The key is made of its content."""

    folder: Path
    bucket: str
    key: str


def assets(assembly: Path) -> Iterator[Asset]:
    """What the assembly's manifests ask to be uploaded; templates are sent otherwise."""
    artifacts: dict[str, Any] = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    for artifact in artifacts.values():
        if artifact["type"] != "cdk:asset-manifest":
            continue
        for file in json.loads((assembly / artifact["properties"]["file"]).read_text())["files"].values():
            if not file["source"]["path"].endswith(".template.json"):
                for target in file["destinations"].values():
                    yield Asset(assembly / file["source"]["path"], target["bucketName"], target["objectKey"])


def upload(s3: S3Client, assembly: Path) -> int:
    """Upload what is not there yet, to buckets that are made where they are missing; how many were uploaded."""
    missing = [asset for asset in assets(assembly) if not _exists(s3, asset)]
    for asset in missing:
        _make_bucket(s3, asset.bucket)
        s3.put_object(
            Bucket=asset.bucket,
            Key=asset.key,
            Body=zipped(asset.folder) if asset.folder.is_dir() else asset.folder.read_bytes(),
        )
    return len(missing)


def _exists(s3: S3Client, asset: Asset) -> bool:
    try:
        s3.head_object(Bucket=asset.bucket, Key=asset.key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _make_bucket(s3: S3Client, bucket: str) -> None:
    region: Any = s3.meta.region_name
    try:
        if region == "us-east-1":
            s3.create_bucket(Bucket=bucket)
        else:
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        return
