"""An IoT client that fails, or kills its process, at the n-th call; and what is left of a device afterwards."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Literal

import boto3
import psycopg
from psycopg.rows import scalar_row

from iot_pipeline.registry.bulk import Outcome, onboard_all
from iot_pipeline.registry.onboarding import onboard
from iot_pipeline.registry.registration import Request

When = Literal["before", "after"]
# What onboarding asks of AWS IoT, in order.
CALLS = (
    "describe_thing",
    "create_thing",
    "create_certificate_from_csr",
    "attach_policy",
    "attach_thing_principal",
    "update_certificate",
)


class TrippedError(Exception):
    """The failure that a test asked for."""


class Tripping:
    """A client whose n-th call (from 0) does `trip` before or after it reaches AWS; the calls after it work."""

    def __init__(self, iot: Any, call: int, when: When, trip: Callable[[], None]) -> None:
        self._iot, self._call, self._when, self._trip = iot, call, when, trip
        self.calls: list[str] = []

    def get_paginator(self, operation: str) -> Any:
        """A listing counts as one call, however many pages it has."""
        real = self._iot.get_paginator(operation)
        return SimpleNamespace(paginate=self._counted(operation, lambda **arguments: list(real.paginate(**arguments))))

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._iot, name)
        return real if name in {"exceptions", "meta"} else self._counted(name, real)

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(**arguments: Any) -> Any:
            self.calls.append(name)
            here = len(self.calls) - 1 == self._call
            if here and self._when == "before":
                self._trip()
            answer = real(**arguments)
            if here and self._when == "after":
                self._trip()
            return answer

        return called


def failing() -> None:
    """A trip that raises."""
    raise TrippedError("as asked")


def die() -> None:
    """A trip that no code can catch."""
    os.kill(os.getpid(), signal.SIGKILL)


def onboard_and_die(dsn: str, client: dict[str, str], request: Request, call: int, when: When) -> None:
    """In a process of its own: onboard a device and be killed at a call; after the last one, while delivering."""
    iot = Tripping(boto3.client("iot", **client), call, when, die)  # type: ignore[call-overload]  # keywords in a dict
    with psycopg.connect(dsn) as connection:
        onboard(connection, iot, request, deliver=lambda _: die() if call == len(CALLS) else None)  # type: ignore[arg-type]  # behaves as a client


def onboard_many_and_die(dsn: str, client: dict[str, str], requests: list[Request], after: int) -> None:
    """In a process of its own: onboard devices and be killed when so many are done and others are under way."""
    iot = boto3.client("iot", **client)  # type: ignore[call-overload]  # keywords in a dict
    done: list[Outcome] = []

    def count(outcome: Outcome) -> None:
        done.append(outcome)
        if len(done) == after:
            die()

    onboard_all(lambda: psycopg.connect(dsn), requests, lambda own, request: onboard(own, iot, request), count)


def leftovers(connection: psycopg.Connection[Any], iot: Any, device_id: str, certificates: set[str]) -> list[str]:
    """What exists of a device, beside the certificates there were before; empty if nothing."""
    left = sorted(all_certificates(iot) - certificates)
    with suppress(iot.exceptions.ResourceNotFoundException):
        left.append(iot.describe_thing(thingName=device_id)["thingName"])
    for table in ("onboardings", "device_keys", "device_versions"):
        with connection.cursor(row_factory=scalar_row) as cursor:
            query = f"SELECT count(*) FROM registry.{table} WHERE device_id = %s"
            if cursor.execute(query, (device_id,)).fetchall() != [0]:
                left.append(table)
    connection.rollback()
    return left


def all_certificates(iot: Any) -> set[str]:
    """The ids of all certificates in AWS IoT."""
    pages = iot.get_paginator("list_certificates").paginate()
    return {certificate["certificateId"] for page in pages for certificate in page["certificates"]}
