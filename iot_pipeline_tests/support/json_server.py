"""A server of JSON on this machine, for as long as a test wants it."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.servers.loopback import HOST


@dataclass(frozen=True)
class Asked:
    """A request; the names of `headers` know no case."""

    method: str
    path: str
    headers: Message
    body: bytes


Answer = Callable[[Asked], tuple[int, Mapping[str, Any]]]
"""The status and the document by which a request is answered."""


@contextmanager
def serving_json(answer: Answer, content_type: str = "application/json") -> Iterator[str]:
    """Serve on a free port of loopback until the end of the `with` block, whose value is the URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing on the console."""

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = answer(Asked(self.command, self.path, self.headers, body))
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
