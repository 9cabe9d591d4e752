"""A vendor's REST API on this machine: OAuth 2 and keys, three kinds of paging, and faults on request."""

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, CLIENT_PASSWORD = "pull-client", "p:w/d %"
API_KEY = "k-123"


@dataclass(frozen=True)
class Observation:
    """What a station measured: its id, epoch milliseconds UTC, a number and values by name."""

    station: str
    at_ms: int
    number: int
    values: dict[str, float]


@dataclass
class Reply:
    """What is about to be sent; a fault changes it, or sends something itself and sets `sent`."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: bool = False


Fault = Callable[["_Handler", Reply], None]


@dataclass
class VendorApi:
    """The data, the faults of the next requests for pages (None for none), and what was asked for.

    `rearranged` stands for pages that are missing or come twice: given the numbers of a window's pages from 0 on, the
    numbers in the order in which they are served.
    """

    observations: list[Observation]
    faults: deque[Fault | None] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    rearranged: Callable[[list[int]], list[int]] = list
    url: str = ""

    def token(self) -> dict[str, Any]:
        """A new token."""
        made = f"token-{len(self.tokens)}"
        self.tokens.append(made)
        self.valid.add(made)
        return {"access_token": made, "token_type": "Bearer", "expires_in": 3600}

    def window(self, begin_ms: int, end_ms: int) -> list[Observation]:
        """What was measured in a time, its end excluded."""
        return [each for each in self.observations if begin_ms <= each.at_ms < end_ms]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: VendorApi

    def do_POST(self) -> None:
        """The token's server."""
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
        self.api.asked.append(self.path)
        given = self.headers.get("Authorization", "")
        well = form.get("grant_type") == ["client_credentials"] and given == _basic()
        self._send(_json(self.api.token()) if well else _json({"error": "invalid_client"}, 401))

    def do_GET(self) -> None:
        """A page."""
        self.api.asked.append(self.path)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        reply = self._page(parts.path, query)
        fault = self.api.faults.popleft() if self.api.faults else None
        if fault is not None:
            fault(self, reply)
        if not reply.sent:
            self._send(reply)

    def _page(self, path: str, query: dict[str, str]) -> Reply:
        given = self.headers.get("Authorization", "")
        if path == "/v1/observations":
            return _by_cursor(self.api, query) if given.removeprefix("Bearer ") in self.api.valid else _json({}, 401)
        if self.headers.get("X-Api-Key") != API_KEY:
            return _json({}, 401)
        return _by_link(self.api, query) if path == "/v1/levels" else _by_number(self.api, query)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests read `asked`."""


def _by_cursor(api: VendorApi, query: dict[str, str]) -> Reply:
    found = api.window(*(round(datetime.fromisoformat(query[name]).timestamp() * 1000) for name in ("from", "to")))
    items, following = _cut(api, found, int(query["limit"]), int(query.get("cursor", "c0")[1:]))
    data = [
        {
            "station": {"id": each.station},
            "observed_at": datetime.fromtimestamp(each.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "values": each.values,
        }
        for each in items
    ]
    following_text = None if following is None else f"c{following}"
    return _json({"data": data, "meta": {"total": len(found), "next_cursor": following_text}})


def _by_number(api: VendorApi, query: dict[str, str]) -> Reply:
    found = api.window(*(int(query[name]) * 1000 for name in ("since", "until")))
    items, _ = _cut(api, found, int(query["per_page"]), int(query["page"]) - 1)
    return _json([_row(each) for each in items])


def _by_link(api: VendorApi, query: dict[str, str]) -> Reply:
    found = api.window(*(int(query[name]) * 1000 for name in ("since", "until")))
    items, following = _cut(api, found, int(query["per_page"]), int(query.get("page", "0")))
    reply = _json({"count": len(found), "rows": [_row(each) for each in items]})
    if following is not None:
        reply.headers["Link"] = f'</v1/levels?{urlencode({**query, "page": following})}>; rel="next", </v1>; rel="up"'
    return reply


def _cut(api: VendorApi, found: list[Observation], size: int, step: int) -> tuple[list[Observation], int | None]:
    """The items of the so-manieth page served, and which is served after it."""
    order = api.rearranged(list(range(math.ceil(len(found) / size))))
    if step >= len(order):
        return [], None
    begin = order[step] * size
    return found[begin : begin + size], step + 1 if step + 1 < len(order) else None


def _row(each: Observation) -> dict[str, Any]:
    return {"sensor": each.station, "t": each.at_ms // 1000, "n": each.number, **each.values}


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _basic() -> str:
    # RFC 6749, section 2.3.1: both parts encoded as in forms.
    return "Basic cHVsbC1jbGllbnQ6cCUzQXclMkZkJTIwJTI1"


def status(code: int, **headers: str) -> Fault:
    """Answer with a status; of a header's name `_` stands for `-`."""

    def fault(_: _Handler, reply: Reply) -> None:
        reply.status, reply.body = code, b'{"error": "as asked"}'
        reply.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return fault


def body(text: bytes) -> Fault:
    """Answer with another body."""

    def fault(_: _Handler, reply: Reply) -> None:
        reply.body = text

    return fault


def truncated(handler: _Handler, reply: Reply) -> None:
    """Promise the whole body, send half of it, and hang up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    handler.wfile.write(reply.body[: len(reply.body) // 2])
    handler.close_connection = reply.sent = True


def hung_up(handler: _Handler, reply: Reply) -> None:
    """Close the connection without an answer."""
    handler.close_connection = reply.sent = True


def expired(handler: _Handler, reply: Reply) -> None:
    """All tokens end now."""
    handler.api.valid.clear()
    status(401)(handler, reply)


def dripping(seconds: float) -> Fault:
    """Send a byte at a time, with a pause after each."""

    def fault(handler: _Handler, reply: Reply) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.close_connection = reply.sent = True
        for each in reply.body:
            try:
                handler.wfile.write(bytes([each]))
            except OSError:
                return
            time.sleep(seconds)

    return fault


@contextmanager
def serving(observations: list[Observation]) -> Iterator[VendorApi]:
    """Serve the API on a free port of loopback until the block ends."""
    api = VendorApi(observations)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
