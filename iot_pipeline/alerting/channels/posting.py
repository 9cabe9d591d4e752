"""One POST of JSON over TLS, by the standard library: no redirect is followed, and none lasts longer than it may."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

# Of an answer, more is of no interest, and who sends it without end is not listened to.
_READ_BYTES = 2_000


@dataclass(frozen=True)
class Answer:
    """The status, the beginning of the body, and the header `Retry-After` if there is one."""

    status: int
    body: str
    retry_after: str | None


class UnreachableError(Exception):
    """No answer came: no connection, no TLS, a break, or too slow."""


def post(url: str, payload: Mapping[str, Any], seconds: float) -> Answer:
    """Send JSON and wait for the answer, `seconds` in all. Raises UnreachableError without the address in its text."""
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(str(parts.hostname), parts.port, timeout=seconds, context=_tls())
    # The connection's own time-out starts anew with each byte.
    late = threading.Event()
    watchdog = threading.Timer(seconds, _end, (connection, late))
    watchdog.daemon = True
    watchdog.start()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection.request("POST", path, json.dumps(payload).encode(), headers)
        answer = connection.getresponse()
        body = answer.read(_READ_BYTES).decode("utf-8", "replace")
        return Answer(answer.status, body, answer.headers.get("Retry-After"))
    except (OSError, http.client.HTTPException) as error:
        late_text = f"no answer within {seconds:g} s"
        is_late = late.is_set() or isinstance(error, TimeoutError)
        raise UnreachableError(late_text if is_late else f"{type(error).__name__}: {error}") from error
    finally:
        watchdog.cancel()
        connection.close()


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked; which authorities are trusted is the system's matter, or `SSL_CERT_FILE`'s."""
    return ssl.create_default_context()


def _end(connection: http.client.HTTPSConnection, late: threading.Event) -> None:
    late.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
