"""The OpenID Connect provider, found by its discovery document (OpenID Connect Discovery 1.0)."""

import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from iot_pipeline.settings import Console, is_private

TIMEOUT_SECONDS = 10.0
# How long the document is believed; a provider moves its endpoints seldom, and announces it.
KEPT_SECONDS = 3600.0


class ProviderError(Exception):
    """The provider does not answer, or answers what cannot be used. The text says what."""


@dataclass(frozen=True)
class Endpoints:
    """Where the provider does what; `end_session` is None for one that has no sign-out."""

    authorization: str
    token: str
    jwks: str
    end_session: str | None


class Provider:
    """Asks the provider; nothing is asked before it is needed, so that the console starts without it."""

    def __init__(self, settings: Console, http: httpx.Client) -> None:
        self.settings, self._http = settings, http
        self._url = settings.discovery_url or f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        self._lock = threading.Lock()
        self._found: Endpoints | None = None
        self._found_at = 0.0

    def endpoints(self) -> Endpoints:
        """The endpoints as the provider says. Raises ProviderError."""
        with self._lock:
            if self._found is None or time.monotonic() - self._found_at > KEPT_SECONDS:
                self._found = self._discover()
                self._found_at = time.monotonic()
            return self._found

    def keys(self) -> dict[str, Any]:
        """The provider's key set (JWKS). Raises ProviderError."""
        return self._json("GET", self.endpoints().jwks)

    def redeem(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        """What the token endpoint answers to a form. Raises ProviderError."""
        return self._json("POST", self.endpoints().token, data=form, auth=basic or httpx.USE_CLIENT_DEFAULT)

    def sign_out_url(self, back: str) -> str | None:
        """Where a browser ends its session with the provider, to come back to `back` then."""
        where = self.endpoints().end_session
        if where is None:
            return None
        # The standard's name of the address to come back to (RP-Initiated Logout 1.0), and Cognito's.
        query = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back, "logout_uri": back}
        return with_query(where, query)

    def _discover(self) -> Endpoints:
        found = self._json("GET", self._url)
        if found.get("issuer") != self.settings.issuer:
            raise ProviderError(f"{self._url} is of the issuer {found.get('issuer')!r}, not {self.settings.issuer!r}")
        needed = {name: found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        end_session = found.get("end_session_endpoint")
        for name, url in {**needed, "end_session_endpoint": end_session or self._url}.items():
            if not isinstance(url, str) or not is_private(url):
                raise ProviderError(f"{self._url}: {name} is {url!r}, which is no https: address")
        authorization, token, jwks = map(str, needed.values())
        return Endpoints(authorization, token, jwks, end_session)

    def _json(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, url, timeout=TIMEOUT_SECONDS, **request)
            content = answer.json()
        except httpx.HTTPError as error:
            raise ProviderError(f"{url} does not answer: {error!r}") from error
        except ValueError as error:
            raise ProviderError(f"{url} answers {answer.status_code} with something else than JSON") from error
        if not answer.is_success or not isinstance(content, dict):
            # RFC 6749, section 5.2; the description is for developers, and holds no token.
            reason = content.get("error") if isinstance(content, dict) else "no JSON object"
            raise ProviderError(f"{url} answers {answer.status_code}: {reason}")
        return content


def with_query(url: str, query: dict[str, str]) -> str:
    """An address with parameters added to those it may have."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
