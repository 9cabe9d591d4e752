"""The objects of COPY and UNLOAD in S3, reached with a client of the statement's (`role_sessions.py`)."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.redshift.wire.protocol import SqlError

_CHUNK = 1 << 20


def keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    """The keys that begin with `prefix`, in order. Raises SqlError with S3's reason."""
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    except (BotoCoreError, ClientError) as error:
        raise _refused(error, f"s3://{bucket}/{prefix}") from error


@contextmanager
def downloaded(s3: Any, bucket: str, key: str) -> Iterator[IO[bytes]]:
    """An object, in a temporary file: however large, it does not fill the memory."""
    with tempfile.TemporaryFile() as file:
        try:
            shutil.copyfileobj(s3.get_object(Bucket=bucket, Key=key)["Body"], file, _CHUNK)
        except (BotoCoreError, ClientError) as error:
            raise _refused(error, f"s3://{bucket}/{key}") from error
        file.seek(0)
        yield file


def upload(s3: Any, file: IO[bytes], bucket: str, key: str) -> None:
    """Put a file as an object."""
    try:
        s3.upload_fileobj(file, bucket, key)
    except (BotoCoreError, ClientError) as error:
        raise _refused(error, f"s3://{bucket}/{key}") from error


def url(s3: Any, bucket: str, key: str) -> str:
    """The object's name in Redshift's messages."""
    return f"https://s3.{s3.meta.region_name}.amazonaws.com/{bucket}/{key}"


def _refused(error: BotoCoreError | ClientError, where: str) -> SqlError:
    if isinstance(error, BotoCoreError):
        return SqlError(f"{where}: {error}")
    found = error.response["Error"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    reason = f"S3ServiceException:{found.get('Message')},Status {status},Error {found.get('Code')}"
    return SqlError(reason, "XX000", f"{where}: {reason}")
