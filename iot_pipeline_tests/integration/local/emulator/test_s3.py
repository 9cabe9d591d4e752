"""What S3 says of each object is that object's own, though the records of most share what they have in common.

Amazon S3 API reference: HeadObject, CopyObject (x-amz-metadata-directive), ListObjectVersions.
"""

import pytest

from iot_pipeline_tests.support.emulator import LocalAws

pytestmark = pytest.mark.integration

_ENCRYPTION = {"ServerSideEncryption": "AES256"}


@pytest.mark.parametrize("versioning", [False, True])
def test_what_one_object_has_no_other_has(local_aws: LocalAws, versioning: bool) -> None:
    bucket, s3 = local_aws.bucket(), local_aws.client("s3")
    if versioning:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    own = {"Metadata": {"source": "imported"}, "CacheControl": "no-store", "ContentType": "text/csv", **_ENCRYPTION}
    s3.put_object(Bucket=bucket, Key="plain", Body=b"1")
    s3.put_object(Bucket=bucket, Key="own", Body=b"2", **own)
    s3.put_object(Bucket=bucket, Key="plain too", Body=b"3", ChecksumAlgorithm="SHA256")
    copied = {"CopySource": f"{bucket}/own", "MetadataDirective": "REPLACE", "ContentType": "text/csv"}
    s3.copy_object(Bucket=bucket, Key="copy", **copied)
    s3.put_object(Bucket=bucket, Key="own", Body=b"4")
    s3.put_object(Bucket=bucket, Key="encrypted", Body=b"5", **_ENCRYPTION)
    for key in ("plain", "plain too", "copy", "own", "encrypted"):
        head = s3.head_object(Bucket=bucket, Key=key)
        assert head["Metadata"] == {}
        assert "CacheControl" not in head
        assert (head["ContentType"] == "text/csv") == (key == "copy")
    sums = {key: s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED") for key in ("plain", "plain too")}
    assert ("ChecksumSHA256" in sums["plain"], "ChecksumSHA256" in sums["plain too"]) == (False, True)
    if versioning:
        versions = s3.list_object_versions(Bucket=bucket, Prefix="own")["Versions"]
        (first,) = [version["VersionId"] for version in versions if not version["IsLatest"]]
        head = s3.head_object(Bucket=bucket, Key="own", VersionId=first)
        assert (head["Metadata"], head["ContentType"]) == ({"source": "imported"}, "text/csv")
