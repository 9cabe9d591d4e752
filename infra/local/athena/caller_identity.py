"""Who asks: Athena reads and writes S3 and the catalog with the permissions of whoever calls it.

Athena user guide, "Identity and access management in Athena" and "Configure access to databases and tables in the AWS
Glue Data Catalog": the caller needs Athena's action on the workgroup, Glue's on the tables, and S3's on the data and
on the results. The emulator evaluates them; a caller with the server's own credentials, the account's root, may do all.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from ministack.core.sigv4 import header_signature_failure, parse_header_signature

from infra.local.athena.config import ACCOUNT_ID, REGION
from infra.local.athena.errors import ApiError
from infra.local.servers.acting import FORWARDED_KEY, SERVICE, Check, NotAllowedError, check_caller

ATHENA = "athena.amazonaws.com"
_FORBIDDEN = 403

_key: ContextVar[str | None] = ContextVar("key", default=None)


def current() -> str | None:
    """The access key of the caller for whom this thread works; None for the root."""
    return _key.get()


@contextmanager
def acting_for(key: str | None) -> Iterator[None]:
    """Work for a caller, or with None for the root, in a `with` block."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


def claims() -> dict[str, str]:
    """The headers by which the emulator is told for whom a request is sent."""
    key = current()
    return {FORWARDED_KEY: key, SERVICE: ATHENA} if key else {}


class Callers:
    """Finds out who sent a request, and whether they may."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url

    def admit(self, operation: str, headers: Mapping[str, str], body: bytes, resources: Sequence[str]) -> str | None:
        """The access key of whoever asks for an operation on resources (`workgroup/name`, or `*`); None for the root.

        Raises ApiError: the request is not signed, its signature is wrong, or IAM denies it.
        """
        _, _, scope = (headers.get("Authorization") or "").partition("Credential=")
        key, is_scoped, _ = scope.partition("/")
        if not (key and is_scoped):
            raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token", _FORBIDDEN)
        if key == os.environ.get("AWS_ACCESS_KEY_ID"):
            if forged := _forged(headers, body):
                raise ApiError(*forged, _FORBIDDEN)
            return None
        checks: list[Check] = [(f"athena:{operation}", _arn(resource), {}) for resource in resources]
        try:
            check_caller(self._endpoint_url, headers, body, checks)
        except NotAllowedError as error:
            raise ApiError(error.code, error.message) from error
        return key


def _forged(headers: Mapping[str, str], body: bytes) -> tuple[str, str] | None:
    """What is wrong with a signature by the root's key, as an error's code and message; None if nothing is."""
    lower = {name.lower(): value for name, value in headers.items()}
    signature = parse_header_signature(lower)
    if isinstance(signature, tuple):
        return signature
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    found: tuple[str, str] | None = header_signature_failure(signature, secret, "POST", "/", {}, lower, body)
    return found


def _arn(resource: str) -> str:
    region = os.environ.get("AWS_DEFAULT_REGION", REGION)
    return resource if resource == "*" else f"arn:aws:athena:{region}:{ACCOUNT_ID}:{resource}"
