"""Where the local servers listen, and which HTTP requests there come from a web page instead of a program."""

import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress

HOST = "127.0.0.1"
_OURS = (HOST, "localhost")
_LOWEST, _HIGHEST = 15_000, 32_000


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago, and that no connection takes by itself.

    A connection's own port comes from the system's range (Linux 32768 to 60999, macOS from 49152: ip(7),
    `ip_local_port_range`); one of that range may be taken again before its server binds it.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port := _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)))
            return port


def foreign(origins: Sequence[str], hosts: Sequence[str]) -> str | None:
    """Why a request with these Origin and Host headers is refused; None if a program of this machine sent it.

    A web browser reaches 127.0.0.1 for every page it shows. It sends Origin with what a page's script or form sends to
    another site (Fetch standard, "Origin header"), which no AWS SDK does. A page whose own name was rebound to
    127.0.0.1 needs no Origin, but its requests carry that name as Host. Names below `localhost` cannot be rebound
    (RFC 6761, section 6.3), and SDKs send them for buckets (`bucket.localhost`).
    """
    if origins:
        return f"requests of web pages are refused (Origin: {origins[0]})"
    name = hosts[0].rpartition(":")[0] or hosts[0] if len(hosts) == 1 else ""
    if name not in _OURS and not name.endswith(".localhost"):
        return f"requests for other hosts are refused (Host: {', '.join(hosts) or 'none'})"
    return None
