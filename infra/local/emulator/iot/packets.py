"""MQTT packets as a client sends them: read from its bytes, or refused with a reason code.

MQTT 3.1.1 and MQTT 5.0 (OASIS); sections are named where a rule is not plain. Reason codes are those of AWS IoT Core's
developer guide, "MQTT reason codes", as far as it has one.
"""

import struct
from dataclasses import dataclass
from typing import Any

from ministack.services import iot

from infra.local.emulator.iot import limits

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 10, 12, 14
# The reserved bits of each packet's first byte (MQTT 3.1.1 and MQTT 5, 2.2.2 and 2.1.3); PUBLISH uses its bits.
_RESERVED_FLAGS = {CONNECT: 0, PUBACK: 0, SUBSCRIBE: 2, UNSUBSCRIBE: 2, PINGREQ: 0, DISCONNECT: 0}

MALFORMED, PROTOCOL_ERROR = 0x81, 0x82
CLIENT_ID_INVALID, BAD_AUTHENTICATION_METHOD, TOPIC_INVALID = 0x85, 0x8C, 0x90
TOPIC_ALIAS_INVALID, PACKET_TOO_LARGE, QUOTA_EXCEEDED = 0x94, 0x95, 0x97
QOS_NOT_SUPPORTED, SUBSCRIPTION_IDS_NOT_SUPPORTED = 0x9B, 0xA1
KEEP_ALIVE_TIMEOUT = 0x8D
UNSUPPORTED_VERSION = 0x84
# Return codes of a CONNACK of MQTT 3.1.1 (3.2.2.3).
UNACCEPTABLE_VERSION_311, IDENTIFIER_REJECTED_311 = 0x01, 0x02


class RefusedPacketError(Exception):
    """A packet that ends the connection: why, MQTT 5's reason code, and the return code of a 3.1.1 CONNACK if any."""

    def __init__(self, reason_code: int, text: str, connack_311: int | None = None) -> None:
        super().__init__(text)
        self.reason_code = reason_code
        self.connack_311 = connack_311


@dataclass(frozen=True)
class Connect:
    """A CONNECT as far as the broker's limits need it."""

    version: int
    clean_start: bool
    keep_alive: int
    properties: list[tuple[int, object]]
    client_id: str
    will_delay: int
    body: bytes


@dataclass(frozen=True)
class Publish:
    """A PUBLISH; its topic is empty when a topic alias stands for it."""

    topic: str
    retain: bool
    packet_id: bytes
    properties: list[tuple[int, object]]
    payload: bytes

    def body(self, topic: str) -> bytes:
        """The packet's bytes with a topic of its own."""
        return bytes(
            iot._encode_string(topic) + self.packet_id + iot._encode_properties(self.properties) + self.payload
        )


def take(buffer: bytearray, version: int) -> tuple[int, int, bytes] | None:
    """Take the first whole packet off a buffer: type, flags and body; None while it is incomplete.

    Raises RefusedPacketError at once for a length that is malformed or above AWS's limit.
    """
    size = shift = 0
    for index in range(1, 5):
        if index >= len(buffer):
            return None
        size |= (buffer[index] & 0x7F) << shift
        if not buffer[index] & 0x80:
            break
        shift += 7
    else:
        raise RefusedPacketError(MALFORMED, "the packet's length has more than four bytes")
    if size > limits.MAXIMUM_PACKET:
        text = f"a packet has at most {limits.MAXIMUM_PACKET} bytes, not {size}"
        raise RefusedPacketError(PACKET_TOO_LARGE if version == iot.MQTT_5 else MALFORMED, text)
    end = index + 1 + size
    if len(buffer) < end:
        return None
    first, body = buffer[0], bytes(buffer[index + 1 : end])
    del buffer[:end]
    return first >> 4, first & 0x0F, body


def check_type(first: int, *, connected: bool) -> None:
    """Raise RefusedPacketError unless a client may send a packet with this first byte now."""
    kind, flags = first >> 4, first & 0x0F
    if not connected and kind != CONNECT:
        raise RefusedPacketError(PROTOCOL_ERROR, f"the first packet is a CONNECT, not one of type {kind}")
    if connected and kind == CONNECT:
        raise RefusedPacketError(PROTOCOL_ERROR, "a second CONNECT on one connection")
    if kind == PUBLISH:
        return
    if kind not in _RESERVED_FLAGS:
        raise RefusedPacketError(PROTOCOL_ERROR, f"AWS IoT takes no packet of type {kind} from a client")
    if flags != _RESERVED_FLAGS[kind]:
        raise RefusedPacketError(MALFORMED, f"a packet of type {kind} with the reserved flags {flags:04b}")


def read_connect(body: bytes) -> Connect:
    """A CONNECT of MQTT 3.1.1 or MQTT 5. Raises RefusedPacketError, or ValueError if it ends too early."""
    name, offset = iot._read_string(body, 0)
    version, flags, keep_alive = struct.unpack_from("!BBH", body, offset)
    if version not in (iot.MQTT_311, iot.MQTT_5):
        text = f"AWS IoT has MQTT 3.1.1 and MQTT 5, not {name!r} with the protocol level {version}"
        raise RefusedPacketError(UNSUPPORTED_VERSION, text, UNACCEPTABLE_VERSION_311)
    if name != "MQTT" or flags & 0x01:
        raise RefusedPacketError(MALFORMED, f"a CONNECT of the protocol {name!r} with the flags {flags:08b}")
    start = offset + 4
    properties, offset = iot._decode_properties(body, start) if version == iot.MQTT_5 else ([], start)
    if property_of(properties, iot.PROP_AUTHENTICATION_METHOD) is not None:
        raise RefusedPacketError(BAD_AUTHENTICATION_METHOD, "AWS IoT has no MQTT 5 enhanced authentication (AUTH)")
    after = offset
    client_id, offset = iot._read_string(body, offset)
    clean_start = bool(flags & 0x02)
    _check_client_id(client_id, version, clean_start=clean_start)
    will_delay = _read_will(body, offset, flags, version)
    if len(body) > limits.MAXIMUM_PAYLOAD:
        raise RefusedPacketError(QUOTA_EXCEEDED, f"a CONNECT has at most {limits.MAXIMUM_PAYLOAD} bytes")
    expiry = property_of(properties, iot.PROP_SESSION_EXPIRY_INTERVAL)
    if isinstance(expiry, int) and expiry > limits.SESSION_EXPIRY:
        properties = [
            (key, limits.SESSION_EXPIRY if key == iot.PROP_SESSION_EXPIRY_INTERVAL else value)
            for key, value in properties
        ]
        body = body[:start] + iot._encode_properties(properties) + body[after:]
    return Connect(version, clean_start, keep_alive, properties, client_id, will_delay, body)


def _check_client_id(client_id: str, version: int, *, clean_start: bool) -> None:
    problem = limits.client_id_problem(client_id)
    if not client_id and version != iot.MQTT_5 and not clean_start:  # MQTT 3.1.1, 3.1.3.1
        problem = "a client without an id asks for a clean session"
    if problem:
        raise RefusedPacketError(CLIENT_ID_INVALID, problem, IDENTIFIER_REJECTED_311)


def _read_will(body: bytes, offset: int, flags: int, version: int) -> int:
    """Check a CONNECT's will; its Will Delay Interval."""
    qos = flags >> 3 & 0x03
    if not flags & 0x04:
        if flags & 0x38:
            raise RefusedPacketError(MALFORMED, "a CONNECT without a will has its flags")
        return 0
    if qos == 3:
        raise RefusedPacketError(MALFORMED, "a will with QoS 3")
    if qos == 2:
        raise RefusedPacketError(QOS_NOT_SUPPORTED, "AWS IoT has no QoS 2, which the will asks for")
    properties, offset = iot._decode_properties(body, offset) if version == iot.MQTT_5 else ([], offset)
    topic, offset = iot._read_string(body, offset)
    _payload, offset = iot._read_binary(body, offset)
    problem = limits.topic_problem(topic)
    if problem is None and not iot._reserved_topic_publish_allowed(topic):
        problem = f"nobody may publish to the reserved topic {topic!r}, so no will may"
    if problem:
        raise RefusedPacketError(TOPIC_INVALID, f"the will: {problem}")
    delay = property_of(properties, iot.PROP_WILL_DELAY_INTERVAL)
    return delay if isinstance(delay, int) else 0


def read_publish(flags: int, body: bytes, version: int) -> Publish:
    """A PUBLISH that AWS IoT takes. Raises RefusedPacketError, or ValueError if it ends too early."""
    qos = flags >> 1 & 0x03
    if qos == 3:
        raise RefusedPacketError(MALFORMED, "a PUBLISH with QoS 3")
    if qos == 2:
        raise RefusedPacketError(QOS_NOT_SUPPORTED, "AWS IoT has no QoS 2, which a PUBLISH asks for")
    topic, offset = iot._read_string(body, 0)
    packet_id = b""
    if qos:
        packet_id = body[offset : offset + 2]
        offset += 2
        if len(packet_id) < 2 or packet_id == b"\0\0":
            raise RefusedPacketError(MALFORMED, "a PUBLISH with QoS 1 has a packet identifier above 0")
    properties, offset = iot._decode_properties(body, offset) if version == iot.MQTT_5 else ([], offset)
    if property_of(properties, iot.PROP_SUBSCRIPTION_IDENTIFIER) is not None:
        raise RefusedPacketError(PROTOCOL_ERROR, "a client's PUBLISH has no Subscription Identifier")
    payload = body[offset:]
    if len(payload) > limits.MAXIMUM_PAYLOAD:
        text = f"a payload has at most {limits.MAXIMUM_PAYLOAD} bytes (128 KB), not {len(payload)}"
        raise RefusedPacketError(PACKET_TOO_LARGE, text)
    return Publish(topic, bool(flags & 0x01), packet_id, properties, payload)


def read_filters(kind: int, body: bytes, version: int) -> list[str]:
    """The topic filters of a SUBSCRIBE or UNSUBSCRIBE that AWS IoT takes; ill-formed filters are among them.

    Raises RefusedPacketError, or ValueError if it ends too early.
    """
    if body[:2] in (b"", b"\0", b"\0\0"):
        raise RefusedPacketError(MALFORMED, "a SUBSCRIBE or UNSUBSCRIBE has a packet identifier above 0")
    properties, offset = iot._decode_properties(body, 2) if version == iot.MQTT_5 else ([], 2)
    if property_of(properties, iot.PROP_SUBSCRIPTION_IDENTIFIER) is not None:
        raise RefusedPacketError(SUBSCRIPTION_IDS_NOT_SUPPORTED, "AWS IoT has no subscription identifiers")
    filters = []
    while offset < len(body):
        topic_filter, offset = iot._read_string(body, offset)
        filters.append(topic_filter)
        if kind == SUBSCRIBE:
            if body[offset] & 0x03 == 3:
                raise RefusedPacketError(MALFORMED, "a SUBSCRIBE with QoS 3")
            if body[offset] & 0x03 == 2:
                raise RefusedPacketError(QOS_NOT_SUPPORTED, f"AWS IoT has no QoS 2, asked for {topic_filter!r}")
            offset += 1
    if not filters:
        raise RefusedPacketError(PROTOCOL_ERROR, "a SUBSCRIBE or UNSUBSCRIBE names at least one topic filter")
    return filters


def read_disconnect(body: bytes) -> tuple[int, int | None]:
    """The reason code of an MQTT 5 DISCONNECT and its Session Expiry Interval, if it has one."""
    if not body:
        return 0, None
    properties = iot._decode_properties(body, 1)[0] if len(body) > 1 else []
    expiry = property_of(properties, iot.PROP_SESSION_EXPIRY_INTERVAL)
    return body[0], expiry if isinstance(expiry, int) else None


def property_of(properties: list[tuple[int, object]], identifier: int) -> object:
    """The first property of an identifier, None when there is none."""
    return iot._property_value(properties, identifier, None)


def connection_properties(connect: Connect) -> list[tuple[int, Any]]:
    """What an MQTT 5 client is told of the broker in its CONNACK (developer guide, "MQTT 5 properties")."""
    return [
        (iot.PROP_SERVER_KEEP_ALIVE, limits.keep_alive(connect.keep_alive)),
        (iot.PROP_SESSION_EXPIRY_INTERVAL, property_of(connect.properties, iot.PROP_SESSION_EXPIRY_INTERVAL) or 0),
        (iot.PROP_RECEIVE_MAXIMUM, limits.RECEIVE_MAXIMUM),
        (iot.PROP_MAXIMUM_QOS, 1),
        (iot.PROP_RETAIN_AVAILABLE, 1),
        (iot.PROP_MAXIMUM_PACKET_SIZE, limits.MAXIMUM_PACKET),
        (iot.PROP_TOPIC_ALIAS_MAXIMUM, limits.TOPIC_ALIASES),
        (iot.PROP_WILDCARD_SUBSCRIPTION_AVAILABLE, 1),
        (iot.PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE, 0),
        (iot.PROP_SHARED_SUBSCRIPTION_AVAILABLE, 1),
    ]
