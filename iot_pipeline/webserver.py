"""Dagster's webserver, for programs and for the pages that it serves itself: `python -m iot_pipeline.webserver`.

It takes the options of `dagster-webserver`, which by itself obeys every web page that is open in a browser that can
reach it: it runs a mutation from the address of a GET or of a form's POST (an image is enough to launch or end a run),
lets any page open its WebSocket, and asks for no name of its own. On AWS the load balancer signs people in, but a
browser sends their session along with what another page asks for.
"""

import ipaddress
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dagster_webserver import cli

from iot_pipeline.settings import Deployment, variable

Application = Callable[..., Awaitable[None]]
URL = variable(Deployment, "dagster_url")


def guarded(application: Application, url: str | None) -> Application:
    """The application, behind a door that answers 403 to what `refused` refuses. `url` is what people find it by."""
    own = _name(url or "") or None

    async def serve(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        refusal = refused(scope, own) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await application(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[:123]})
        else:
            body = f"{refusal}\n".encode()
            headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return serve


def refused(scope: Mapping[str, Any], own: str | None) -> str | None:
    """Why a request is refused, None if it is served; `own` is the name in the webserver's own address, if it has one.

    A browser says by Origin which page sends a POST or opens a WebSocket, and by Sec-Fetch-Site whether it is another
    site's, with a GET too (Fetch standard, "Origin header"; Fetch Metadata, "Sec-Fetch-Site"). A person who follows a
    link navigates, which shows a page and changes nothing. A name that was rebound to this machine is the page's own
    to a browser, and so nothing but its being another name tells; an address cannot be rebound.
    """
    sent = _fields(scope["headers"])
    hosts, origins = sent.get("host", []), sent.get("origin", [])
    host = hosts[0] if len(hosts) == 1 else ""
    name = _name(f"//{host}")
    if not (name == own or _is_address(name)):
        return f"requests for the host {host!r} are refused: use the address, or set {URL} to where it is found"
    if any(origin.partition("://")[2] != host for origin in origins):
        return f"requests of other web pages are refused (Origin: {', '.join(origins)})"
    is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
    site = sent.get("sec-fetch-site", ["none"])
    if site not in (["none"], ["same-origin"]) and not (is_read and sent.get("sec-fetch-mode") == ["navigate"]):
        return f"requests of other web pages are refused (Sec-Fetch-Site: {', '.join(site)})"
    # What accepts HTML is shown the page by which people write queries, and runs nothing.
    if is_read and scope["path"].endswith("/graphql") and "text/html" not in sent.get("accept", [""])[0]:
        return "a query is sent by POST: whatever can make a browser load an address could send it otherwise"
    return None


def _fields(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # half an address in brackets
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def main() -> None:
    """As `dagster-webserver`, behind the door."""
    commands: Any = cli  # which exports no part of itself
    make = commands.create_app_from_workspace_process_context

    def make_guarded(*arguments: Any, **options: Any) -> Application:
        return guarded(make(*arguments, **options), os.environ.get(URL))

    commands.create_app_from_workspace_process_context = make_guarded
    commands.main()


if __name__ == "__main__":
    main()
