"""The console's two cookies: the session's, and the one that lasts from /login to /callback."""

import base64
import json
from collections.abc import Mapping

from fastapi import Request, Response

SIGN_IN_SECONDS = 600
_LONGEST = 4096


class Cookies:
    """Sets and reads them. Behind https their names begin with `__Host-`: no other host can set such (RFC 6265bis)."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self.session, self.sign_in = f"{prefix}session", f"{prefix}sign-in"

    def session_of(self, request: Request) -> str | None:
        """The session id that a browser presents."""
        return request.cookies.get(self.session)

    def set_session(self, response: Response, session_id: str) -> None:
        """Give the browser its session, until it is closed or the session is over."""
        self._set(response, self.session, session_id)

    def set_sign_in(self, response: Response, values: Mapping[str, str]) -> None:
        """Have the browser keep what /callback compares."""
        text = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
        self._set(response, self.sign_in, text, SIGN_IN_SECONDS)

    def sign_in_of(self, request: Request) -> dict[str, str]:
        """What /login gave the browser to keep; empty if there is nothing that can be read."""
        try:
            text = request.cookies.get(self.sign_in, "")[:_LONGEST]
            values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            return {}
        texts = isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
        return values if texts else {}

    def forget(self, response: Response, name: str) -> None:
        """Have the browser drop a cookie."""
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        # Lax, for the browser comes to /callback from the provider's site.
        response.set_cookie(name, value, seconds, path="/", secure=self._secure, httponly=True, samesite="lax")
