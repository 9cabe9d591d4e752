"""What lies in S3 below a location."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class StoredObject:
    """An object: s3://bucket/key, its bytes, and when it was last written (UTC, whole seconds, as S3 keeps it)."""

    uri: str
    size: int
    written_at: datetime


@dataclass(frozen=True)
class Objects:
    """Lists objects; never a whole bucket."""

    s3: "S3Client"

    def any_at(self, location: str) -> bool:
        """Whether there is any object below a location. One call, whatever lies there. Raises as `at`."""
        bucket, prefix = _parts(location)
        return bool(self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents"))

    def at(self, location: str) -> list[StoredObject]:
        """The objects below a location, s3://bucket/prefix/ with a closing slash. Raises ValueError for another."""
        bucket, prefix = _parts(location)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [
            StoredObject(
                f"s3://{bucket}/{item['Key']}",
                item["Size"],
                item["LastModified"].astimezone(UTC).replace(microsecond=0),
            )
            for page in pages
            for item in page.get("Contents", [])
        ]


def _parts(location: str) -> tuple[str, str]:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    if not location.startswith("s3://") or not prefix.endswith("/"):
        raise ValueError(f"{location!r} is not a location in S3: expected s3://bucket/prefix/")
    return bucket, prefix
