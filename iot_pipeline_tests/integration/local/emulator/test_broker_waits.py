"""What the broker waits for, and for how long: with its waits at a twentieth.

MQTT 3.1.1 and MQTT 5, 3.1.2.10 (1.5 times the keep-alive); AWS general reference (a keep-alive is 30 s at least, and
1,200 s where none is asked for); AWS IoT developer guide, "Lifecycle events" (MQTT_KEEP_ALIVE_TIMEOUT).
"""

import json
import socket
from collections.abc import Iterator

import pytest

from infra.local.emulator.process import start_emulator
from iot_pipeline_tests.support.emulator import Device, LocalAws, unique
from iot_pipeline_tests.support.raw_mqtt import (
    ANSWER_SECONDS,
    EVERYTHING,
    PUBLISH,
    SUBACK,
    V5,
    V311,
    RawMqtt,
    packet,
    subscribe,
    text,
)

pytestmark = pytest.mark.integration
KEEP_ALIVE_TIMEOUT = 0x8D


@pytest.fixture(scope="module")
def quick_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS whose keep-alive of 30 s is over after 2.25 s, and its wait for a CONNECT after 1.5 s."""
    folder = tmp_path_factory.mktemp("quick-aws")
    aws = LocalAws(start_emulator(folder / "state", mqtt_wait_scale=0.05), folder)
    yield aws
    aws.emulator.stop()


@pytest.fixture(scope="module")
def device(quick_aws: LocalAws) -> Device:
    return quick_aws.device(policy=EVERYTHING)


@pytest.mark.parametrize(("version", "reason"), [(V311, None), (V5, KEEP_ALIVE_TIMEOUT)])
def test_a_silent_client_is_disconnected_and_its_will_published(
    quick_aws: LocalAws, device: Device, version: int, reason: int | None
) -> None:
    name, topic = unique("silent"), unique("will")
    reader = RawMqtt(quick_aws, device)
    reader.opened(unique("reader"), keep_alive=1200)
    reader.send(subscribe(topic, f"$aws/events/presence/disconnected/{name}"))
    assert (reader.receive() or [0])[0] == SUBACK
    silent = RawMqtt(quick_aws, device)
    silent.opened(
        name, version, keep_alive=2, flags=0x06, rest=(b"\0" if version == V5 else b"") + text(topic) + text("x")
    )
    assert silent.ended() == reason
    bodies = [found[2] for found in (reader.receive(), reader.receive()) if found and found[0] == PUBLISH]
    assert any(topic.encode() in body for body in bodies)
    event = next(json.loads(body[body.index(b"{") :]) for body in bodies if b"$aws/events" in body)
    assert event["disconnectReason"] == "MQTT_KEEP_ALIVE_TIMEOUT"
    assert not event["clientInitiatedDisconnect"]
    reader.socket.close()


def test_bytes_that_never_become_a_packet_do_not_keep_a_client_alive(quick_aws: LocalAws, device: Device) -> None:
    client = RawMqtt(quick_aws, device)
    client.opened(unique("drip"), keep_alive=30)
    client.socket.settimeout(0.2)
    client.send(b"\x30\xff\x7f")
    ended = False
    for _ in range(int(ANSWER_SECONDS / 0.2)):
        try:
            client.send(b"x")
            ended = client.socket.recv(100) == b""
        except TimeoutError:
            continue
        except OSError:
            ended = True
        if ended:
            break
    assert ended


def test_who_pings_stays_and_so_does_who_asked_for_no_keep_alive(quick_aws: LocalAws, device: Device) -> None:
    """While others are thrown out: the one whose keep-alive is over ends first."""
    lasting, silent, pinging = (RawMqtt(quick_aws, device) for _ in range(3))
    lasting.opened(unique("lasting"), keep_alive=0)
    pinging.opened(unique("pinging"), keep_alive=30)
    silent.opened(unique("silent"), keep_alive=30)
    silent.socket.settimeout(0.5)
    for _ in range(40):
        pinging.send(packet(0xC0, b""))
        assert pinging.receive() is not None
        try:
            if silent.receive() is not None:
                break
        except TimeoutError:
            continue
    else:
        pytest.fail("the silent client was not disconnected")
    for client in (lasting, pinging):
        client.send(packet(0xC0, b""))
        assert client.receive() is not None
        client.socket.close()


def test_a_tls_connection_without_connect_is_closed(quick_aws: LocalAws, device: Device) -> None:
    silent, half = RawMqtt(quick_aws, device), RawMqtt(quick_aws, device)
    half.send(b"\x10\x20\0\4MQ")
    assert silent.ended() is None
    assert half.ended() is None


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02", b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\x10\x0e\0\4MQTT"])
def test_a_socket_without_tls_is_closed(quick_aws: LocalAws, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", quick_aws.emulator.mqtt_port), timeout=ANSWER_SECONDS) as plain:
        plain.sendall(sent)
        try:
            while plain.recv(1000):
                pass
        except ConnectionResetError:
            pass
