"""A setting: one property that a template asks for, and how to read it back through the service's own API."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Setting:
    """One property of a resource.

    `wanted` and what `read` returns have the service API's shape. `apply` sets it through the service API, where that
    API can. `needed` marks what the telemetry's path depends on: without it nothing arrives, or nothing is found.
    """

    property: str
    wanted: Any
    read: Callable[[], Any]
    apply: Callable[[], object] | None = None
    needed: bool = False

    def differences(self) -> list[str]:
        """Where the service's answer differs from the template, as paths with both values; empty if it does not."""
        return _differences(self.property, self.wanted, self.read())


def _differences(path: str, wanted: Any, got: Any) -> list[str]:
    """What is asked for must be there; the service may answer more."""
    if isinstance(wanted, Mapping):
        if not isinstance(got, Mapping):
            return [f"{path} is {_shown(got)}, wanted {_shown(wanted)}"]
        return [line for key, value in wanted.items() for line in _differences(f"{path}.{key}", value, got.get(key))]
    if isinstance(wanted, list):
        if not isinstance(got, list) or len(got) != len(wanted):
            return [f"{path} is {_shown(got)}, wanted {_shown(wanted)}"]
        return [
            line
            for index, (value, other) in enumerate(zip(wanted, got, strict=True))
            for line in _differences(f"{path}[{index}]", value, other)
        ]
    return [] if _scalar(wanted) == _scalar(got) else [f"{path} is {_shown(got)}, wanted {_shown(wanted)}"]


def _scalar(value: Any) -> str | None:
    """Some APIs answer numbers and booleans as text."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    text = "not set" if value is None else json.dumps(value, default=str)
    return text if len(text) <= 120 else text[:117] + "..."


def or_none(call: Callable[[], Any], *absent: str) -> Any:
    """The answer of a call, or None where the service says by one of these error codes that there is nothing."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        raise


def document(value: Any) -> Any:
    """A policy document that an API returns as JSON text."""
    return json.loads(value) if isinstance(value, str) else value
