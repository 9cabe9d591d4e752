"""How much a request may send, and what every answer tells a browser not to do (OWASP Secure Headers Project)."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iot_pipeline.console.problems import of_http

# The largest body of a request: a statement of SQL is some kilobytes.
BODY_BYTES = 1_000_000
_HEADERS = {
    # Scripts and styles are files of the package; nothing of the console works inside another page.
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


class SafetyHeaders:
    """Adds them to each answer, and keeps answers but static files out of caches. `https`: how browsers come here."""

    def __init__(self, app: ASGIApp, *, https: bool, static: str) -> None:
        self._app, self._static = app, static
        self._headers = _HEADERS | (_HTTPS_ONLY if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith(f"{self._static}/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses with 413 a request whose body is larger than BODY_BYTES, before or while it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        too_large = HTTPException(413, f"the body is larger than {BODY_BYTES} bytes")
        request = Request(scope)
        declared = request.headers.get("content-length", "0")
        # h11 has refused a length that is no number.
        if int(declared) > BODY_BYTES:
            answer = await of_http(request, too_large)
            await answer(scope, receive, send)
            return
        read = 0

        async def receive_within() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_BYTES:
                raise too_large
            return message

        await self._app(scope, receive_within, send)
