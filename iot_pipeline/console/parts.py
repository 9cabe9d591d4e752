"""What the routes work with, opened once."""

from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from iot_pipeline.console.query.executions import Executions
from iot_pipeline.console.viewer import Viewer


class Identity(Protocol):
    """Tells who asks."""

    def viewer(self, request: Request) -> Viewer | None:
        """Who presents a valid session cookie or API key; None without either.

        Raises ProblemError for one that is expired, revoked or forged.
        """

    def check_csrf(self, request: Request) -> None:
        """Raises ProblemError unless a change carries the CSRF token of its session."""


@dataclass
class Parts:
    """What the routes work with."""

    identity: Identity
    queries: Executions | None = None


def parts_of(request: Request) -> Parts:
    """The parts of the service that answers a request."""
    parts: Parts = request.app.state.parts
    return parts
