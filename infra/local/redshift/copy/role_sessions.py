"""S3 as the role that a COPY or an UNLOAD names.

Redshift developer guide, "Permissions to access other AWS Resources" and "Authorizing COPY, UNLOAD, CREATE EXTERNAL
FUNCTION, and CREATE EXTERNAL SCHEMA operations using IAM roles": Redshift assumes the role for the statement; of
several with commas between, each by the one before it. That the role is associated with the namespace cannot be told
here, where there is none.
"""

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.local.redshift.copy.parquet import redshift_error
from infra.local.redshift.unsupported import LOCAL
from infra.local.redshift.wire.protocol import SqlError
from infra.local.servers.acting import service_session

_SERVICES = ("redshift-serverless", "redshift")
_SESSION = "RedshiftIamRoleSession"
_NOT_AUTHORISED = 8001
# Clients may be shared between threads, but not made in several at once (Boto3 guide, "Multithreading").
_making = threading.Lock()


def s3_as(role: str) -> Any:
    """A client of S3 with the permissions of `role`, an ARN or a chain of them. Raises SqlError if it is not given.

    The credentials last for an hour, and the client is one statement's.
    """
    if role.lower() == "default":
        raise SqlError(
            f"{LOCAL}IAM_ROLE default: no role is associated with the local warehouse; name the role: "
            "IAM_ROLE 'arn:aws:iam::<account>:role/<name>'",
            "0A000",
        )
    first, *others = role.split(",")
    credentials = _assumed(first)
    for next_role in others:
        credentials = _chained(credentials, next_role)
    return _client("s3", credentials)


def _assumed(role: str) -> Mapping[str, Any]:
    denied: ClientError | None = None
    for service in _SERVICES:
        sts = _client("sts")
        account = role.split(":")[4]
        source = f"arn:aws:{service}:{sts.meta.region_name}:{account}:workgroup/local"
        try:
            return service_session(sts, role, _SESSION, service=f"{service}.amazonaws.com", source_arn=source)
        except ClientError as error:
            denied = error
    raise _refused(role, denied) from denied


def _chained(credentials: Mapping[str, Any], role: str) -> Mapping[str, Any]:
    sts = _client("sts", credentials)
    try:
        found: Mapping[str, Any] = sts.assume_role(RoleArn=role, RoleSessionName=_SESSION)["Credentials"]
    except ClientError as error:
        raise _refused(role, error) from error
    return found


def _client(service: str, credentials: Mapping[str, Any] | None = None) -> Any:
    """A client with these credentials, or with those of the process, which are the root's."""
    keys = (
        {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
        if credentials
        else {}
    )
    with _making:
        return boto3.client(service, **keys)  # type: ignore[call-overload]  # the service is a variable


def _refused(role: str, error: ClientError | None) -> SqlError:
    """Redshift's error, whose context is what STS said."""
    text = f"Not authorized to get credentials of role {role}"
    said = error.response["Error"].get("Message", "") if error else ""
    return SqlError(text, "XX000", redshift_error(text, said, _NOT_AUTHORISED).detail)
