"""How a server beside the emulator tells it for whom a request is sent, and asks it whether a caller may do something.

A service of AWS acts for its caller, whose permissions then hold (IAM user guide, "Forward access sessions"), or as a
role that trusts it ("AWS service principals"). Nobody else can claim either on AWS; here the emulator believes the
account's root, whose credentials these servers have.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

FORWARDED_KEY = "x-local-forwarded-key"
"""The access key of the caller for whom a service sends a request, which the root signs."""
SERVICE = "x-local-service"
"""The service that acts: `athena.amazonaws.com`."""
SOURCE_ARN = "x-local-source-arn"
"""What the service acts for, as `aws:SourceArn` of a role's trust policy."""
CHECKS = "x-local-checks"
"""Of a caller's own request, passed on: calls to be evaluated in place of the request, as JSON."""
ALLOWED = "LocalChecksAllowed"
"""The error code by which the emulator answers that all checks are allowed: nothing else is done."""

# A body that is not to be interpreted twice, and what belongs to one connection.
_OF_THE_CONNECTION = {"connection", "transfer-encoding", "expect", "keep-alive"}

_BEFORE = "before-call.*.*"

Check = tuple[str, str, Mapping[str, str]]
"""An action, a resource's ARN, condition keys with their values."""


class NotAllowedError(Exception):
    """The emulator refused a caller; `code` and the text are AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def claim(client: Any, claims: Callable[[], Mapping[str, str]]) -> Callable[[], None]:
    """Have a boto3 client send headers with every request: those that `claims` gives at that moment.

    Returns what ends it.
    """

    def add(params: dict[str, Any], **_: object) -> None:
        params["headers"].update(claims())

    client.meta.events.register(_BEFORE, add)
    return lambda: client.meta.events.unregister(_BEFORE, add)


def check_caller(endpoint_url: str, headers: Mapping[str, str], body: bytes, checks: Sequence[Check]) -> None:
    """Raise NotAllowedError unless the caller of a request to this server may make the calls.

    `headers` and `body` are the request's (POST /), whose signature the emulator at `endpoint_url` verifies.
    """
    where = urlsplit(endpoint_url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
    try:
        connection.putrequest("POST", "/", skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name.lower() not in _OF_THE_CONNECTION:
                connection.putheader(name, value)
        connection.putheader(CHECKS, json.dumps(checks))
        connection.endheaders(body)
        answer = connection.getresponse()
        error = json.loads(answer.read() or b"{}")
    finally:
        connection.close()
    code = str(error.get("__type") or error.get("code") or "").rpartition("#")[2]
    if code != ALLOWED:
        raise NotAllowedError(code or "InternalFailure", str(error.get("message") or error.get("Message") or error))


def service_session(
    sts: Any, role_arn: str, session: str, *, service: str, source_arn: str, seconds: int = 3600
) -> Mapping[str, Any]:
    """The credentials of a role's session that a service starts, as AssumeRole answers them.

    `sts` is a client with the root's credentials, which no other thread uses meanwhile. Raises ClientError
    (AccessDenied) if the role does not trust the service for what it acts for, or does not exist.
    """
    end = claim(sts, lambda: {SERVICE: service, SOURCE_ARN: source_arn})
    try:
        made = sts.assume_role(RoleArn=role_arn, RoleSessionName=session, DurationSeconds=seconds)
    finally:
        end()
    credentials: Mapping[str, Any] = made["Credentials"]
    return credentials
