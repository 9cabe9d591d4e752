"""Who may use the local AWS's API: programs that sign with its credentials; no web page, and nobody unsigned.

Cognito's sign-in is the exception, since people reach it with a browser.

Stock ministack serves every page of a browser on this machine (its preflight answers `*`), resets itself for anybody
who asks, takes an unsigned request and the keys `test` and twelve digits for the account's root, and checks no
signature of a root key.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_evaluator

from infra.local.servers.loopback import foreign

Application = Callable[..., Awaitable[None]]
Send = Callable[[Any], Awaitable[None]]

# Ministack's own paths begin with an underscore, as no bucket's name can. These two are read and change nothing; a
# custom resource answers CloudFormation at the third, whose last part nobody can guess.
_READ_UNSIGNED = ("/_ministack/ready", "/_ministack/iot/ca.pem")
_ANSWERS = "/_ministack/cfn-response/"
# Cognito's sign-in is for browsers and for OpenID Connect clients, which sign nothing. Its form alone is sent by a web
# page: by the one that Cognito itself serves. A pool's id has an underscore, which no bucket's name can have.
_FORM = ("POST", "/login")
_SIGN_IN = (_FORM, ("GET", "/oauth2/authorize"), ("POST", "/oauth2/token"), ("GET", "/logout"))
_DISCOVERY = re.compile(r"/[a-z0-9-]+_[A-Za-z0-9]+/\.well-known/(openid-configuration|jwks\.json)")


def install() -> None:
    """Have ministack check the signatures of root keys as it checks all others."""
    iam_evaluator._is_root_key = lambda _access_key_id: False


def guarded(application: Application) -> Application:
    """The application, behind a door that refuses with 403 what no program of ours sends."""

    async def serve(scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] == "websocket":  # MQTT over WebSocket and API Gateway are not part of the local AWS
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and (refusal := refused(scope)):
            await _refuse(send, refusal)
        else:
            await application(scope, receive, _without_cors(send))

    return serve


def refused(scope: Mapping[str, Any]) -> str | None:
    """Why a request is refused, None if it is served."""
    fields: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        fields.setdefault(name.lower(), []).append(value.decode("latin-1"))
    path, method = scope["path"], scope["method"]
    origins, hosts = fields.get(b"origin", []), fields.get(b"host", [])
    if (method, path) == _FORM and origins == [f"http://{host}" for host in hosts]:
        origins = []
    if refusal := foreign(origins, hosts):
        return refusal
    if (method, path) in _SIGN_IN or (method == "GET" and _DISCOVERY.fullmatch(path)):
        return None
    if (path in _READ_UNSIGNED and method == "GET") or (path.startswith(_ANSWERS) and method == "PUT"):
        return None
    if path.startswith("/_"):
        return f"{path} is not served here"
    query = parse_qs(scope["query_string"].decode("latin-1"))
    signed = any(value.startswith("AWS4-HMAC-SHA256 Credential=") for value in fields.get(b"authorization", []))
    return None if signed or query.get("X-Amz-Signature") else "the request is not signed (AWS Signature Version 4)"


async def _refuse(send: Send, refusal: str) -> None:
    body = json.dumps({"__type": "AccessDeniedException", "message": f"The local AWS: {refusal}"}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_cors(send: Send) -> Send:
    async def send_without_cors(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [(n, v) for n, v in message.get("headers", []) if not n.lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return send_without_cors
