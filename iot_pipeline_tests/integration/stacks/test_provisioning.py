"""A device from the factory, with a claim certificate alone, gets an identity of its own and publishes with it.

AWS IoT Core developer guide: "Provisioning by claim", "Device provisioning MQTT API", "Provisioning templates".
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from iot_pipeline.registry import things
from iot_pipeline_tests.support.emulator import LocalAws, Session, eventually, unique

pytestmark = pytest.mark.integration

FROM_CSR = "$aws/certificates/create-from-csr/json"
WITH_KEYS = "$aws/certificates/create/json"
Aws = tuple[LocalAws, dict[str, str]]


@dataclass
class Factory:
    """A device that holds the claim certificate: asks, and waits for the reply."""

    session: Session
    template: str
    replies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def ask(self, topic: str, payload: Any) -> tuple[str, dict[str, Any]]:
        """The reply's kind (accepted, rejected) and its document."""
        filters = [f"{topic}/{kind}" for kind in ("accepted", "rejected")]
        before = len(self.session.of("suback"))
        for topic_filter in filters:
            self.session.client.subscribe(topic_filter, 1)
        self.session.wait("suback", before + len(filters))
        seen = len(self.replies)
        self.session.client.publish(topic, payload if isinstance(payload, bytes) else json.dumps(payload), qos=1)
        eventually(lambda: len(self.replies) > seen)
        came, document = self.replies[-1]
        assert came in filters
        return came.rsplit("/", maxsplit=1)[-1], document

    def register(self, token: str | None, template: str | None = None, **parameters: str) -> tuple[str, dict[str, Any]]:
        """RegisterThing."""
        request = {"certificateOwnershipToken": token, "parameters": parameters}
        return self.ask(f"$aws/provisioning-templates/{template or self.template}/provision/json", request)


@pytest.fixture(scope="module")
def claim(aws: Aws) -> tuple[Path, Path]:
    """The one certificate and key that all devices leave the factory with."""
    running, outputs = aws
    iot = running.client("iot")
    # RegisterThing waits a few seconds for the hook, and on a busy machine its first start takes longer.
    hook = iot.describe_provisioning_template(templateName=outputs["ProvisioningTemplate"])["preProvisioningHook"]
    running.client("lambda").invoke(FunctionName=hook["targetArn"], Payload=b'{"parameters": {}}')
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=outputs["ClaimPolicy"], target=made["certificateArn"])
    certificate, key = running.folder / "claim.pem", running.folder / "claim.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    return certificate, key


def listening(session: Session, outputs: dict[str, str]) -> Factory:
    assert session.of("connack") == ["Success"]
    device = Factory(session, outputs["ProvisioningTemplate"])
    session.client.on_message = lambda _client, _data, message: device.replies.append(
        (message.topic, json.loads(message.payload))
    )
    return device


@pytest.fixture
def factory(aws: Aws, claim: tuple[Path, Path]) -> Iterator[Factory]:
    running, outputs = aws
    session = running.connect(unique("claim"), *claim)
    yield listening(session, outputs)
    session.close()


def new_key(folder: Path) -> tuple[str, Path]:
    """A CSR (PEM) and the file of its key, which never leaves the device."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    path = folder / f"{unique('own')}.key"
    plain = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return csr.public_bytes(serialization.Encoding.PEM).decode(), path


def described(**changed: str) -> dict[str, str]:
    return {"SerialNumber": unique("sn"), "DeviceModel": "wm-100", "Tenant": "acme", "Site": "oslo"} | changed


def token_of(factory: Factory, folder: Path) -> str:
    kind, made = factory.ask(FROM_CSR, {"certificateSigningRequest": new_key(folder)[0]})
    assert kind == "accepted"
    return str(made["certificateOwnershipToken"])


def test_a_claimed_device_publishes_telemetry_under_its_own_name(aws: Aws, factory: Factory, tmp_path: Path) -> None:
    running, outputs = aws
    csr, key = new_key(tmp_path)
    kind, made = factory.ask(FROM_CSR, {"certificateSigningRequest": csr})
    assert kind == "accepted"
    assert set(made) == {"certificateId", "certificatePem", "certificateOwnershipToken"}
    iot = running.client("iot")
    pending = iot.describe_certificate(certificateId=made["certificateId"])["certificateDescription"]
    assert pending["status"] == "PENDING_ACTIVATION"

    parameters = described()
    kind, registered = factory.register(made["certificateOwnershipToken"], **parameters)
    name = f"wm-100-{parameters['SerialNumber']}"
    assert (kind, registered) == ("accepted", {"deviceConfiguration": {}, "thingName": name})

    thing = iot.describe_thing(thingName=name)
    assert thing["thingTypeName"] == outputs["DeviceThingType"]
    assert thing["attributes"] == {"tenant": "acme", "site": "oslo", "model": "wm-100"}
    certificate = tmp_path / "own.pem"
    certificate.write_text(made["certificatePem"])
    device = running.connect(name, certificate, key)
    assert device.of("connack") == ["Success"]
    assert device.publish(f"dt/acme/oslo/{name}/telemetry", b'{"v": 1, "readings": []}') == "Success"
    assert device.publish("dt/acme/oslo/another/telemetry", b"{}") == "Not authorized"
    assert device.publish(f"dt/globex/oslo/{name}/telemetry", b"{}") == "Not authorized"
    device.close()

    def arrived() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in running.lines(outputs["LakeBucket"], "raw/telemetry/")]
        return [line for line in lines if line["iot_device"] == name]

    (line,) = eventually(arrived)
    assert (line["iot_tenant"], line["iot_site"], line["iot_client"]) == ("acme", "oslo", name)


def test_a_device_that_cannot_make_a_key_is_given_one(aws: Aws, factory: Factory, tmp_path: Path) -> None:
    running, _ = aws
    kind, made = factory.ask(WITH_KEYS, {})
    assert kind == "accepted"
    _, registered = factory.register(made["certificateOwnershipToken"], **described())
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["privateKey"])
    device = running.connect(registered["thingName"], certificate, key)
    assert device.of("connack") == ["Success"]
    device.close()


def test_an_installer_can_ask_for_a_claim_of_minutes(aws: Aws, tmp_path: Path) -> None:
    """CreateProvisioningClaim: "Provisioning by trusted user"."""
    running, outputs = aws
    made = running.client("iot").create_provisioning_claim(templateName=outputs["ProvisioningTemplate"])
    certificate, key = tmp_path / "claim.pem", tmp_path / "claim.key"
    certificate.write_text(made["certificatePem"])
    key.write_text(made["keyPair"]["PrivateKey"])
    device = listening(running.connect(unique("claim"), certificate, key), outputs)
    assert device.register(token_of(device, tmp_path), **described())[0] == "accepted"
    device.session.close()


def test_a_certificate_is_no_use_before_it_is_registered(aws: Aws, factory: Factory, tmp_path: Path) -> None:
    running, _ = aws
    csr, key = new_key(tmp_path)
    _, made = factory.ask(FROM_CSR, {"certificateSigningRequest": csr})
    certificate = tmp_path / "own.pem"
    certificate.write_text(made["certificatePem"])
    session = running.connect("claim-early", certificate, key)
    assert session.closed.wait(10)
    assert session.of("connack") == []


@pytest.mark.parametrize(
    "topic",
    [
        "dt/acme/oslo/claim/telemetry",
        "$aws/provisioning-templates/another/provision/json",
        "$aws/things/x/shadow/update",
        "$aws/certificates/create/cbor",
    ],
)
def test_a_claim_may_publish_nothing_else(factory: Factory, topic: str) -> None:
    assert factory.session.publish(topic, b"{}") == "Not authorized"


def test_a_claim_hears_nothing_but_its_replies(factory: Factory) -> None:
    filters = ("dt/#", "$aws/things/wm-100-1/shadow/#", "$aws/events/presence/#")
    for topic_filter in filters:
        factory.session.client.subscribe(topic_filter, 1)
    assert factory.session.wait("suback", len(filters)) == ["Not authorized"] * len(filters)


def test_a_claim_may_not_take_a_devices_session(aws: Aws, claim: tuple[Path, Path]) -> None:
    session = aws[0].connect("wm-100-1", *claim)
    assert session.wait("connack") == ["Not authorized"]


def refusal(reply: tuple[str, dict[str, Any]]) -> tuple[str, int, str, str]:
    kind, document = reply
    assert set(document) == {"statusCode", "errorCode", "errorMessage"}
    return kind, document["statusCode"], document["errorCode"], document["errorMessage"]


def test_a_token_is_spent_once_and_others_are_refused(aws: Aws, factory: Factory, tmp_path: Path) -> None:
    token = token_of(factory, tmp_path)
    assert factory.register(token, **described())[0] == "accepted"
    second = described()
    for refused in (token, "made-up"):
        kind, status, code, _ = refusal(factory.register(refused, **second))
        assert (kind, status, code) == ("rejected", 400, "InvalidCertificateOwnershipToken")
    iot = aws[0].client("iot")
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_thing(thingName=f"wm-100-{second['SerialNumber']}")
    _, _, code, message = refusal(factory.register(None, **second))
    assert (code, message) == ("InvalidCertificateOwnershipToken", "Certificate ownership token cannot be empty.")


@pytest.mark.parametrize("missing", ["SerialNumber", "DeviceModel", "Tenant", "Site"])
def test_a_missing_parameter_is_named_and_the_token_stays_good(factory: Factory, tmp_path: Path, missing: str) -> None:
    token, parameters = token_of(factory, tmp_path), described()
    fewer = {name: value for name, value in parameters.items() if name != missing}
    _, _, code, message = refusal(factory.register(token, **fewer))
    assert (code, message) == ("InvalidParameters", f"Cannot resolve reference value: {missing}")
    assert factory.register(token, **parameters)[0] == "accepted"


@pytest.mark.parametrize("changed", [{}, {"Tenant": "umbrella"}], ids=["alike", "for another tenant"])
def test_a_thing_that_exists_is_not_taken_over(
    aws: Aws, factory: Factory, tmp_path: Path, changed: dict[str, str]
) -> None:
    iot, parameters = aws[0].client("iot"), described()
    _, registered = factory.register(token_of(factory, tmp_path), **parameters)
    name = registered["thingName"]

    def known() -> tuple[Any, Any]:
        return iot.describe_thing(thingName=name)["attributes"], iot.list_thing_principals(thingName=name)["principals"]

    before = known()
    again = refusal(factory.register(token_of(factory, tmp_path), **parameters | changed))
    assert again == ("rejected", 403, "AccessDenied", "Access Denied")
    assert known() == before


def test_a_device_onboarded_otherwise_is_not_taken_over(aws: Aws, factory: Factory, tmp_path: Path) -> None:
    serial = unique("sn")
    aws[0].client("iot").create_thing(thingName=f"wm-100-{serial}")
    _, status, code, _ = refusal(factory.register(token_of(factory, tmp_path), **described(SerialNumber=serial)))
    assert (status, code) == (403, "AccessDenied")


def test_the_name_of_a_decommissioned_device_cannot_be_claimed(aws: Aws, factory: Factory, tmp_path: Path) -> None:
    """Its history is its own: whoever holds a claim certificate must not go on with it."""
    iot, parameters = aws[0].client("iot"), described()
    _, registered = factory.register(token_of(factory, tmp_path), **parameters)
    things.revoke(iot, registered["thingName"], None)
    _, status, code, _ = refusal(factory.register(token_of(factory, tmp_path), **parameters))
    assert (status, code) == (403, "AccessDenied")
    assert iot.list_thing_principals(thingName=registered["thingName"])["principals"] == []


@pytest.mark.parametrize("wrong", [{"Tenant": "acme/oslo"}, {"Site": "oslo/#"}], ids=["tenant", "site"])
def test_tenant_and_site_are_one_level_of_the_topic_each(
    aws: Aws, factory: Factory, tmp_path: Path, wrong: dict[str, str]
) -> None:
    _, status, code, _ = refusal(factory.register(token_of(factory, tmp_path), **described(**wrong)))
    assert (status, code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{", "InvalidPayload"),
        (b"[]", "InvalidPayload"),
        ({}, "InvalidPayload"),
        ({"certificateSigningRequest": 7}, "InvalidPayload"),
        ({"certificateSigningRequest": "-----BEGIN CERTIFICATE REQUEST-----"}, "InvalidCertificateSigningRequest"),
    ],
)
def test_a_request_that_is_no_csr_is_refused(factory: Factory, payload: Any, code: str) -> None:
    kind, status, found, message = refusal(factory.ask(FROM_CSR, payload))
    assert (kind, status, found) == ("rejected", 400, code)
    assert message


@pytest.fixture
def wider(aws: Aws) -> Iterator[Factory]:
    """A client with a policy that allows every template and format, as a careless operator would attach."""
    running, outputs = aws
    anything = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    device = running.device(policy={"Version": "2012-10-17", "Statement": [anything]})
    session = running.connect_device(device)
    yield listening(session, outputs)
    session.close()


def test_an_unknown_template_is_named(wider: Factory, tmp_path: Path) -> None:
    _, _, code, message = refusal(wider.register(token_of(wider, tmp_path), "nowhere", **described()))
    assert (code, message) == ("InvalidTemplate", "Template with name nowhere does not exist.")


@pytest.mark.parametrize(
    "topic",
    [
        "$aws/certificates/create/cbor",
        "$aws/certificates/create-from-csr/cbor",
        "$aws/provisioning-templates/telemetry-claim/provision/cbor",
    ],
)
def test_cbor_is_refused_by_name(wider: Factory, topic: str) -> None:
    _, _, code, message = refusal(wider.ask(topic, b"\xa0"))
    assert code == "UnsupportedPayloadFormat"
    assert ".../json" in message
