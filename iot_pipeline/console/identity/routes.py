"""Signing in and out, who one is, and API keys."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from iot_pipeline.console import access
from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.changes import Recorded
from iot_pipeline.console.identity.api_keys import LONGEST_DAYS, ApiKey
from iot_pipeline.console.identity.people import RoleError
from iot_pipeline.console.identity.provider import ProviderError
from iot_pipeline.console.identity.service import IdentityService
from iot_pipeline.console.identity.sign_in import SignInError, local_path
from iot_pipeline.console.identity.tokens import TokenError
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.rendered import page
from iot_pipeline.console.viewer import Role, Viewer


class NewKey(BaseModel):
    """The key that somebody wants."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=50)]
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 90


router = APIRouter()


def _service(request: Request) -> IdentityService:
    identity = parts_of(request).identity
    # Tests of other routes put in an identity that knows no sign-in.
    if not isinstance(identity, IdentityService):
        raise TypeError(f"these routes need the identity service, not {type(identity).__name__}")
    return identity


Service = Annotated[IdentityService, Depends(_service)]


@router.get("/login", include_in_schema=False)
def login(identity: Service, back: Annotated[str | None, Query(alias="next", max_length=2000)] = None) -> Response:
    """Send the browser to the provider."""
    try:
        where, kept = identity.sign_in.begin(local_path(back))
    except ProviderError as error:
        return _failed(503, str(error))
    answer = RedirectResponse(where, 303)
    identity.cookies.set_sign_in(answer, kept)
    return answer


@router.get("/callback", include_in_schema=False)
def callback(request: Request, identity: Service) -> Response:
    """Receive the browser back from the provider, and begin its session."""
    try:
        person, back = identity.sign_in.finish(request.query_params, identity.cookies.sign_in_of(request))
    except (SignInError, TokenError) as error:
        return _failed(400, str(error))
    except RoleError as error:
        return _failed(403, str(error))
    except ProviderError as error:
        return _failed(502, str(error))
    identity.known.remember(person)
    _end_session(identity, request)
    parts_of(request).audit.record(person.viewer(), "sign_in", person.subject)
    answer = RedirectResponse(local_path(back), 303)
    identity.cookies.set_session(answer, identity.sessions.begin(person))
    identity.cookies.forget(answer, identity.cookies.sign_in)
    return answer


@router.post("/logout")
def logout(identity: Service, request: Request, response: Response, record: Recorded) -> dict[str, str]:
    """End the session here; `next` is where the browser ends the provider's."""
    subject = identity.person(request).subject
    _end_session(identity, request)
    identity.cookies.forget(response, identity.cookies.session)
    record("sign_out", subject)
    signed_out = f"{identity.url}/signed-out"
    try:
        return {"next": identity.provider.sign_out_url(signed_out) or signed_out}
    except ProviderError:
        # The session here is over all the same.
        return {"next": signed_out}


@router.get("/signed-out", include_in_schema=False)
def signed_out() -> HTMLResponse:
    """What a browser shows after signing out."""
    return page("signed_out.html")


@router.get("/api/me")
def me(identity: Service, request: Request, viewer: SignedIn) -> dict[str, Any]:
    """Who asks, and for a session the token that its changes carry."""
    about = {"name": viewer.name, "role": viewer.role, "tenant": viewer.tenant}
    if viewer.key is not None:
        return about | {"api_key": viewer.key, "scopes": sorted(viewer.scopes)}
    return about | {"csrf_token": identity.csrf(request), "scopes": sorted(access.scopes_of(viewer.role))}


@router.get("/api/keys")
def list_keys(identity: Service, request: Request, viewer: SignedIn) -> list[dict[str, Any]]:
    """One's own API keys; an administrator sees all."""
    subject = identity.person(request).subject
    return [_shown(key) for key in identity.keys.all() if _may_see(viewer, subject, key)]


@router.post("/api/keys", status_code=201)
def make_key(wanted: NewKey, identity: Service, request: Request, record: Recorded) -> dict[str, Any]:
    """Make an API key. Its text is in this answer, and never shown again."""
    owner = identity.person(request)
    if unknown := set(wanted.scopes) - access.scopes_of(owner.role):
        known = ", ".join(sorted(access.scopes_of(owner.role))) or "none"
        raise ProblemError(
            422, "scope", f"{', '.join(sorted(unknown))}: no scope that {owner.role} may give; those are: {known}"
        )
    key, text = identity.keys.make(owner, wanted.name, wanted.scopes, wanted.days)
    record("make_key", key.id, f"{key.name}: {', '.join(sorted(key.scopes))}")
    return _shown(key) | {"key": text}


@router.delete("/api/keys/{key}", status_code=204)
def revoke_key(key: str, identity: Service, request: Request, viewer: SignedIn, record: Recorded) -> None:
    """Revoke an API key: at once, for good."""
    found = identity.keys.find(key)
    if found is None or not _may_see(viewer, identity.person(request).subject, found):
        raise ProblemError(404, "not_found", f"there is no API key {key[:40]!r} of yours")
    identity.keys.revoke(key)
    record("revoke_key", key, found.name)


def _end_session(identity: IdentityService, request: Request) -> None:
    session_id = identity.cookies.session_of(request)
    if session_id:
        identity.sessions.end(session_id)


def _may_see(viewer: Viewer, subject: str, key: ApiKey) -> bool:
    return viewer.role is Role.ADMIN or key.subject == subject


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "role": key.role,
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "made": datetime.fromtimestamp(key.made, UTC).isoformat(),
        "expires": datetime.fromtimestamp(key.expires, UTC).isoformat(),
    }


def _failed(status: int, why: str) -> HTMLResponse:
    return page("sign_in_failed.html", status, why=why)
