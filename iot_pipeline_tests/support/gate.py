"""A server behind a door that a test can shut: for its clients it is then as gone as one that was stopped."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


class Gate:
    """Forwards connections from a free port to another one, while it is open."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: socket.socket | None = None
        self._live: set[socket.socket] = set()
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = int(free.getsockname()[1])
        self.open()

    def open(self) -> None:
        """Take connections."""
        self._server = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def shut(self) -> None:
        """Cut the connections that stand, and refuse new ones."""
        if self._server is not None:
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        for each in list(self._live):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            beyond = socket.create_connection((HOST, self._target))
            self._live |= {client, beyond}
            for one, other in ((client, beyond), (beyond, client)):
                threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)
        self._live.discard(one)
        one.close()


@contextmanager
def gate_to(port: int) -> Iterator[Gate]:
    """A gate for the time of a `with` block."""
    gate = Gate(port)
    try:
        yield gate
    finally:
        gate.shut()
