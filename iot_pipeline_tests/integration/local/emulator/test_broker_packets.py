"""Packets that MQTT or AWS IoT forbid: each ends the connection with its reason, and nobody else notices.

MQTT 3.1.1 and MQTT 5.0 (OASIS), sections beside the cases; AWS IoT developer guide, "MQTT" ("MQTT reason codes", "AWS
IoT differences from MQTT specifications"); AWS general reference, "AWS IoT Core message broker and protocol limits and
quotas". MQTT 3.1.1 has no reasons: the connection is closed.
"""

import struct

import pytest
from ministack.services import iot

from iot_pipeline_tests.support.emulator import Device, LocalAws
from iot_pipeline_tests.support.raw_mqtt import (
    CONNACK,
    EVERYTHING,
    PINGRESP,
    PUBACK,
    SUBACK,
    V5,
    V311,
    RawMqtt,
    connect,
    packet,
    publish,
    subscribe,
    text,
)

pytestmark = pytest.mark.integration
MALFORMED, PROTOCOL_ERROR, ID_INVALID, TOPIC_INVALID = 0x81, 0x82, 0x85, 0x90
QUOTA, QOS, TOO_LARGE = 0x97, 0x9B, 0x95
WILL = b"\0" + text("will/topic") + text("gone")


@pytest.fixture(scope="module")
def device(local_aws: LocalAws) -> Device:
    """A device that may do everything: what is refused here is refused by the protocol."""
    return local_aws.device(policy=EVERYTHING)


CONNECTS = {
    "a reserved flag (3.1.2.3)": (connect("c", flags=0x03), MALFORMED),
    "another protocol's name (3.1.2.1)": (connect("c", name="MQTX"), MALFORMED),
    "a will of QoS 2 (AWS: QoS not supported)": (connect("c", flags=0x16, rest=WILL), QOS),
    "a will of QoS 3 (3.1.2.6)": (connect("c", flags=0x1E, rest=WILL), MALFORMED),
    "flags of a will without one (3.1.2.6)": (connect("c", flags=0x22), MALFORMED),
    "a will's topic with a wildcard": (connect("c", flags=0x06, rest=b"\0" + text("a/#") + text("x")), TOPIC_INVALID),
    "a will's topic of 9 levels": (
        connect("c", flags=0x06, rest=b"\0" + text("1/2/3/4/5/6/7/8/9") + text("x")),
        TOPIC_INVALID,
    ),
    "a client id of 129 bytes": (connect("c" * 129), ID_INVALID),
    "a client id with $": (connect("$c"), ID_INVALID),
    "enhanced authentication (AWS: no AUTH)": (
        connect("c", properties=[(iot.PROP_AUTHENTICATION_METHOD, "SCRAM")]),
        0x8C,
    ),
    "a Receive Maximum of 0 (3.1.2.11.3)": (connect("c", properties=[(iot.PROP_RECEIVE_MAXIMUM, 0)]), PROTOCOL_ERROR),
    "a CONNECT that ends too early": (packet(0x10, text("MQTT") + b"\x05\x02\0\x3c\0\0\x09abc"), MALFORMED),
    "a CONNECT above 128 KB": (connect("c", flags=0xC2, rest=text("u" * 65_535) + text("p" * 65_535)), QUOTA),
}


@pytest.mark.parametrize(("sent", "reason"), CONNECTS.values(), ids=CONNECTS)
def test_connects_that_are_refused(local_aws: LocalAws, device: Device, sent: bytes, reason: int) -> None:
    client = RawMqtt(local_aws, device)
    client.send(sent)
    assert client.ended() == reason


CONNECTS_311 = {
    "MQTT 3.1 (3.1.2.2: unacceptable protocol version)": (connect("c", 3, name="MQIsdp"), 0x01),
    "MQTT 6": (connect("c", 6), 0x01),
    "no client id, a persistent session (3.1.3.1)": (connect("", V311, flags=0), 0x02),
    "a client id of 129 bytes": (connect("c" * 129, V311), 0x02),
    "a will of QoS 2": (connect("c", V311, flags=0x16, rest=WILL[1:]), None),
    "a reserved flag": (connect("c", V311, flags=0x03), None),
}


@pytest.mark.parametrize(("sent", "code"), CONNECTS_311.values(), ids=CONNECTS_311)
def test_connects_of_mqtt_311_that_are_refused(
    local_aws: LocalAws, device: Device, sent: bytes, code: int | None
) -> None:
    client = RawMqtt(local_aws, device)
    client.send(sent)
    assert client.ended() == code


FIRST = {
    "a PINGREQ (3.1.0)": packet(0xC0, b""),
    "a PUBLISH": publish("a"),
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "a length of five bytes (2.2.3)": b"\x10\xff\xff\xff\xff\x7f",
    "a length above every limit": b"\x10\xff\xff\xff\x7f",
}


@pytest.mark.parametrize("sent", FIRST.values(), ids=FIRST)
def test_what_is_no_connect_closes_the_connection(local_aws: LocalAws, device: Device, sent: bytes) -> None:
    client = RawMqtt(local_aws, device)
    client.send(sent)
    assert client.ended() is None


def aliased(alias: int, topic: str = "a") -> bytes:
    body = text(topic) + struct.pack("!H", 1) + iot._encode_properties([(iot.PROP_TOPIC_ALIAS, alias)])
    return packet(0x32, body + b"{}")


LATER = {
    "a second CONNECT (3.1.0)": (connect("c"), PROTOCOL_ERROR),
    "PUBREC": (packet(0x50, b"\0\1"), PROTOCOL_ERROR),
    "PUBREL": (packet(0x62, b"\0\1"), PROTOCOL_ERROR),
    "PUBCOMP": (packet(0x70, b"\0\1"), PROTOCOL_ERROR),
    "AUTH": (packet(0xF0, b""), PROTOCOL_ERROR),
    "a SUBACK": (packet(0x90, b"\0\1\0\0"), PROTOCOL_ERROR),
    "type 0": (packet(0x00, b""), PROTOCOL_ERROR),
    "reserved flags of PINGREQ (2.1.3)": (packet(0xC1, b""), MALFORMED),
    "reserved flags of SUBSCRIBE": (packet(0x80, subscribe("a")[2:]), MALFORMED),
    "a length of five bytes": (b"\x30\xff\xff\xff\xff\x7f", MALFORMED),
    "a packet above 146 KB": (packet(0x30, bytes(149_505)), TOO_LARGE),
    "a payload above 128 KB": (publish("a", bytes(131_073)), TOO_LARGE),
    "QoS 2": (publish("a", flags=0x04), QOS),
    "QoS 3 (3.3.1.2)": (publish("a", flags=0x06), MALFORMED),
    "a packet identifier of 0 (2.2.1)": (publish("a", packet_id=0), MALFORMED),
    "an empty topic": (publish(""), TOPIC_INVALID),
    "a wildcard (3.3.2.1)": (publish("a/+"), TOPIC_INVALID),
    "9 levels": (publish("1/2/3/4/5/6/7/8/9"), TOPIC_INVALID),
    "a topic of 257 bytes": (publish("t" * 257), TOPIC_INVALID),
    "retained on a reserved topic": (publish("$aws/things/t/shadow/update", flags=0x03), TOPIC_INVALID),
    "a topic that is not UTF-8 (1.5.4)": (packet(0x30, b"\0\2\xc3\x28\0{}"), MALFORMED),
    "topic alias 0 (3.3.2.3.4)": (aliased(0), 0x94),
    "topic alias 9": (aliased(9), 0x94),
    "an alias of nothing": (aliased(3, ""), PROTOCOL_ERROR),
    "9 filters": (subscribe(*"abcdefghi"), QUOTA),
    "no filter (3.8.3)": (packet(0x82, b"\0\1\0"), PROTOCOL_ERROR),
    "a subscription identifier": (packet(0x82, b"\0\1\2\x0b\1" + text("a") + b"\1"), 0xA1),
    "a subscription of QoS 2 (AWS: no SUBACK)": (subscribe("a", options=2), QOS),
    "an UNSUBSCRIBE of nothing": (packet(0xA2, b"\0\1\0"), PROTOCOL_ERROR),
    "a session prolonged at its end (3.14.2.2.2)": (packet(0xE0, b"\0\5\x11\0\0\0\x3c"), PROTOCOL_ERROR),
}


@pytest.mark.parametrize(("sent", "reason"), LATER.values(), ids=LATER)
def test_packets_that_end_a_session(local_aws: LocalAws, device: Device, sent: bytes, reason: int) -> None:
    client = RawMqtt(local_aws, device)
    client.opened(device.name)
    client.send(sent)
    assert client.ended() == reason


@pytest.mark.parametrize(
    "sent",
    [
        publish("a", version=V311, flags=0x04),
        publish("1/2/3/4/5/6/7/8/9", version=V311),
        publish("a", bytes(131_073), V311),
        subscribe("a", version=V311, options=2),
        subscribe("a#", version=V311),
        subscribe(*"abcdefghi", version=V311),
        packet(0x62, b"\0\1"),
        connect("c", V311),
    ],
    ids=[
        "QoS 2",
        "9 levels",
        "128 KB + 1",
        "SUBSCRIBE of QoS 2",
        "an ill-formed filter",
        "9 filters",
        "PUBREL",
        "CONNECT",
    ],
)
def test_an_mqtt_311_session_is_closed_without_a_word(local_aws: LocalAws, device: Device, sent: bytes) -> None:
    client = RawMqtt(local_aws, device)
    client.opened(device.name, V311)
    client.send(sent)
    assert client.receive() is None


def test_a_refusal_says_its_reason(local_aws: LocalAws, device: Device) -> None:
    """MQTT 5, 3.14.2.2.3 (Reason String)."""
    client = RawMqtt(local_aws, device)
    client.opened(device.name)
    client.send(publish("a", flags=0x04))
    answer = client.receive()
    assert answer is not None
    assert b"QoS 2" in answer[2]


def test_the_connack_says_what_aws_iot_allows(local_aws: LocalAws, device: Device) -> None:
    """A payload of 128 KB fits into its Maximum Packet Size."""
    client = RawMqtt(local_aws, device)
    expiry = [(iot.PROP_SESSION_EXPIRY_INTERVAL, 86_400)]
    body = client.opened(device.name, keep_alive=5, properties=expiry)
    said = dict(iot._decode_properties(body, 2)[0])
    assert said == {
        iot.PROP_SERVER_KEEP_ALIVE: 30,
        iot.PROP_SESSION_EXPIRY_INTERVAL: 3600,
        iot.PROP_RECEIVE_MAXIMUM: 100,
        iot.PROP_MAXIMUM_QOS: 1,
        iot.PROP_RETAIN_AVAILABLE: 1,
        iot.PROP_MAXIMUM_PACKET_SIZE: 149_504,
        iot.PROP_TOPIC_ALIAS_MAXIMUM: 8,
        iot.PROP_WILDCARD_SUBSCRIPTION_AVAILABLE: 1,
        iot.PROP_SUBSCRIPTION_IDENTIFIER_AVAILABLE: 0,
        iot.PROP_SHARED_SUBSCRIPTION_AVAILABLE: 1,
    }


@pytest.mark.parametrize("version", [V311, V5])
def test_what_is_just_allowed(local_aws: LocalAws, device: Device, version: int) -> None:
    """The limits themselves: 128 bytes of client id, 7 slashes, 256 bytes of topic, 128 KB, 8 filters at once."""
    client = RawMqtt(local_aws, device)
    client.opened("c" * 128, version)
    for number, sent in enumerate([("1/2/3/4/5/6/7/8", b"{}"), ("t" * 256, b"{}"), ("a", bytes(131_072))], 1):
        client.send(publish(*sent, version, packet_id=number))
        answer = client.receive()
        assert answer is not None
        assert answer[0] == PUBACK
    client.send(subscribe(*"stuvwxyz", version=version))
    answer = client.receive()
    assert answer is not None
    assert answer[0] == SUBACK
    assert answer[2][-8:] == b"\1" * 8
    client.socket.close()


def test_an_ill_formed_filter_is_refused_alone(local_aws: LocalAws, device: Device) -> None:
    """MQTT 5, 3.9.3: 0x8F, "Topic Filter invalid"."""
    client = RawMqtt(local_aws, device)
    client.opened(device.name)
    client.send(subscribe("a", "b#", "$share//c", "1/2/3/4/5/6/7/8/9"))
    answer = client.receive()
    assert answer is not None
    assert answer[2][-4:] == b"\x01\x8f\x8f\x8f"
    client.socket.close()


def test_the_51st_subscription_ends_the_connection(local_aws: LocalAws, device: Device) -> None:
    client = RawMqtt(local_aws, device)
    client.opened(device.name)
    for first in range(0, 48, 8):
        client.send(subscribe(*(f"filter/{n}" for n in range(first, first + 8))))
        assert (client.receive() or [0])[0] == SUBACK
    client.send(subscribe("filter/48", "filter/49"), subscribe("filter/0", "filter/49"))
    assert [(client.receive() or [0])[0] for _ in range(2)] == [SUBACK] * 2
    client.send(subscribe("filter/50"))
    assert client.ended() == QUOTA


def test_a_topic_alias_stands_for_its_topic(local_aws: LocalAws, device: Device) -> None:
    """MQTT 5, 3.3.2.3.4; AWS: 8 aliases."""
    client, reader = RawMqtt(local_aws, device), RawMqtt(local_aws, device)
    reader.opened(f"{device.name}-reader")
    reader.send(subscribe("aliased/topic"))
    assert (reader.receive() or [0])[0] == SUBACK
    client.opened(device.name)
    client.send(aliased(8, "aliased/topic"), aliased(8, ""))
    assert [(client.receive() or [0])[0] for _ in range(2)] == [PUBACK] * 2
    bodies = [(reader.receive() or (0, 0, b""))[2] for _ in range(2)]
    assert [body[2:15] for body in bodies] == [b"aliased/topic"] * 2
    for one in (client, reader):
        one.socket.close()


def test_a_packet_may_come_byte_by_byte(local_aws: LocalAws, device: Device) -> None:
    client = RawMqtt(local_aws, device)
    for byte in connect(device.name) + packet(0xC0, b""):
        client.send(bytes([byte]))
    assert [(client.receive() or [0])[0] for _ in range(2)] == [CONNACK, PINGRESP]
    client.socket.close()
