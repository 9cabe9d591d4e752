"""A device that tries what its policy must not let it do, over MQTT and TLS, and says whether it was let."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ministack.services import iot

from iot_pipeline_tests.support.emulator import Device, LocalAws
from iot_pipeline_tests.support.raw_mqtt import (
    CONNACK,
    PINGRESP,
    PUBACK,
    PUBLISH,
    SUBACK,
    V5,
    RawMqtt,
    connect,
    packet,
    publish,
    subscribe,
    text,
)

# Reason codes from here on are refusals (MQTT 5.0, 2.4; of a SUBACK of 3.1.1, 3.9.3).
REFUSED = 0x80
RETAIN, QOS_1 = 0x01, 0x02
WILL, CLEAN = 0x04, 0x02


class Intruder:
    """A device's connections; one that the broker ends is opened anew, so that each attempt has its chance."""

    def __init__(self, aws: LocalAws, device: Device) -> None:
        self.aws = aws
        self.device = device
        self.overheard = 0
        """Messages that the broker has delivered to it."""
        self._open: dict[int, RawMqtt] = {}

    def close(self) -> None:
        """End the connections that are open."""
        for client in self._open.values():
            client.socket.close()
        self._open.clear()

    def publishes(self, topic: str, payload: bytes, version: int = V5, *, retain: bool = False) -> bool:
        """Whether a message of QoS 1 was taken."""
        flags = QOS_1 | (RETAIN if retain else 0)
        return self._accepted(version, publish(topic, payload, version, flags=flags), PUBACK, reason_at=2)

    def publishes_by_alias(self, topic: str, payload: bytes, alias: int) -> tuple[bool, bool]:
        """Whether a message was taken that gives a topic an alias, and one after it that names the alias alone."""
        given = iot._encode_properties([(iot.PROP_TOPIC_ALIAS, alias)])
        answers = []
        for number, name in enumerate((topic, ""), 1):
            body = text(name) + struct.pack("!H", number) + given + payload
            answers.append(self._accepted(V5, packet(0x30 | QOS_1, body), PUBACK, reason_at=2))
        return answers[0], answers[1]

    def subscribes(self, topic_filter: str, version: int = V5) -> bool:
        """Whether a subscription was granted."""
        reason_at = 3 if version == V5 else 2
        return self._accepted(version, subscribe(topic_filter, version=version), SUBACK, reason_at)

    def connects_as(self, client_id: str, version: int = V5) -> bool:
        """Whether a connection under a client id was accepted."""
        with self._fresh() as client:
            client.send(connect(client_id, version))
            answer = client.receive()
            return answer is not None and answer[0] == CONNACK and answer[2][1] == 0

    def leaves_a_will(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Connect as itself with a will, and break off; whether the connection was accepted."""
        properties = iot._encode_properties([])
        will = properties + text(topic) + struct.pack("!H", len(payload)) + payload
        flags = CLEAN | WILL | 0x08 | (0x20 if retain else 0)
        self.close()  # a second connection under the same id would end the first
        with self._fresh() as client:
            client.send(connect(self.device.name, V5, flags=flags, rest=will))
            answer = client.receive()
            accepted = answer is not None and answer[0] == CONNACK and answer[2][1] == 0
            client.cut()
            return accepted

    def is_served(self, version: int = V5) -> bool:
        """Whether its connection answers a ping: what was refused before was not refused for want of a connection."""
        client = self._connected(version)
        client.send(packet(0xC0, b""))
        answer = self._answer(client)
        return answer is not None and answer[0] == PINGRESP

    def posts(self, path: str, payload: bytes) -> bytes:
        """What the MQTT port answers to an HTTP request over the device's TLS connection."""
        with self._fresh() as client:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(payload)}\r\n\r\n"
            client.send(head.encode(), payload)
            found = b""
            with suppress(OSError):
                while chunk := client.socket.recv(4096):
                    found += chunk
            return found

    def _accepted(self, version: int, sent: bytes, answer_kind: int, reason_at: int) -> bool:
        client = self._connected(version)
        client.send(sent)
        answer = self._answer(client)
        if answer is None or answer[0] != answer_kind:
            client.socket.close()
            del self._open[version]
            return False
        reason = answer[2][reason_at : reason_at + 1]
        return not reason or reason[0] < REFUSED  # a PUBACK without a reason is a success

    def _answer(self, client: RawMqtt) -> tuple[int, int, bytes] | None:
        """The next packet that is no message."""
        while (found := client.receive()) is not None and found[0] == PUBLISH:
            self.overheard += 1
        return found

    def _connected(self, version: int) -> RawMqtt:
        if version not in self._open:
            self.close()
            client = RawMqtt(self.aws, self.device)
            client.opened(self.device.name, version)
            self._open[version] = client
        return self._open[version]

    @contextmanager
    def _fresh(self) -> Iterator[RawMqtt]:
        client = RawMqtt(self.aws, self.device)
        try:
            yield client
        finally:
            client.socket.close()
