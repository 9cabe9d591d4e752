"""Who may connect, publish and subscribe.

AWS IoT Core developer guide: "X.509 client certificates", "AWS IoT Core policies", "MQTT" (reason codes); API
reference: UpdateCertificate ("Within a few minutes of updating a certificate from the ACTIVE state to any other
state, AWS IoT disconnects all devices that used that certificate to connect").
"""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import MQTTProtocolVersion

from iot_pipeline_tests.support import raw_mqtt
from iot_pipeline_tests.support.emulator import Device, LocalAws, unique

pytestmark = pytest.mark.integration
V311 = MQTTProtocolVersion.MQTTv311


@pytest.fixture(scope="module")
def device(local_aws: LocalAws) -> Device:
    return local_aws.device()


def topic(device: Device) -> str:
    return f"dt/tenant/site/{device.name}/telemetry"


ATTRIBUTES = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "iot:Publish",
            "Resource": "arn:aws:iot:eu-west-1:000000000000:topic/${iot:Connection.Thing.Attributes[tenant]}/x",
        },
    ],
}


def test_a_policy_may_name_an_attribute_of_the_thing(local_aws: LocalAws) -> None:
    """Developer guide, "Thing policy variables"; "Thing policy examples": what cannot be resolved denies access."""
    iot, device = local_aws.client("iot"), local_aws.device(policy=ATTRIBUTES)

    def becomes(attributes: dict[str, str]) -> None:
        iot.update_thing(thingName=device.name, attributePayload={"attributes": attributes, "merge": False})

    session = local_aws.connect_device(device)
    assert [session.publish(topic, b"{}") for topic in ("/x", "a/x")] == ["Not authorized"] * 2
    becomes({"tenant": "a"})
    assert session.publish("a/x", b"{}") == "Success"
    becomes({"tenant": "b"})
    assert [session.publish(topic, b"{}") for topic in ("a/x", "b/x")] == ["Not authorized", "Success"]
    becomes({"Tenant": "b"})
    assert session.publish("b/x", b"{}") == "Not authorized"
    becomes({"tenant": "b"})
    stranger = local_aws.connect(unique("other"), device.certificate, device.key)
    assert stranger.publish("b/x", b"{}") == "Not authorized"
    for opened in (session, stranger):
        opened.close()


def make_certificate(
    folder: Path, common_name: str, issuer: str, signer: ec.EllipticCurvePrivateKey | None
) -> tuple[Path, Path]:
    """A certificate signed by itself, or by a key that the local AWS does not know."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(signer or key, hashes.SHA256())
    )
    pem, key_pem = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    key_pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return pem, key_pem


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, V311], ids=["mqtt5", "mqtt311"])
def test_a_device_publishes_to_its_own_topic(
    local_aws: LocalAws, device: Device, protocol: MQTTProtocolVersion
) -> None:
    session = local_aws.connect(device.name, device.certificate, device.key, protocol=protocol)
    assert session.of("connack") == ["Success"]
    assert session.publish(topic(device), b"{}") == "Success"
    session.close()


def test_no_certificate_is_refused(local_aws: LocalAws, device: Device) -> None:
    session = local_aws.connect(device.name)
    assert session.closed.wait(10)
    assert session.of("connack") == []


def test_a_self_signed_certificate_is_refused(local_aws: LocalAws, device: Device, tmp_path: Path) -> None:
    session = local_aws.connect(device.name, *make_certificate(tmp_path, device.name, device.name, None))
    assert session.closed.wait(10)
    assert session.of("connack") == []


def test_a_certificate_of_another_ca_is_refused(local_aws: LocalAws, device: Device, tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    session = local_aws.connect(device.name, *make_certificate(tmp_path, device.name, "Another CA", other))
    assert session.closed.wait(10)
    assert session.of("connack") == []


@pytest.mark.parametrize("status", ["REVOKED", "INACTIVE"])
def test_a_certificate_that_is_not_active_is_refused_at_connect(local_aws: LocalAws, status: str) -> None:
    device = local_aws.device()
    local_aws.client("iot").update_certificate(certificateId=device.certificate_id, newStatus=status)
    session = local_aws.connect_device(device)
    assert session.closed.wait(10)
    assert session.of("connack") == []


@pytest.mark.parametrize("status", ["REVOKED", "INACTIVE"])
def test_a_certificate_revoked_in_mid_session_ends_the_session(local_aws: LocalAws, status: str) -> None:
    device = local_aws.device()
    session = local_aws.connect_device(device)
    assert session.publish(topic(device), b"{}") == "Success"
    local_aws.client("iot").update_certificate(certificateId=device.certificate_id, newStatus=status)
    assert session.closed.wait(10)
    assert session.of("disconnect") == ["Not authorized"]
    again = local_aws.connect_device(device)
    assert again.closed.wait(10)


def test_a_certificate_revoked_in_mid_session_ends_an_mqtt311_session(local_aws: LocalAws) -> None:
    device = local_aws.device()
    session = local_aws.connect(device.name, device.certificate, device.key, protocol=V311)
    local_aws.client("iot").update_certificate(certificateId=device.certificate_id, newStatus="REVOKED")
    assert session.closed.wait(10)


def test_a_detached_policy_ends_the_session(local_aws: LocalAws) -> None:
    device = local_aws.device()
    session = local_aws.connect_device(device)
    local_aws.client("iot").detach_policy(policyName=device.name, target=device.certificate_arn)
    assert session.closed.wait(10)
    assert session.of("disconnect") == ["Not authorized"]
    refused = local_aws.connect_device(device)
    assert refused.wait("connack") == ["Not authorized"]


def test_a_new_policy_version_applies_to_a_running_session(local_aws: LocalAws) -> None:
    device = local_aws.device()
    session = local_aws.connect_device(device)
    assert session.publish(topic(device), b"{}") == "Success"
    connect_only = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}'
    )
    iot = local_aws.client("iot")
    iot.create_policy_version(policyName=device.name, policyDocument=connect_only, setAsDefault=True)
    assert session.publish(topic(device), b"{}") == "Not authorized"
    session.close()


def test_another_devices_topic_is_refused(local_aws: LocalAws, device: Device) -> None:
    other = local_aws.device()
    session = local_aws.connect_device(device)
    assert session.publish(topic(other), b"{}") == "Not authorized"
    assert session.publish(topic(device), b"{}") == "Success"
    session.close()
    old = local_aws.connect(device.name, device.certificate, device.key, protocol=V311)
    old.client.publish(topic(other), b"{}", qos=1)
    assert old.closed.wait(10)


def test_a_foreign_client_id_is_refused(local_aws: LocalAws, device: Device) -> None:
    session = local_aws.connect("somebody-else", device.certificate, device.key)
    assert session.wait("connack") == ["Not authorized"]


def test_subscribing_to_everything_is_refused(local_aws: LocalAws, device: Device) -> None:
    session = local_aws.connect_device(device)
    session.client.subscribe("#", 1)
    assert session.wait("suback") == ["Not authorized"]
    session.client.subscribe(f"cmd/{device.name}/#", 1)
    assert session.wait("suback", 2)[1] == "Granted QoS 1"
    session.close()


def test_a_payload_above_128_kb_ends_the_session(local_aws: LocalAws, device: Device) -> None:
    """AWS general reference, "AWS IoT Core endpoints and quotas": "Maximum publish size (payload) 128 KB"."""
    session = local_aws.connect_device(device)
    assert session.publish(topic(device), b"x" * 131_072) == "Success"
    session.client.publish(topic(device), b"x" * 131_073, qos=1)
    assert session.closed.wait(10)
    assert session.of("disconnect") == ["Packet too large"]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
def test_tls_1_1_is_refused(local_aws: LocalAws, device: Device) -> None:
    context = ssl.create_default_context(cafile=str(local_aws.emulator.ca_pem))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(device.certificate, device.key)
    with socket.create_connection(("127.0.0.1", local_aws.emulator.mqtt_port)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="localhost")


def test_the_mqtt_port_listens_on_loopback_only(local_aws: LocalAws) -> None:
    sockets = Path("/proc/net/tcp").read_text().splitlines()[1:]
    port = f"{local_aws.emulator.mqtt_port:04X}"
    addresses = {
        line.split()[1] for line in sockets if line.split()[1].endswith(f":{port}") and line.split()[3] == "0A"
    }
    assert addresses == {f"0100007F:{port}"}


@pytest.mark.parametrize("request_of", [{}, {"endpointType": "iot:Data-ATS"}])
def test_the_data_endpoint_is_where_devices_connect(
    local_aws: LocalAws, device: Device, request_of: dict[str, str]
) -> None:
    """API reference, DescribeEndpoint; on AWS the host alone, whose port is 8883."""
    host, _, port = local_aws.client("iot").describe_endpoint(**request_of)["endpointAddress"].partition(":")
    context = ssl.create_default_context(cafile=str(local_aws.emulator.ca_pem))
    context.load_cert_chain(device.certificate, device.key)
    with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        tls.sendall(raw_mqtt.connect(device.name))
        assert tls.recv(4)[0] >> 4 == raw_mqtt.CONNACK


def test_publishing_by_http_has_the_brokers_limits(local_aws: LocalAws) -> None:
    """General reference: a payload of 128 KB, a topic of 256 bytes and 7 slashes, "for every publish request"."""
    data = local_aws.client("iot-data")
    data.publish(topic="1/2/3/4/5/6/7/8", qos=1, payload=b"x" * 131_072)
    for topic, size in (("a", 131_073), ("1/2/3/4/5/6/7/8/9", 1), ("t" * 257, 1)):
        with pytest.raises(ClientError) as error:
            data.publish(topic=topic, qos=1, payload=b"x" * size)
        assert error.value.response["Error"]["Code"] == "InvalidRequestException"
