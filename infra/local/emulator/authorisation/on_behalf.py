"""What the servers beside the emulator claim in the headers of a request: for whom it is, and as which service.

`infra/local/servers/acting.py` has the headers. Only the root's claims count (`requests.py`), except for the checks,
which a caller's own signature is under and which do nothing. Stock ministack has no services beside it that ask it for
their callers.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ministack import app

from infra.local.emulator.authorisation.decisions import Call
from infra.local.servers.acting import CHECKS, FORWARDED_KEY, SERVICE, SOURCE_ARN

_NAMES = (FORWARDED_KEY, SERVICE, SOURCE_ARN, CHECKS)
_claims: ContextVar[Mapping[str, str] | None] = ContextVar("claims", default=None)


def install() -> None:
    """Keep the claims of each request for as long as it is served."""
    stock = app.pin_signed_request

    def pin_signed_request(method: str, raw_path: str, query: Any, raw_headers: Any, *more: Any) -> None:
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw_headers}
        _claims.set({name: found[name] for name in _NAMES if name in found})
        stock(method, raw_path, query, raw_headers, *more)

    app.pin_signed_request = pin_signed_request


def forwarded_key() -> str:
    """The access key of the caller for whom a service asks; empty if the request is its sender's own."""
    return (_claims.get() or {}).get(FORWARDED_KEY, "")


def service() -> str:
    """The service that sends the request; empty if none says so."""
    return (_claims.get() or {}).get(SERVICE, "")


def source_arn() -> str:
    """What the service acts for."""
    return (_claims.get() or {}).get(SOURCE_ARN, "")


def checks() -> list[Call]:
    """The calls that are to be evaluated in place of the request, which is then not served."""
    listed = json.loads((_claims.get() or {}).get(CHECKS, "[]"))
    return [
        Call(action, resource, tuple(sorted((key.lower(), str(value)) for key, value in context.items())))
        for action, resource, context in listed
    ]


def via() -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    """The condition keys of a request that a service sends for its caller (IAM user guide, "AWS global condition
    context keys").
    """
    name = service()
    return (
        ("aws:viaawsservice", "true"),
        ("aws:calledvia", (name,)),
        ("aws:calledviafirst", name),
        ("aws:calledvialast", name),
    )
