"""The AWS JSON 1.1 protocol over HTTP: one POST, the operation in X-Amz-Target."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.athena.caller_identity import Callers, acting_for
from infra.local.athena.errors import ApiError
from infra.local.servers.loopback import HOST, foreign

Operation = Callable[[dict[str, Any]], dict[str, Any]]
Resources = Callable[[str, Mapping[str, Any]], Sequence[str]]
log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """Serves `operations` (name -> function of the request body) on 127.0.0.1, to programs and not to web pages.

    Each works with the permissions of its caller, who needs the operation on the `resources` that it names.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, operations: dict[str, Operation], resources: Resources, callers: Callers) -> None:
        super().__init__((HOST, port), _Handler)
        self.operations, self.resources, self.callers = operations, resources, callers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece: its body would wait 40 ms for the client's delayed acknowledgement of its head.
    wbufsize = -1
    server: Server

    def log_message(self, *_: object) -> None:
        """Nothing: one line a poll would drown the log."""

    def parse_request(self) -> bool:
        """Refuse what a web page sent, whatever its method is."""
        if not super().parse_request():
            return False
        if refusal := foreign(self.headers.get_all("Origin", []), self.headers.get_all("Host", [])):
            self.close_connection = True  # its body is not read
            self._send_error(403, "AccessDeniedException", refusal)
            return False
        return True

    def do_GET(self) -> None:
        self._send(200, {"status": "ok"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._send(200, self._answer(body))
        except ApiError as error:
            self._send_error(error.status, error.code, error.message)
        except KeyError as error:
            self._send_error(400, "InvalidRequestException", f"{error.args[0]} is required")
        except (BrokenPipeError, ConnectionResetError):
            log.info("the client went away")
        except Exception as error:
            log.exception("unexpected error")
            self._send_error(500, "InternalServerException", repr(error))

    def _answer(self, body: bytes) -> dict[str, Any]:
        name, operation = self._operation()
        asked = json.loads(body or b"{}")
        resources = self.server.resources(name, asked)
        with acting_for(self.server.callers.admit(name, dict(self.headers.items()), body, resources)):
            return operation(asked)

    def _operation(self) -> tuple[str, Operation]:
        service, _, name = (self.headers.get("X-Amz-Target") or "").partition(".")
        operation = self.server.operations.get(name) if service == "AmazonAthena" else None
        if operation is None:
            raise ApiError("UnknownOperationException", f"NOT_SUPPORTED_LOCALLY: operation {service}.{name}")
        return name, operation

    def _send_error(self, status: int, code: str, message: str) -> None:
        self._send(status, {"__type": code, "message": message, "Message": message, "AthenaErrorCode": code})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        payload = json.dumps(answer, default=_seconds).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(payload)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        self.end_headers()
        self.wfile.write(payload)


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be sent")
