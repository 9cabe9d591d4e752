"""Clients that nobody here wrote are devices: the AWS IoT Device SDK v2, and Mosquitto's command line.

They are no dependencies: the group `device-clients` of pyproject.toml brings the SDK, a package of the operating system
(`mosquitto-clients`) the command line; without them their tests are skipped. They do what AWS's samples do with them:
connect with a certificate, subscribe, publish, share a subscription.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from queue import Queue
from typing import Any

import pytest

from iot_pipeline_tests.support.emulator import Device, LocalAws, unique

pytestmark = pytest.mark.integration
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
# "The payload for every publish request can be no larger than 128 KB."
LARGEST = bytes(range(256)) * 512
# A test that waits as long as this fails.
SECONDS = 30
NO_SDK = "the AWS IoT Device SDK v2 is not installed (the group `device-clients` of pyproject.toml)"
Message = tuple[str, bytes]


@pytest.fixture(scope="module")
def device(local_aws: LocalAws) -> Device:
    return local_aws.device(policy=ALL)


def files(aws: LocalAws, device: Device) -> dict[str, Any]:
    """What both of the SDK's builders take."""
    return {
        "cert_filepath": str(device.certificate),
        "pri_key_filepath": str(device.key),
        "ca_filepath": str(aws.emulator.ca_pem),
        "endpoint": "localhost",
        "port": aws.emulator.mqtt_port,
    }


class Sdk311:
    """The SDK's MQTT 3.1.1 connection."""

    def __init__(self, aws: LocalAws, device: Device, client_id: str) -> None:
        from awscrt import mqtt
        from awsiot import mqtt_connection_builder

        self.qos = mqtt.QoS.AT_LEAST_ONCE
        options = {"client_id": client_id, "clean_session": True, "keep_alive_secs": 30}
        self.connection = mqtt_connection_builder.mtls_from_path(**files(aws, device), **options)
        self.messages: Queue[Message] = Queue()
        self.connection.connect().result(SECONDS)

    def subscribe(self, topic_filter: str) -> None:
        def take(topic: str, payload: bytes, **_more: Any) -> None:
            self.messages.put((topic, payload))

        done, _packet_id = self.connection.subscribe(topic=topic_filter, qos=self.qos, callback=take)
        assert done.result(SECONDS)["qos"] == self.qos

    def publish(self, topic: str, payload: bytes) -> None:
        done, _packet_id = self.connection.publish(topic=topic, payload=payload, qos=self.qos)
        done.result(SECONDS)

    def close(self) -> None:
        self.connection.disconnect().result(SECONDS)


class Sdk5:
    """The SDK's MQTT 5 client, with the validation that it has for AWS IoT Core."""

    def __init__(self, aws: LocalAws, device: Device, client_id: str) -> None:
        from awscrt import mqtt5
        from awsiot import mqtt5_client_builder

        self.mqtt5 = mqtt5
        self.messages: Queue[Message] = Queue()
        self.connected: Future[Any] = Future()
        self.stopped: Future[Any] = Future()
        self.client = mqtt5_client_builder.mtls_from_path(
            **files(aws, device),
            client_id=client_id,
            extended_validation_and_flow_control_options=(
                mqtt5.ExtendedValidationAndFlowControlOptions.AWS_IOT_CORE_DEFAULTS
            ),
            on_publish_received=lambda data: self.messages.put(
                (data.publish_packet.topic, data.publish_packet.payload or b"")
            ),
            on_lifecycle_connection_success=self.connected.set_result,
            on_lifecycle_stopped=self.stopped.set_result,
        )
        self.client.start()
        self.settings = self.connected.result(SECONDS).negotiated_settings

    def subscribe(self, topic_filter: str) -> None:
        packet = self.mqtt5.SubscribePacket([self.mqtt5.Subscription(topic_filter, self.mqtt5.QoS.AT_LEAST_ONCE)])
        assert self.client.subscribe(packet).result(SECONDS).reason_codes == [self.mqtt5.SubackReasonCode.GRANTED_QOS_1]

    def publish(self, topic: str, payload: bytes) -> None:
        packet = self.mqtt5.PublishPacket(topic=topic, payload=payload, qos=self.mqtt5.QoS.AT_LEAST_ONCE)
        answer = self.client.publish(packet).result(SECONDS)
        assert answer.puback.reason_code == self.mqtt5.PubackReasonCode.SUCCESS

    def close(self) -> None:
        self.client.stop()
        self.stopped.result(SECONDS)


Sdk = Sdk311 | Sdk5
Open = Callable[[str], Sdk]


@pytest.fixture(params=[Sdk311, Sdk5], ids=["mqtt311", "mqtt5"])
def sdk(request: pytest.FixtureRequest, local_aws: LocalAws, device: Device) -> Iterator[Open]:
    """Opens clients of one version; they are closed after the test."""
    pytest.importorskip("awsiot", reason=NO_SDK)
    opened: list[Sdk] = []

    def open_client(client_id: str) -> Sdk:
        opened.append(request.param(local_aws, device, client_id))
        return opened[-1]

    yield open_client
    for client in opened:
        client.close()


def test_the_sdk_publishes_and_receives_128_kb(sdk: Open) -> None:
    topic, client = unique("sdk"), sdk(unique("sdk"))
    client.subscribe(f"{topic}/+")
    for payload in (b"{}", LARGEST):
        client.publish(f"{topic}/telemetry", payload)
        assert client.messages.get(timeout=SECONDS) == (f"{topic}/telemetry", payload)


def test_the_sdk_shares_a_subscription(sdk: Open) -> None:
    topic, members = unique("sdk"), [sdk(unique("sdk")) for _ in range(2)]
    for member in members:
        member.subscribe(f"$share/group/{topic}")
        member.subscribe(f"{topic}/end")
    publisher = sdk(unique("sdk"))
    sent = [b"%d" % n for n in range(30)]
    for payload in sent:
        publisher.publish(topic, payload)
    publisher.publish(f"{topic}/end", b"end")
    found = [list(iter(partial(next_payload, member), b"end")) for member in members]
    assert sorted(found[0] + found[1]) == sorted(sent)
    assert all(found)


def next_payload(client: Sdk) -> bytes:
    return client.messages.get(timeout=SECONDS)[1]


def test_the_sdk_is_told_aws_iots_limits(local_aws: LocalAws, device: Device) -> None:
    pytest.importorskip("awsiot", reason=NO_SDK)
    client = Sdk5(local_aws, device, unique("sdk"))
    told = client.settings
    assert told.maximum_packet_size_to_server == 146 * 1024
    assert told.receive_maximum_from_server == 100
    assert told.topic_alias_maximum_to_server == 8
    assert told.server_keep_alive_sec == 1200
    assert told.shared_subscriptions_available
    assert told.retain_available
    assert not told.subscription_identifiers_available
    client.close()


@pytest.fixture(params=["311", "5"])
def mosquitto(request: pytest.FixtureRequest, local_aws: LocalAws, device: Device) -> list[str]:
    """The options of Mosquitto's clients for one version."""
    if not shutil.which("mosquitto_pub") or not shutil.which("mosquitto_sub"):
        pytest.skip("Mosquitto's clients are not installed (the system's package `mosquitto-clients`)")
    return [
        *("-h", "localhost", "-p", str(local_aws.emulator.mqtt_port), "-V", f"mqttv{request.param}", "-q", "1"),
        *("--cafile", str(local_aws.emulator.ca_pem), "--cert", str(device.certificate), "--key", str(device.key)),
    ]


@contextmanager
def listening(options: list[str], topic_filter: str, count: int) -> "Iterator[subprocess.Popen[bytes]]":
    """`mosquitto_sub`, subscribed; it ends after so many messages."""
    command = ["mosquitto_sub", *options, "-i", unique("sub"), "-t", topic_filter, "-C", str(count), "-d"]
    process = subprocess.Popen(["stdbuf", "-oL", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if b"Subscribed" in line:
                break
        yield process
    finally:
        process.kill()
        process.wait()


def test_mosquitto_publishes_and_subscribes(mosquitto: list[str]) -> None:
    topic = unique("mosquitto")
    with listening(mosquitto, f"{topic}/#", 1) as process:
        command = ["mosquitto_pub", *mosquitto, "-i", unique("pub"), "-t", f"{topic}/a", "-m", "hello from mosquitto"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        heard, _ = process.communicate(timeout=SECONDS)
    assert b"hello from mosquitto" in heard
    assert process.returncode == 0


def test_mosquitto_publishes_128_kb_and_no_more(mosquitto: list[str]) -> None:
    command = ["mosquitto_pub", *mosquitto, "-i", unique("pub"), "-t", unique("mosquitto"), "-s"]
    done = subprocess.run(command, input=LARGEST, capture_output=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    more = subprocess.run(command, input=LARGEST + b"x", capture_output=True, timeout=SECONDS, check=False)
    assert more.returncode != 0


def test_mosquittos_will_is_published_when_it_is_killed(mosquitto: list[str]) -> None:
    topic = unique("mosquitto")
    with listening(mosquitto, topic, 1) as reader:
        will = ["--will-topic", topic, "--will-payload", "gone", "--will-qos", "1"]
        with listening([*mosquitto, *will], unique("nothing"), 1) as doomed:
            doomed.kill()
            heard, _ = reader.communicate(timeout=SECONDS)
    assert b"gone" in heard
