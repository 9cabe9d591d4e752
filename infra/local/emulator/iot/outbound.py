"""What the broker sends to a client: never more at once than it takes, and never a packet that is too large for it.

AWS general reference, "Maximum outbound unacknowledged QoS 1 publish requests" (100; "when this quota is reached, no
new publish requests are sent to the client until the client acknowledges the publish requests"); MQTT 5, 3.1.2.11.3
(Receive Maximum) and 3.1.2.11.4 (Maximum Packet Size: what is larger is not sent). Stock ministack has no such limits.
"""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ministack.services import iot

from infra.local.emulator.iot import limits, packets
from infra.local.emulator.iot.connection import QOS_0_BACKLOG, Writer

_stock_deliver = iot._WSSession.deliver_to_client


@dataclass(frozen=True)
class Message:
    """A message with QoS 1 that waits for an acknowledgement of another."""

    topic: str
    payload: bytes
    properties: bytes
    retain: bool
    received_at: float


@dataclass
class Outbound:
    """A client's limits, and what waits for it."""

    writer: Writer
    receive_maximum: int
    packet_maximum: int | None
    waiting: deque[Message] = field(default_factory=deque)


def install() -> None:
    """Replace the delivery to a session."""
    iot._WSSession.deliver_to_client = _deliver


def begin(session: Any, connect: packets.Connect, writer: Writer) -> None:
    """Note what a client takes, as its CONNECT says."""
    receive = packets.property_of(connect.properties, iot.PROP_RECEIVE_MAXIMUM)
    packet = packets.property_of(connect.properties, iot.PROP_MAXIMUM_PACKET_SIZE)
    if receive == 0 or packet == 0:
        raise packets.RefusedPacketError(packets.PROTOCOL_ERROR, "Receive Maximum and Maximum Packet Size exceed 0")
    receive_maximum = min(receive, limits.RECEIVE_MAXIMUM) if isinstance(receive, int) else limits.RECEIVE_MAXIMUM
    session.outbound = Outbound(writer, receive_maximum, packet if isinstance(packet, int) else None)


async def acknowledged(session: Any) -> None:
    """Send what waited, as far as the client takes it now."""
    outbound: Outbound = session.outbound
    while outbound.waiting and len(session._in_flight) < outbound.receive_maximum:
        message = outbound.waiting.popleft()
        properties = iot._aged_properties(message.properties, message.received_at)
        if properties is None:
            continue
        property_token = iot._delivery_properties.set(properties)
        retain_token = iot._delivery_retain.set(message.retain)
        try:
            await _stock_deliver(session, message.topic, message.payload, 1)
        finally:
            iot._delivery_retain.reset(retain_token)
            iot._delivery_properties.reset(property_token)


def end(session: Any, key: tuple[str, str, str]) -> None:
    """Keep what waited with the session, if that is kept."""
    stored = iot._persistent_sessions.get(key)
    if stored is not None:
        kept = [(m.topic, m.payload, 1, m.properties, m.received_at) for m in session.outbound.waiting]
        stored.queued_messages[:0] = kept
    session.outbound.waiting.clear()


async def _deliver(session: Any, topic: str, payload: bytes, qos: int) -> None:
    outbound: Outbound = session.outbound
    properties = iot._delivery_properties.get()
    size = len(payload) + len(properties) + len(topic.encode()) + 2 + (2 if qos else 0) + 5
    if outbound.packet_maximum is not None and size > outbound.packet_maximum:
        iot._broker_logger.warning("IoT broker: %r takes no packet of %d bytes: dropped", session._client_id, size)
    elif qos == 0 and outbound.writer.backlog > QOS_0_BACKLOG:
        iot._broker_logger.warning("IoT broker: %r does not read: a message of QoS 0 is dropped", session._client_id)
    elif qos and len(session._in_flight) >= outbound.receive_maximum:
        if len(outbound.waiting) >= iot._MAX_QUEUED_MESSAGES:
            iot._broker_logger.warning("IoT broker: %r acknowledges nothing: a message is dropped", session._client_id)
            return
        retain = iot._delivery_retain.get()
        outbound.waiting.append(Message(topic, payload, properties, retain, time.time()))
    else:
        await _stock_deliver(session, topic, payload, qos)
