"""A client that sends whatever bytes a test wants: libraries refuse to break the rules."""

import socket
import ssl
import struct
from typing import Any

from ministack.services import iot

from iot_pipeline_tests.support.emulator import Device, LocalAws

V311, V5 = 4, 5
CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT = 2, 3, 4, 9, 13, 14
# A policy that allows all: what is tried is the protocol.
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
# A test that waits as long as this fails.
ANSWER_SECONDS = 20.0


def text(value: str) -> bytes:
    """A string as MQTT writes it."""
    return struct.pack("!H", len(value.encode())) + value.encode()


def packet(first: int, body: bytes) -> bytes:
    """A packet with a first byte and the rest."""
    return bytes([first]) + bytes(iot._encode_remaining_length(len(body))) + body


def connect(
    client_id: str,
    version: int = V5,
    *,
    flags: int = 0x02,
    keep_alive: int = 60,
    properties: list[tuple[int, Any]] | None = None,
    rest: bytes = b"",
    name: str = "MQTT",
) -> bytes:
    """A CONNECT; `rest` follows the client id (a will, for example)."""
    body = text(name) + bytes([version, flags]) + struct.pack("!H", keep_alive)
    if version == V5:
        body += iot._encode_properties(properties)
    return packet(0x10, body + text(client_id) + rest)


def publish(topic: str, payload: bytes = b"{}", version: int = V5, *, flags: int = 0x02, packet_id: int = 1) -> bytes:
    """A PUBLISH, of QoS 1 unless `flags` say otherwise."""
    body = text(topic) + (struct.pack("!H", packet_id) if flags & 0x06 else b"")
    return packet(0x30 | flags, body + (b"\0" if version == V5 else b"") + payload)


def subscribe(*filters: str, version: int = V5, options: int = 1, packet_id: int = 1) -> bytes:
    """A SUBSCRIBE with the same options for all its filters."""
    body = struct.pack("!H", packet_id) + (b"\0" if version == V5 else b"")
    return packet(0x82, body + b"".join(text(one) + bytes([options]) for one in filters))


class RawMqtt:
    """A TLS connection of a device, without a client library."""

    def __init__(self, aws: LocalAws, device: Device) -> None:
        context = ssl.create_default_context(cafile=str(aws.emulator.ca_pem))
        context.load_cert_chain(device.certificate, device.key)
        plain = socket.create_connection(("127.0.0.1", aws.emulator.mqtt_port), timeout=ANSWER_SECONDS)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(b"".join(parts))

    def receive(self) -> tuple[int, int, bytes] | None:
        """The next packet: type, flags, body; None when the connection was closed instead."""
        head = self._exactly(2)
        if head is None:
            return None
        size, shift, byte = head[1] & 0x7F, 7, head[1]
        while byte & 0x80:
            byte = (self._exactly(1) or b"\0")[0]
            size |= (byte & 0x7F) << shift
            shift += 7
        return head[0] >> 4, head[0] & 0x0F, self._exactly(size) or b""

    def _exactly(self, size: int) -> bytes | None:
        found = b""
        while len(found) < size:
            try:
                chunk = self.socket.recv(size - len(found))
            except (ConnectionError, ssl.SSLError):
                return None
            if not chunk:
                return None
            found += chunk
        return found

    def opened(self, client_id: str, version: int = V5, **options: Any) -> bytes:
        """Connect; the body of the CONNACK, whose reason must be success."""
        self.send(connect(client_id, version, **options))
        answer = self.receive()
        assert answer is not None
        assert answer[0] == CONNACK
        assert answer[2][1] == 0, answer
        return answer[2]

    def ended(self) -> int | None:
        """Read to the end of the connection; the reason code of the last CONNACK or DISCONNECT, None without one."""
        reason = None
        while (found := self.receive()) is not None:
            kind, _flags, body = found
            if kind == CONNACK:
                reason = body[1]
            elif kind == DISCONNECT:
                reason = body[0]
        return reason

    def cut(self) -> None:
        """End the connection as a network that fails does: without a word of MQTT or TLS."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
