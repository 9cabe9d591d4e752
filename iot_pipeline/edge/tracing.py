"""Subsegments of AWS X-Ray: where the time of one invocation went.

X-Ray developer guide, "Sending segment documents to the X-Ray daemon" and "X-Ray segment documents": a datagram, a
line of header and the document, goes to the daemon that Lambda runs beside a function with active tracing. Lambda says
in the environment where that is, and which trace the invocation belongs to. Of what is not sampled, and where there is
no daemon, nothing is sent.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_HEADER = b'{"format": "json", "version": 1}\n'
# "Segment documents can be up to 64 kB in size" (X-Ray developer guide); a datagram of that size does not fit either.
MAX_BYTES = 60_000


def trace_id() -> str | None:
    """The X-Ray trace of this invocation; None outside of one."""
    return _parts().get("Root")


@contextmanager
def subsegment(name: str) -> Iterator[dict[str, Any]]:
    """Time a part of the invocation. What is put into the yielded mapping becomes the subsegment's metadata."""
    metadata: dict[str, Any] = {}
    began = time.time()
    try:
        yield metadata
    except Exception:
        _send(name, began, metadata, is_fault=True)
        raise
    _send(name, began, metadata, is_fault=False)


def _parts() -> Mapping[str, str]:
    """The tracing header, `Root=...;Parent=...;Sampled=1`, by its names."""
    pairs = (part.partition("=") for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    return {name: value for name, _, value in pairs}


def _send(name: str, began: float, metadata: dict[str, Any], *, is_fault: bool) -> None:
    parts, (host, _, port) = _parts(), os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "").partition(":")
    if parts.get("Sampled") != "1" or not port:
        return
    document = {
        "name": name,
        "id": secrets.token_hex(8),
        "type": "subsegment",
        "trace_id": parts["Root"],
        "parent_id": parts["Parent"],
        "start_time": began,
        "end_time": time.time(),
        "metadata": {"iot": metadata},
    }
    if is_fault:
        document["fault"] = True
    data = _HEADER + json.dumps(document, separators=(",", ":")).encode()
    if len(data) > MAX_BYTES:
        data = _HEADER + json.dumps(document | {"metadata": {"iot": "too large"}}, separators=(",", ":")).encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.sendto(data, (host, int(port)))
