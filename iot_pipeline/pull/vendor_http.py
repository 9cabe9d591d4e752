"""One HTTP request to a vendor, by the standard library: no redirect is followed, no answer lasts or grows for ever.

The library is what AWS Lambda's runtime has for certain, as for `alerting/channels/posting.py`.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from functools import cache
from urllib.parse import urlsplit

from iot_pipeline.pull.vendor_file import is_allowed

# A page of 10,000 items of 1.5 KB. A function of 512 MiB holds such a body, its text and what it parses to.
MAX_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 10.0
# Between two bytes; the whole request has a limit of its own.
READ_SECONDS = 20.0
_PIECE = 65_536


@dataclass(frozen=True)
class Response:
    """An answer, whole."""

    status: int
    headers: Message
    body: bytes


class TransportError(Exception):
    """No whole answer came: no connection, no TLS, a break, too slow or too large. The text has no secret."""


def request(method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Response:
    """Send a request and read its answer, `seconds` in all. Raises TransportError; ValueError for a URL not allowed."""
    parts = urlsplit(url)
    if not is_allowed(parts):
        raise ValueError(f"{parts.scheme}://{parts.hostname} may not be asked: https alone")
    connection = _connection(str(parts.hostname), parts.port, parts.scheme, min(seconds, CONNECT_SECONDS))
    late = threading.Event()
    # The connection's own time-outs start anew with each byte.
    watchdog = threading.Timer(seconds, _end, (connection, late))
    watchdog.daemon = True
    watchdog.start()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.connect()
        connection.sock.settimeout(min(seconds, READ_SECONDS))
        connection.request(method, path, body, {**headers, "Accept-Encoding": "identity", "Connection": "close"})
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, _body(answer))
    except (OSError, http.client.HTTPException, ValueError, TransportError) as error:
        if late.is_set():
            raise TransportError(f"no whole answer within {seconds:.0f} s") from error
        if isinstance(error, TransportError):
            raise
        raise TransportError(f"{type(error).__name__}: {error}") from error
    finally:
        watchdog.cancel()
        connection.close()


def _connection(host: str, port: int | None, scheme: str, seconds: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=_tls())
    return http.client.HTTPConnection(host, port, timeout=seconds)


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked; which authorities are trusted is the system's matter, or `SSL_CERT_FILE`'s."""
    return ssl.create_default_context()


def _body(answer: http.client.HTTPResponse) -> bytes:
    """All of it. Raises TransportError where it is larger than may be, compressed unasked, or cut off."""
    coding = answer.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        raise TransportError(f"the answer is encoded as {coding}, for which nobody asked")
    promised = answer.length
    body = bytearray()
    # Not `read`, which waits for the whole piece.
    while piece := answer.read1(_PIECE):
        body += piece
        if len(body) > MAX_BYTES:
            raise TransportError(f"the answer has more than {MAX_BYTES} bytes: ask for smaller pages")
    if promised is not None and len(body) < promised:
        raise TransportError(f"the answer ended after {len(body)} of {promised} bytes")
    return bytes(body)


def _end(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
