"""The process that serves the application, and what one client may cost it."""

import asyncio
import resource
import signal
import sys
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from iot_pipeline.settings import Console

# Requests that are under way when the process is told to stop have so long; open event streams are cut off then.
STOP_SECONDS = 3
# From the first byte, or from the connection if there was none yet. uvicorn has no bound on this.
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
HEAD_BYTES = 16 * 1024
# An idle connection is kept for longer than a load balancer keeps it (60 s by default), or the balancer would use one
# that has just been closed ("HTTP 502", Application Load Balancers guide, "Troubleshoot").
KEEP_ALIVE_SECONDS = 75
# Each connection costs some tens of kilobytes. Whoever comes when so many are open is told 503.
CONNECTIONS = 4000


class BoundedProtocol(H11Protocol):
    """HTTP/1.1, closing the connection of a client that takes too long over sending a request."""

    _waits_for: str | None = None
    _deadline: asyncio.TimerHandle | None = None
    _fresh = True

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._bound()

    def data_received(self, data: bytes) -> None:
        """Handle what has come, and wait for the rest of it."""
        super().data_received(data)
        self._bound()

    def on_response_complete(self) -> None:
        """Wait for the next request, of which a part may be here."""
        super().on_response_complete()
        self._bound()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait(None, 0)
        super().connection_lost(exc)

    def _bound(self) -> None:
        state = self.conn.their_state
        if state is h11.IDLE and (self._fresh or self.conn.trailing_data[0]):
            self._wait("head", HEAD_SECONDS)
        elif state is h11.SEND_BODY:
            self._wait("body", BODY_SECONDS)
        else:
            self._fresh = False
            self._wait(None, 0)

    def _wait(self, what: str | None, seconds: float) -> None:
        if what == self._waits_for:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._waits_for = what
        self._deadline = None if what is None else self.loop.call_later(seconds, self.transport.close)


def serve(app: ASGIApp, settings: Console) -> None:
    """Serve until SIGTERM or SIGINT."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # uvicorn stops in order at either signal, and then raises it again.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedProtocol,
        ws="none",
        h11_max_incomplete_event_size=HEAD_BYTES,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
