"""Shared subscriptions, wills, persistent sessions, retained messages, and clients that do not keep up.

AWS IoT developer guide, "MQTT" (sections are named at the tests) and "Lifecycle events"; MQTT 3.1.1 and MQTT 5.0.
"""

import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ministack.services import iot

from iot_pipeline_tests.support.emulator import Device, LocalAws, unique
from iot_pipeline_tests.support.raw_mqtt import (
    EVERYTHING,
    PINGRESP,
    PUBACK,
    PUBLISH,
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
PING, DISCONNECT = packet(0xC0, b""), packet(0xE0, b"")
TAKEN_OVER = 0x8E
EXPIRY = [(iot.PROP_SESSION_EXPIRY_INTERVAL, 60)]
WILL_FLAGS = 0x06


class Clients:
    """Connections of one device, which may do everything; closed at the end of a test."""

    def __init__(self, aws: LocalAws, device: Device) -> None:
        self.aws = aws
        self.device = device
        self.opened: list[RawMqtt] = []

    def new(self, client_id: str | None = None, version: int = V5, **options: Any) -> RawMqtt:
        """A connected client, with an id of its own unless one is given."""
        client = RawMqtt(self.aws, self.device)
        client.opened(client_id or unique("client"), version, **options)
        self.opened.append(client)
        return client


@pytest.fixture(scope="module")
def device(local_aws: LocalAws) -> Device:
    return local_aws.device(policy=EVERYTHING)


@pytest.fixture
def clients(local_aws: LocalAws, device: Device) -> Iterator[Clients]:
    found = Clients(local_aws, device)
    yield found
    for client in found.opened:
        client.socket.close()


def expect(client: RawMqtt, kind: int) -> bytes:
    """The body of the next packet, which must be of a type."""
    answer = client.receive()
    assert answer is not None
    assert answer[0] == kind, answer
    return answer[2]


def message(client: RawMqtt) -> tuple[str, bytes]:
    """The next packet's topic and payload; it must be a message (MQTT 5 without properties)."""
    answer = client.receive()
    assert answer is not None
    kind, flags, body = answer
    assert kind == PUBLISH, answer
    size = struct.unpack_from("!H", body)[0]
    start = 2 + size + (2 if flags & 0x06 else 0)
    if flags & 0x06:
        client.send(packet(0x40, body[2 + size : 4 + size]))
    return body[2 : 2 + size].decode(), body[start + 1 :]


def waiting(client: RawMqtt, granted: Iterable[bytes] = ()) -> list[bytes]:
    """The payloads of the messages that have come by now: all that come before the answer to a ping.

    `granted` are the ends of the SUBACKs among them.
    """
    client.send(PING)
    found: list[bytes] = []
    acknowledged: list[bytes] = []
    while True:
        answer = client.receive()
        assert answer is not None
        kind, flags, body = answer
        if kind == PINGRESP:
            assert acknowledged == list(granted)
            return found
        if kind == SUBACK:
            acknowledged.append(body[3:])
        if kind == PUBLISH:
            size = struct.unpack_from("!H", body)[0]
            start = 2 + size + (2 if flags & 0x06 else 0)
            if flags & 0x06:
                client.send(packet(0x40, body[2 + size : 4 + size]))
            found.append(body[start + 1 :])


def say(client: RawMqtt, topic: str, *payloads: bytes, flags: int = 0x02) -> None:
    """Publish, and wait for the acknowledgements."""
    for number, payload in enumerate(payloads, 1):
        client.send(publish(topic, payload, flags=flags, packet_id=number))
        expect(client, PUBACK)


def listen(client: RawMqtt, *filters: str) -> list[bytes]:
    """Subscribe with QoS 1; the messages that the broker sends at once (a retained one may come before the SUBACK)."""
    client.send(subscribe(*filters))
    return waiting(client, [b"\1" * len(filters)])


def test_a_message_goes_to_one_member_of_each_shared_group(clients: Clients) -> None:
    """Guide, "Shared subscriptions": one client of each matching shared subscription, at random; the others get all."""
    topic = unique("shared")
    members = [clients.new() for _ in range(3)]
    other, alone, plain = clients.new(), clients.new(), clients.new()
    for member in members:
        listen(member, f"$share/group/{topic}/+")
    listen(other, f"$share/other/{topic}/+")
    listen(alone, f"$share/group/{topic}/#")
    listen(plain, f"{topic}/#")
    sent = [b"%d" % n for n in range(60)]
    say(clients.new(), f"{topic}/a", *sent)
    got = [waiting(member) for member in members]
    assert sorted(payload for part in got for payload in part) == sorted(sent)
    assert all(got), "each of three members gets some of 60 messages"
    assert [waiting(one) for one in (other, alone, plain)] == [sent] * 3


def test_mqtt_311_shares_too_and_a_member_that_left_gets_nothing(clients: Clients) -> None:
    topic = unique("shared")
    old, new = clients.new(version=V311), clients.new()
    old.send(subscribe(f"$share/g/{topic}", version=V311))
    expect(old, SUBACK)
    listen(new, f"$share/g/{topic}")
    new.send(packet(0xA2, b"\0\2\0" + text(f"$share/g/{topic}")))
    expect(new, 11)
    say(clients.new(), topic, *[b"%d" % n for n in range(20)])
    assert waiting(new) == []
    old.send(PING)
    kinds = Counter((old.receive() or [0])[0] for _ in range(21))
    assert kinds == {PUBLISH: 20, PINGRESP: 1}


def test_shared_messages_wait_for_a_persistent_member(clients: Clients) -> None:
    """Guide, "Shared subscriptions message queuing": QoS 1 is queued when no member is found online."""
    topic, member = unique("shared"), unique("member")
    first = clients.new(member, properties=EXPIRY)
    listen(first, f"$share/g/{topic}")
    first.send(DISCONNECT)
    assert first.ended() is None
    sent = [b"%d" % n for n in range(5)]
    say(clients.new(), topic, *sent)
    again = clients.new(member, flags=0, properties=EXPIRY)
    assert waiting(again) + waiting(again) == sent


def test_shared_subscriptions_get_no_retained_message(clients: Clients) -> None:
    topic, plain, member = unique("retained"), clients.new(), clients.new()
    say(clients.new(), topic, b"kept", flags=0x03)
    assert listen(plain, topic) == [b"kept"]
    assert listen(member, f"$share/g/{topic}") == []
    say(clients.new(), topic, b"", flags=0x03)


def test_subscribing_again_replaces_the_subscription(clients: Clients) -> None:
    """MQTT 3.1.1 and MQTT 5, 3.8.4: messages come once, and a retained one comes again."""
    topic, client = unique("twice"), clients.new()
    for filters in [(topic, f"$share/g/{topic}/s"), (topic, f"$share/g/{topic}/s")]:
        listen(client, *filters)
    publisher = clients.new()
    say(publisher, topic, b"one")
    say(publisher, f"{topic}/s", b"two")
    assert waiting(client) == [b"one", b"two"]


def will(topic: str, payload: str, delay: int = 0) -> bytes:
    properties = [(iot.PROP_WILL_DELAY_INTERVAL, delay)] if delay else None
    return bytes(iot._encode_properties(properties)) + text(topic) + text(payload)


def test_a_will_is_published_when_the_connection_is_lost_and_not_after_a_disconnect(clients: Clients) -> None:
    """Guide, "MQTT Last Will and Testament (LWT) messages"."""
    topic, reader = unique("will"), clients.new()
    listen(reader, topic)
    polite = clients.new(flags=WILL_FLAGS, rest=will(topic, "polite"))
    polite.send(DISCONNECT)
    assert polite.ended() is None
    clients.new(flags=WILL_FLAGS, rest=will(topic, "cut")).cut()
    assert message(reader) == (topic, b"cut")
    rude = clients.new(flags=WILL_FLAGS, rest=will(topic, "refused"))
    rude.send(packet(0xF0, b""))
    assert message(reader) == (topic, b"refused")
    with_will = clients.new(flags=WILL_FLAGS, rest=will(topic, "said goodbye"))
    with_will.send(packet(0xE0, b"\x04"))
    assert message(reader) == (topic, b"said goodbye")
    assert waiting(reader) == []


def test_a_will_of_mqtt_311_may_be_retained(clients: Clients) -> None:
    topic = unique("will")
    reader = clients.new()
    listen(reader, topic)
    clients.new(version=V311, flags=0x26, rest=will(topic, "cut")[1:]).cut()
    assert message(reader) == (topic, b"cut")
    late = clients.new()
    assert listen(late, topic) == [b"cut"]
    say(clients.new(), topic, b"", flags=0x03)


def test_a_delayed_will_waits_for_its_session_and_no_longer(clients: Clients) -> None:
    """MQTT 5, 3.1.3.2.2: not if the session is resumed before; at once if the session ends with its connection."""
    topic, reader, name = unique("will"), clients.new(), unique("delayed")
    listen(reader, topic)
    clients.new(flags=WILL_FLAGS, rest=will(topic, "no session", 3600)).cut()
    assert message(reader) == (topic, b"no session")
    clients.new(name, flags=WILL_FLAGS, properties=EXPIRY, rest=will(topic, "resumed", 3600)).cut()
    resumed = clients.new(name, flags=0x04, properties=EXPIRY, rest=will(topic, "new session", 3600))
    resumed.cut()
    clients.new(name, flags=0x02)
    assert message(reader) == (topic, b"new session")
    clients.new(flags=WILL_FLAGS, properties=EXPIRY, rest=will(topic, "later", 1)).cut()
    assert message(reader) == (topic, b"later")
    assert waiting(reader) == []


def test_a_second_client_of_an_id_takes_over(clients: Clients) -> None:
    """Guide, "differences": the new connection is accepted; "Lifecycle events": DUPLICATE_CLIENTID."""
    name, topic, reader = unique("twin"), unique("will"), clients.new()
    listen(reader, topic, f"$aws/events/presence/disconnected/{name}")
    first = clients.new(name, flags=WILL_FLAGS, rest=will(topic, "replaced"))
    second = clients.new(name)
    assert first.ended() == TAKEN_OVER
    events = dict(message(reader) for _ in range(2))
    assert events[topic] == b"replaced"
    event = json.loads(events[f"$aws/events/presence/disconnected/{name}"])
    assert event["disconnectReason"] == "DUPLICATE_CLIENTID"
    assert waiting(second) == []


def test_a_persistent_session_keeps_filters_and_messages(clients: Clients) -> None:
    """Guide, "MQTT persistent sessions": messages published with QoS 1 while the device was away; none of QoS 0."""
    topic, name, publisher = unique("stored"), unique("sleeper"), clients.new()
    first = clients.new(name, properties=EXPIRY)
    listen(first, topic)
    first.send(DISCONNECT)
    assert first.ended() is None
    publisher.send(publish(topic, b"QoS 0", flags=0))
    say(publisher, topic, b"1", b"2")
    client = RawMqtt(clients.aws, clients.device)
    assert client.opened(name, flags=0, properties=EXPIRY)[0] == 1, "session present"
    clients.opened.append(client)
    assert waiting(client) == [b"1", b"2"]
    say(publisher, topic, b"3")
    assert waiting(client) == [b"3"]


@pytest.mark.parametrize("first", [V311, V5])
def test_a_session_is_not_resumed_by_the_other_version(clients: Clients, first: int) -> None:
    """Guide, "MQTT persistent sessions": "Cross MQTT version persistent sessions are not supported"."""
    name, second = unique("sleeper"), V5 if first == V311 else V311
    options: dict[int, dict[str, Any]] = {V311: {"flags": 0}, V5: {"flags": 0, "properties": EXPIRY}}
    client = clients.new(name, first, **options[first])
    client.send(DISCONNECT if first == V5 else packet(0xE0, b""))
    assert client.ended() is None
    other = RawMqtt(clients.aws, clients.device)
    assert other.opened(name, second, **options[second])[0] == 0
    clients.opened.append(other)


def test_a_disconnect_may_end_the_session(clients: Clients) -> None:
    """Guide, "MQTT persistent sessions": a Session Expiry Interval of 0 on the DISCONNECT ends it."""
    name = unique("sleeper")
    client = clients.new(name, properties=EXPIRY)
    client.send(packet(0xE0, b"\0\5\x11\0\0\0\0"))
    assert client.ended() is None
    again = RawMqtt(clients.aws, clients.device)
    assert again.opened(name, flags=0, properties=EXPIRY)[0] == 0
    clients.opened.append(again)


@pytest.mark.parametrize(("asked", "allowed"), [(3, 3), (65_535, 100)])
def test_a_client_is_sent_no_more_than_it_takes(clients: Clients, asked: int, allowed: int) -> None:
    """MQTT 5, 3.1.2.11.3 (Receive Maximum); AWS: 100 unacknowledged messages at the most."""
    topic, reader = unique("window"), clients.new(properties=[(iot.PROP_RECEIVE_MAXIMUM, asked)])
    listen(reader, topic)
    sent = [b"%d" % n for n in range(allowed + 5)]
    say(clients.new(), topic, *sent)
    reader.send(PING)
    ids: list[bytes] = []
    payloads: list[bytes] = []
    while (answer := reader.receive()) is not None and answer[0] == PUBLISH:
        size = struct.unpack_from("!H", answer[2])[0]
        ids.append(answer[2][2 + size : 4 + size])
        payloads.append(answer[2][5 + size :])
    assert payloads == sent[:allowed]
    reader.send(*(packet(0x40, number) for number in ids))
    assert waiting(reader) + waiting(reader) == sent[allowed:]


def test_a_packet_that_is_too_large_for_a_client_is_not_sent(clients: Clients) -> None:
    """MQTT 5, 3.1.2.11.4 (Maximum Packet Size)."""
    topic, reader = unique("size"), clients.new(properties=[(iot.PROP_MAXIMUM_PACKET_SIZE, 200)])
    listen(reader, topic)
    say(clients.new(), topic, bytes(500), b"small")
    assert waiting(reader) == [b"small"]


def test_who_does_not_read_delays_nobody(clients: Clients) -> None:
    """The deaf one's socket is full after a few MB; a publisher's acknowledgement and a reader's message still come."""
    topic, reader, deaf = unique("deaf"), clients.new(), clients.new()
    listen(reader, topic)
    deaf.send(subscribe(topic, options=0))
    publisher, block = clients.new(), bytes(100_000)
    for number in range(100):
        say(publisher, topic, block + b"%d" % number)
        assert message(reader)[1][100_000:] == b"%d" % number


def test_half_a_connect_holds_up_nobody(clients: Clients) -> None:
    half = RawMqtt(clients.aws, clients.device)
    half.send(connect("half")[:9])
    assert waiting(clients.new()) == []
    half.socket.close()
