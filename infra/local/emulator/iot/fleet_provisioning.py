"""Fleet provisioning over MQTT: what stock ministack lacks of it, in JSON.

AWS IoT Core developer guide: "Device provisioning MQTT API". Stock ministack has CreateKeysAndCertificate and
RegisterThing; this adds CreateCertificateFromCsr, refuses CBOR by name, and takes an ownership token once.
"""

import json
import secrets
import time
from typing import Any

from ministack.core.responses import request_scope
from ministack.core.x509_utils import get_certificate_id, sign_certificate_request
from ministack.services import iot

_CSR_TOPIC = "$aws/certificates/create-from-csr/json"
_FROM_CSR, _CBOR = "create-from-csr", "cbor"

Reply = tuple[str, dict[str, Any]]

_stock_parse = iot._parse_fleet_provisioning_topic
_stock_reply = iot._fleet_provisioning_reply
_in_use: set[str] = set()


def install() -> None:
    """Replace which topics are requests, and how they are answered."""
    iot._parse_fleet_provisioning_topic = _parse_topic
    iot._fleet_provisioning_reply = _reply


def _parse_topic(topic: str) -> tuple[str, str | None] | None:
    """The operation and its template's name; None if the topic is no request of this API."""
    if topic == _CSR_TOPIC:
        return _FROM_CSR, None
    as_json = topic.removesuffix("/cbor") + "/json"
    if topic.endswith("/cbor") and (as_json == _CSR_TOPIC or _stock_parse(as_json)):
        return _CBOR, None
    parsed: tuple[str, str | None] | None = _stock_parse(topic)
    return parsed


async def _reply(
    account_id: str, region: str, operation: str, template: str | None, payload: bytes, connection: dict[str, Any]
) -> Reply:
    """The reply's last topic level (accepted, rejected) and its document."""
    if operation == _CBOR:
        # In JSON on purpose: who debugs this sees it, and no device can take it for a certificate.
        return _rejected(
            "UnsupportedPayloadFormat", "The local AWS provisions in JSON: publish to .../json, not .../cbor"
        )
    if operation == _FROM_CSR:
        return _create_from_csr(account_id, region, payload)
    if operation == "provision":
        return await _register(account_id, region, template, payload, connection)
    reply: Reply = await _stock_reply(account_id, region, operation, template, payload, connection)
    return reply


def _create_from_csr(account_id: str, region: str, payload: bytes) -> Reply:
    """CreateCertificateFromCsr: a certificate pending activation, and the token that RegisterThing takes for it."""
    request = _document(payload)
    if request is None:
        return _rejected("InvalidPayload", "Message cannot be parsed")
    csr = request.get("certificateSigningRequest")
    if not isinstance(csr, str) or not csr:
        return _rejected("InvalidPayload", "certificateSigningRequest must be a CSR in PEM format")
    try:
        pem = sign_certificate_request(*iot._ensure_ca(), csr)
    except ValueError as error:
        return _rejected("InvalidCertificateSigningRequest", f"CSR violates constraints: {error}")
    certificate_id, token = get_certificate_id(pem), secrets.token_urlsafe(48)
    with request_scope(account_id, region):
        iot._certificates[certificate_id] = iot._certificate_record(certificate_id, pem, "PENDING_ACTIVATION")
        iot._drop_expired(iot._ownership_tokens)
        iot._ownership_tokens[token] = {
            "certificateId": certificate_id,
            "expiration": time.time() + iot._OWNERSHIP_TOKEN_SECONDS,
        }
    return "accepted", {"certificateId": certificate_id, "certificatePem": pem, "certificateOwnershipToken": token}


async def _register(
    account_id: str, region: str, template: str | None, payload: bytes, connection: dict[str, Any]
) -> Reply:
    """RegisterThing. A token that was accepted is spent: AWS does not say, and twice would be two things of one key."""
    token = (_document(payload) or {}).get("certificateOwnershipToken")
    if not isinstance(token, str):
        reply: Reply = await _stock_reply(account_id, region, "provision", template, payload, connection)
        return reply
    if token in _in_use:
        return _rejected("InvalidCertificateOwnershipToken", "Certificate ownership token is in use.")
    _in_use.add(token)
    try:
        kind, document = await _stock_reply(account_id, region, "provision", template, payload, connection)
    finally:
        _in_use.discard(token)
    if kind == "accepted":
        with request_scope(account_id, region):
            iot._ownership_tokens.pop(token, None)
    return kind, document


def _document(payload: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(payload)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _rejected(code: str, message: str) -> Reply:
    reply: Reply = iot._fleet_rejected(code, message)
    return reply
