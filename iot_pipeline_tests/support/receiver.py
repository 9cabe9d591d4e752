"""A webhook's receiver: a real server over TLS, which answers as it is told and remembers what it got."""

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from iot_pipeline_tests.support.tls import make_certificate, write_pem


@dataclass(frozen=True)
class Reply:
    """An answer: its status and headers. `hangs`: none at all until it is released; `drips`: a byte at a time."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"
    hangs: bool = False
    drips: bool = False


@dataclass
class Receiver:
    """What was posted, by path in the order of arrival, and what is answered to each path next; then 200."""

    port: int = 0
    authorities: str = ""
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    always: dict[str, Reply] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"https://127.0.0.1:{self.port}{path}"

    def answers(self, path: str, replies: Sequence[Reply]) -> None:
        """What is answered to the next posts."""
        with self.lock:
            self.replies[path] = list(replies)

    def got(self, path: str) -> list[dict[str, Any]]:
        """What was posted to a path."""
        with self.lock:
            return [body for at, body in self.posts if at == path]

    def take(self, path: str, body: dict[str, Any]) -> Reply:
        """Remember a post; its answer."""
        with self.lock:
            self.posts.append((path, body))
            waiting = self.replies.get(path)
            return waiting.pop(0) if waiting else self.always.get(path, Reply())


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """A receiver for the time of a `with` block; `authorities` is the file by which its certificate is trusted."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = receiver.take(self.path, body)
            if reply.hangs:
                receiver.released.wait()
                self.close_connection = True
                return
            if reply.drips:
                self._drip()
                return
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def _drip(self) -> None:
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: " + b"x" * 10_000:
                if receiver.over.wait(0.05):
                    return
                try:
                    self.wfile.write(bytes([byte]))
                except OSError:
                    return

        def log_message(self, *_args: Any) -> None:
            """Nothing on the console."""

    authority, authority_key = make_certificate("authority", None)
    certificate, key = make_certificate("receiver", (authority.subject, authority_key))
    receiver.authorities = str(write_pem(folder / "authorities.pem", authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_pem(folder / "receiver.pem", certificate, key))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        receiver.released.set()
        server.shutdown()
        server.server_close()
