"""Who asks, known by a session's cookie or an API key: the console's `Identity`."""

import hmac
from typing import Any

import boto3
import httpx
from fastapi import Request

from iot_pipeline.console.identity.api_keys import ApiKeys
from iot_pipeline.console.identity.cookies import Cookies
from iot_pipeline.console.identity.known import Known
from iot_pipeline.console.identity.people import Person
from iot_pipeline.console.identity.provider import Provider
from iot_pipeline.console.identity.sessions import Sessions, csrf_token
from iot_pipeline.console.identity.sign_in import SignIn
from iot_pipeline.console.identity.signing_keys import SigningKeys
from iot_pipeline.console.identity.tokens import Tokens
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.console.store import Store
from iot_pipeline.console.viewer import Viewer
from iot_pipeline.settings import Console

CSRF_HEADER = "X-CSRF-Token"


class IdentityService:
    """Sign-ins, sessions and keys of one console."""

    def __init__(self, settings: Console, store: Store, http: httpx.Client) -> None:
        self.url = settings.url
        self.cookies = Cookies(secure=settings.url.startswith("https:"))
        self.known = Known(store)
        self.sessions = Sessions(store, self.known)
        self.keys = ApiKeys(store, self.known)
        self.provider = Provider(settings, http)
        tokens = Tokens(settings.issuer, settings.client_id, SigningKeys(self.provider))
        self.sign_in = SignIn(self.provider, tokens, f"{settings.url}/callback", lambda: _client_secret(settings))

    def viewer(self, request: Request) -> Viewer | None:
        """Who presents an API key or the cookie of a session; None without either, or with a session that is over.

        A key counts where both are presented. Raises ProblemError for one that is expired, revoked or forged.
        """
        if (presented := request.headers.get("authorization")) is not None:
            return self._of_key(presented)
        person = self._person(request)
        return None if person is None else person.viewer()

    def person(self, request: Request) -> Person:
        """Whose session's cookie a request carries. Raises ProblemError without a valid one."""
        person = self._person(request)
        if person is None:
            raise ProblemError(401, "session", "this session is over or has never been: sign in")
        return person

    def csrf(self, request: Request) -> str:
        """The token that changes in a request's session carry; empty without a session."""
        return csrf_token(self.cookies.session_of(request) or "") if self._person(request) else ""

    def check_csrf(self, request: Request) -> None:
        """Raises ProblemError unless a change comes from a page of the console, with the token of its session."""
        origin = request.headers.get("origin")
        if origin != self.url:
            raise ProblemError(403, "origin", f"changes are taken from pages of {self.url} alone, not from {origin!r}")
        given = request.headers.get(CSRF_HEADER, "")
        self.person(request)
        # compare_digest takes ASCII alone as text.
        if not hmac.compare_digest(given.encode(), self.csrf(request).encode()):
            raise ProblemError(403, "csrf", f"a change needs the header {CSRF_HEADER} with its session's token")

    def _person(self, request: Request) -> Person | None:
        session_id = self.cookies.session_of(request)
        return self.sessions.person(session_id) if session_id else None

    def _of_key(self, presented: str) -> Viewer:
        scheme, _, text = presented.partition(" ")
        found = self.keys.presented(text.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise ProblemError(
                401, "api_key", "this is no valid API key: send `Authorization: Bearer iotk_...`; it may have expired"
            )
        key, owner = found
        return Viewer(owner.name, owner.role, owner.tenant, key.id, key.scopes)


def _client_secret(settings: Console) -> str | None:
    if settings.client_secret_arn is None:
        return None
    # Fetched for each sign-in, so that it survives its rotation.
    secrets: Any = boto3.client("secretsmanager")
    return str(secrets.get_secret_value(SecretId=settings.client_secret_arn)["SecretString"])
