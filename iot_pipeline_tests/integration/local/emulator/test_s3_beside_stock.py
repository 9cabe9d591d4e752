"""S3 answers as stock ministack does, whose records are dictionaries: the same calls, to a stock one and to ours."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.servers.loopback import HOST, free_port
from iot_pipeline_tests.support.emulator import REGION, LocalAws, eventually, unique

pytestmark = pytest.mark.integration

PLACE: Any = {"LocationConstraint": REGION}
# What is another at each moment or of each server; version ids are told by their order.
_DIFFERS = re.compile(
    r"LastModified|RequestId|HostId|HTTPHeaders|Expires|Date$|x-amz-request|RetryAttempts|Owner|UploadId"
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a stock ministack."""
    folder, port = tmp_path_factory.mktemp("stock"), free_port()
    own = {"GATEWAY_PORT": str(port), "BIND_HOST": HOST, "MINISTACK_REGION": REGION, "S3_PERSIST": "1"}
    places = {"S3_DATA_DIR": str(folder / "s3"), "STATE_DIR": str(folder / "services"), "SFTP_ENABLED": "0"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env={**os.environ, **own, **places}, stdout=log, stderr=log
        )
        try:
            address = f"http://{HOST}:{port}"
            assert eventually(lambda: _answers(address), timeout=120), (folder / "log").read_text()
            yield address
        finally:
            process.terminate()
            process.wait(60)


def _answers(address: str) -> bool:
    try:
        _client(address).list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True


def _client(address: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # no secret
    )


class Calls:
    """Calls one server, and keeps what it says without what differs from server to server."""

    def __init__(self, client: Any, bucket: str) -> None:
        self.client, self.bucket = client, bucket
        self.said: list[Any] = []
        self.versions: list[str] = []

    def __call__(self, operation: str, **parameters: Any) -> Any:
        try:
            answer = getattr(self.client, operation)(**{"Bucket": self.bucket, **parameters})
        except ClientError as error:
            answer = error.response
        if "Body" in answer:
            answer["Body"] = answer["Body"].read().decode()
        self.said.append((operation, self._plain(answer)))
        return answer

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain(each) for key, each in value.items() if not _DIFFERS.search(key)}
        if isinstance(value, list):
            return [self._plain(each) for each in value]
        text = re.sub(r"http://[^/]*", "", str(value).replace(self.bucket, "BUCKET"))
        return _UUID.sub(lambda found: f"version {self._place(found[0])}", text)

    def _place(self, version: str) -> int:
        if version not in self.versions:
            self.versions.append(version)
        return self.versions.index(version)


def life(call: Calls, other: str) -> None:
    """Objects and versions, written, read, listed, copied, tagged, restored and removed in every way."""
    rules = {"Status": "Enabled", "Priority": 1, "Filter": {}, "DeleteMarkerReplication": {"Status": "Disabled"}}
    for versioning in (None, "Enabled", "Suspended"):
        if versioning:
            call("put_bucket_versioning", VersioningConfiguration={"Status": versioning})
        if versioning == "Enabled":
            call.client.create_bucket(Bucket=other, CreateBucketConfiguration=PLACE)
            call.client.put_bucket_versioning(Bucket=other, VersioningConfiguration={"Status": "Enabled"})
            role = {"Role": "arn:aws:iam::000000000000:role/copies"}
            rule = {**rules, "Destination": {"Bucket": f"arn:aws:s3:::{other}"}}
            call("put_bucket_replication", ReplicationConfiguration={**role, "Rules": [rule]})
        _written(call)
        _read(call)
        _restored(call)
        _removed(call)
        _read(call)
    for key in ("own", "plain", "copy"):
        call("head_object", Bucket=other, Key=key)


def _written(call: Calls) -> None:
    own = {"Metadata": {"source": "imported"}, "CacheControl": "no-store", "ContentType": "text/csv"}
    call("put_object", Key="plain", Body=b"1")
    call("put_object", Key="own", Body=b"2", ServerSideEncryption="AES256", **own)
    call("put_object", Key="own", Body=b"33", StorageClass="GLACIER", Tagging="a=b")
    call("put_object", Key="plain", Body=b"444", ChecksumAlgorithm="SHA256")
    call("copy_object", Key="copy", CopySource=f"{call.bucket}/plain", MetadataDirective="REPLACE", Metadata={"n": "1"})
    call("copy_object", Key="copy", CopySource=f"{call.bucket}/copy", MetadataDirective="REPLACE", Metadata={"n": "2"})
    call("put_object_tagging", Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    upload = call("create_multipart_upload", Key="parts", Metadata={"of": "parts"})["UploadId"]
    sizes = [5 << 20, 10]
    parts = [
        {
            "PartNumber": n + 1,
            "ETag": call("upload_part", Key="parts", UploadId=upload, PartNumber=n + 1, Body=b"p" * size)["ETag"],
        }
        for n, size in enumerate(sizes)
    ]
    call("complete_multipart_upload", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})


def _read(call: Calls) -> None:
    call("list_objects_v2")
    call("list_objects_v2", Prefix="p", MaxKeys=1)
    listed = call("list_object_versions")
    for key in ("plain", "own", "copy"):
        call("get_object", Key=key)
        call("head_object", Key=key, ChecksumMode="ENABLED")
        call("get_object_tagging", Key=key)
        call("get_object_attributes", Key=key, ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
        for each in listed.get("Versions", []):
            if each["Key"] == key:
                call("get_object", Key=key, VersionId=each["VersionId"])
    call("head_object", Key="parts", PartNumber=2)


def _restored(call: Calls) -> None:
    for days in (1, 2):
        call("restore_object", Key="own", RestoreRequest={"Days": days, "GlacierJobParameters": {"Tier": "Expedited"}})
        call("head_object", Key="own")
    call("put_object_tagging", Key="own", Tagging={"TagSet": []})
    call("head_object", Key="own")


def _removed(call: Calls) -> None:
    call("delete_object", Key="copy")
    call("get_object", Key="copy")
    listed = call("list_object_versions", Prefix="copy")
    for kind in ("DeleteMarkers", "Versions"):
        for each in listed.get(kind, [])[:1]:
            call("delete_object", Key="copy", VersionId=each["VersionId"])
            call("head_object", Key="copy")
    call("delete_objects", Delete={"Objects": [{"Key": "plain"}]})


def test_the_same_calls_have_the_same_answers(local_aws: LocalAws, stock: str) -> None:
    said = []
    for client in (_client(stock), local_aws.client("s3")):
        bucket, other = unique("life"), unique("other")
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=PLACE)
        calls = Calls(client, bucket)
        life(calls, other)
        said.append(json.loads(json.dumps(calls.said).replace(other, "OTHER")))
    assert len(said[0]) > 150
    for of_stock, ours in zip(*said, strict=True):
        assert ours == of_stock
