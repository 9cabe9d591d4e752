"""What a route that changes something declares, so that no change goes unrecorded."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, StringConstraints
from starlette.routing import BaseRoute

from iot_pipeline.console import access
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.viewer import Viewer

# Why a change is made, for people to write and for the audit to keep.
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class Why(BaseModel):
    """All that a change needs to be told that its address does not say."""

    reason: Reason


class UnrecordedError(AssertionError):
    """A route has changed something and has not said so."""


class Recorder:
    """Writes the audit's entry of one request's change: `record("acknowledge", episode, reason)`."""

    def __init__(self, request: Request, viewer: Viewer) -> None:
        self._request, self._viewer = request, viewer
        self.used = False

    def __call__(self, action: str, subject: str, reason: str = "") -> None:
        """Note what was done, to what and why."""
        parts_of(self._request).audit.record(self._viewer, action, subject, reason)
        self.used = True


def _recorder(request: Request, viewer: SignedIn) -> Iterator[Recorder]:
    recorder = Recorder(request, viewer)
    yield recorder
    if not recorder.used:
        raise UnrecordedError(f"{request.method} {request.url.path} has changed something and recorded nothing")


# The check runs when the route returns, before its answer is sent; a route that raises has changed nothing.
Recorded = Annotated[Recorder, Depends(_recorder, scope="function")]


def check(routes: Iterable[BaseRoute]) -> None:
    """Raises ValueError naming each route that the table of access says changes something and that does not declare
    `Recorded`.
    """
    unrecorded = sorted(
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if access.of_route(method, route.path).changes and not _declares(route.dependant)
    )
    if unrecorded:
        raise ValueError(f"these change something and declare no `Recorded` (console/changes.py): {unrecorded}")


def _declares(dependant: Dependant) -> bool:
    return dependant.call is _recorder or any(map(_declares, dependant.dependencies))
