"""Who may use the local AWS: programs with its credentials, and no web page."""

import http.client
import stat
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from iot_pipeline_tests.support.emulator import REGION, LocalAws, eventually, unique


def ask(aws: LocalAws, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
    """The answer to a plain HTTP request, as no SDK would send it."""
    connection = http.client.HTTPConnection("127.0.0.1", aws.emulator.port, timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def signed(aws: LocalAws, method: str, path: str, service: str, **headers: str) -> dict[str, str]:
    """The headers of a request signed with the root's credentials."""
    keys = aws.emulator.credentials
    request = AWSRequest(method, f"{aws.emulator.endpoint_url}{path}", headers=headers)
    SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key), service, REGION).add_auth(request)
    return dict(request.headers)


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:4566"},
        {"Host": ""},
    ],
)
def test_what_a_web_page_sends_is_refused_even_if_it_is_signed(local_aws: LocalAws, foreign: dict[str, str]) -> None:
    headers = signed(local_aws, "GET", "/", "s3", **{"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    assert ask(local_aws, "GET", "/", headers).status == 200
    assert ask(local_aws, "GET", "/", headers | foreign).status == 403


def test_a_preflight_is_refused_and_nothing_tells_a_page_that_it_may_read(local_aws: LocalAws) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for answer in (
        ask(local_aws, "OPTIONS", "/", asked),
        ask(local_aws, "OPTIONS", "/"),
        ask(local_aws, "GET", "/_ministack/ready"),
        ask(local_aws, "GET", "/", signed(local_aws, "GET", "/", "s3")),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert ask(local_aws, "OPTIONS", "/", asked).status == 403


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/config", "/_localstack/health", "/_aws/anything"])
def test_nobody_resets_it_and_ministacks_own_paths_are_closed(local_aws: LocalAws, path: str) -> None:
    bucket = local_aws.bucket()
    assert ask(local_aws, "POST", path).status == 403
    assert ask(local_aws, "POST", path, signed(local_aws, "POST", path, "s3")).status == 403
    assert bucket in [found["Name"] for found in local_aws.client("s3").list_buckets()["Buckets"]]


def test_an_unsigned_request_is_not_the_roots(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    assert ask(local_aws, "PUT", f"/{bucket}/object", body=b"bytes").status == 403
    assert ask(local_aws, "GET", f"/{bucket}", {"Authorization": "Basic dGVzdDp0ZXN0"}).status == 403
    assert ask(local_aws, "POST", "/", body=b"Action=ListQueues").status == 403
    assert local_aws.keys(bucket) == []


@pytest.mark.parametrize("key", ["test", "000000000000", "ours", "AKIAIOSFODNN7EXAMPLE"])
@pytest.mark.parametrize("service", ["sqs", "s3", "iot", "iam"])
def test_a_key_without_our_secret_is_refused(local_aws: LocalAws, service: str, key: str) -> None:
    key = local_aws.emulator.credentials.access_key_id if key == "ours" else key
    options = local_aws.emulator.client_options | {"aws_access_key_id": key, "aws_secret_access_key": "test"}
    client = boto3.client(service, **options)  # type: ignore[call-overload]  # the service is a variable
    call = {"sqs": "list_queues", "s3": "list_buckets", "iot": "list_things", "iam": "list_roles"}[service]
    with pytest.raises(ClientError) as refused:
        getattr(client, call)()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}


def test_a_presigned_url_works_as_long_as_nobody_changes_it(local_aws: LocalAws) -> None:
    bucket = local_aws.bucket()
    s3 = boto3.client("s3", **local_aws.emulator.client_options, config=Config(signature_version="s3v4"))  # type: ignore[call-overload]  # options in a dict
    s3.put_object(Bucket=bucket, Key=(key := unique("object")), Body=b"bytes")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    path = url.removeprefix(local_aws.emulator.endpoint_url)
    assert ask(local_aws, "GET", path).status == 200
    assert ask(local_aws, "GET", path.replace(key, "another")).status == 403


def test_what_it_writes_is_its_owners_alone(local_aws: LocalAws) -> None:
    local_aws.device()
    state = local_aws.emulator.state_dir
    eventually((state / "services" / "iot.json").exists)
    # The log and the CA's certificate hold no secrets; the folder closes them all the same.
    secret = [path for path in state.rglob("*") if path.name not in {"emulator.log", "ca.pem"}]
    open_to_others = [path for path in (state, *secret) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []
