"""Every request passes here before its route: the table of access decides."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse

from iot_pipeline.console import access
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.viewer import Viewer


class SignInError(Exception):
    """A page is asked for by nobody who is known; `path` is where to come back to."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


async def to_sign_in(_: Request, error: Exception) -> RedirectResponse:
    """Sends a browser to sign in, and from there back."""
    assert isinstance(error, SignInError)  # noqa: S101  # registered for this class alone; for the type checker
    return RedirectResponse(f"/login?next={quote(error.path)}", 303)


def authorise(request: Request) -> None:
    """Let a request through, its viewer noted in `request.state.viewer`.

    Raises SignInError for a page without a sign-in, and ProblemError for anything else: 401 without one, 403 where the
    role or the key's scope does not suffice.
    """
    row = access.of_route(request.method, request.scope["route"].path)
    if row.roles is None:
        return
    identity = parts_of(request).identity
    viewer = identity.viewer(request)
    if viewer is None:
        if row.page:
            raise SignInError(request.url.path)
        raise ProblemError(401, "sign_in", "sign in first: this needs a session or an API key")
    if viewer.role not in row.roles:
        raise ProblemError(403, "role", f"{viewer.role} may not do this; {', '.join(sorted(row.roles))} may")
    if viewer.key is not None and row.scope not in viewer.scopes:
        lacking = f"this needs a key with the scope {row.scope}" if row.scope else "no API key may do this: sign in"
        raise ProblemError(403, "scope", lacking)
    if row.changes and viewer.key is None:
        identity.check_csrf(request)
    request.state.viewer = viewer


def _viewer(request: Request) -> Viewer:
    viewer: Viewer = request.state.viewer
    return viewer


# What a route declares to get its viewer.
SignedIn = Annotated[Viewer, Depends(_viewer)]
