"""An object that is written again and again: what is written of its versions, and that none of them is lost.

Amazon S3 user guide, "How S3 Versioning works"; API reference, ListObjectVersions: newest first, with delete markers.
"""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator.version_history import IN_SIDECAR
from iot_pipeline_tests.support.emulator import LocalAws, restart

pytestmark = pytest.mark.integration

MANY = 2 * IN_SIDECAR + 10


def _versioned(aws: LocalAws) -> str:
    bucket = aws.bucket()
    aws.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def _history(aws: LocalAws, bucket: str) -> list[tuple[Any, ...]]:
    """All versions and markers, newest first: id, whether it is the latest, and an object's bytes."""
    s3, found = aws.client("s3"), []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", []):
            body = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
            found.append((each["LastModified"], each["VersionId"], each["IsLatest"], body))
        found += [(m["LastModified"], m["VersionId"], m["IsLatest"], None) for m in page.get("DeleteMarkers", [])]
    return sorted(found, key=lambda version: version[1])


def _sidecar(aws: LocalAws, bucket: str) -> dict[str, Any]:
    (path,) = (aws.emulator.state_dir / "s3").glob(f"*/{bucket}/lock.meta.json")
    return dict(json.loads(path.read_text()))


def _files(aws: LocalAws, bucket: str) -> list[Path]:
    return list((aws.emulator.state_dir / "s3").glob(f"*/*/{bucket}/.before/*"))


def test_a_key_with_many_versions_keeps_them_over_a_kill(own_aws: LocalAws) -> None:
    s3, bucket = own_aws.client("s3"), _versioned(own_aws)
    for n in range(MANY):
        s3.put_object(Bucket=bucket, Key="lock", Body=b"%d" % n)
        if n % 50 == 7:
            s3.delete_object(Bucket=bucket, Key="lock")
    before = _history(own_aws, bucket)
    assert len(before) == MANY + 6
    assert [body for *_, is_latest, body in before if is_latest] == [b"%d" % (MANY - 1)]
    sidecar = _sidecar(own_aws, bucket)
    assert len(sidecar["versions"]) <= IN_SIDECAR
    assert len(sidecar["versions"]) + sidecar["versions_before"] == len(before)

    restart(own_aws, signal.SIGKILL)
    assert _history(own_aws, bucket) == before
    s3.put_object(Bucket=bucket, Key="lock", Body=b"after the kill")
    oldest = min(before)
    s3.delete_object(Bucket=bucket, Key="lock", VersionId=oldest[1])
    after = _history(own_aws, bucket)
    assert {version for _, version, *_ in before} - {version for _, version, *_ in after} == {oldest[1]}
    restart(own_aws, signal.SIGKILL)
    assert _history(own_aws, bucket) == after


def test_a_kill_between_the_two_files_costs_no_version(own_aws: LocalAws) -> None:
    s3, bucket = own_aws.client("s3"), _versioned(own_aws)
    for n in range(MANY):
        s3.put_object(Bucket=bucket, Key="lock", Body=b"%d" % n)
    before = _history(own_aws, bucket)
    (path,) = _files(own_aws, bucket)
    in_sidecar = _sidecar(own_aws, bucket)["versions"]
    own_aws.emulator.process.kill()
    # As after a kill while versions that the sidecar still holds are added.
    with path.open("a") as file:
        file.write(json.dumps(in_sidecar[0]) + "\n" + json.dumps(in_sidecar[1])[:20])
    restart(own_aws, signal.SIGKILL)
    assert _history(own_aws, bucket) == before


def test_tags_of_an_old_version_stay(own_aws: LocalAws) -> None:
    s3, bucket = own_aws.client("s3"), _versioned(own_aws)
    first = s3.put_object(Bucket=bucket, Key="lock", Body=b"first", Tagging="kind=first")["VersionId"]
    for _ in range(MANY):
        s3.put_object(Bucket=bucket, Key="lock", Body=b"later")
    restart(own_aws, signal.SIGKILL)
    tags = s3.get_object_tagging(Bucket=bucket, Key="lock", VersionId=first)["TagSet"]
    assert tags == [{"Key": "kind", "Value": "first"}]
    assert s3.get_object_tagging(Bucket=bucket, Key="lock")["TagSet"] == []


def test_a_key_whose_versions_are_gone_leaves_no_file(own_aws: LocalAws) -> None:
    s3, bucket = own_aws.client("s3"), _versioned(own_aws)
    for _ in range(MANY):
        s3.put_object(Bucket=bucket, Key="lock", Body=b"x")
    assert len(_files(own_aws, bucket)) == 1
    versions = [version for _, version, *_ in _history(own_aws, bucket)]
    for version in versions:
        s3.delete_object(Bucket=bucket, Key="lock", VersionId=version)
    restart(own_aws, signal.SIGTERM)
    assert _history(own_aws, bucket) == []
    assert _files(own_aws, bucket) == []
