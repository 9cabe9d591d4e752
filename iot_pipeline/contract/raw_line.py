"""A line of the raw zone, made where no IoT rule makes it: of what is replayed, sent without MQTT or imported."""

import base64
import json
from dataclasses import dataclass
from typing import NoReturn

from iot_pipeline.contract.envelope import CLIENT, DEVICE, PAYLOAD, RECEIVED_AT, SITE, TENANT, TRACE


@dataclass(frozen=True)
class Origin:
    """Where a message comes from, as whoever lets it in has proved it; never as the payload says.

    `received_at_ms` is the time of arrival, epoch milliseconds UTC; `client` who sent it; `trace` an id of the message.
    """

    tenant: str
    site: str
    device: str
    received_at_ms: int
    client: str | None
    trace: str


def raw_line(payload: bytes, origin: Origin) -> bytes:
    """The line that the IoT rules would make of this payload, without a newline at its end.

    A JSON object with a field `readings` keeps its own bytes, so that its numbers stay as they were sent; the envelope
    comes last, and the last of equal keys counts. Anything else is wrapped as base64.
    """
    envelope = {
        TENANT.name: origin.tenant,
        SITE.name: origin.site,
        DEVICE.name: origin.device,
        RECEIVED_AT.name: origin.received_at_ms,
        CLIENT.name: origin.client,
        TRACE.name: origin.trace,
    }
    if not _has_readings(payload):
        return json.dumps(envelope | {PAYLOAD.name: base64.b64encode(payload).decode()}).encode()
    # JSON has newlines between its tokens only: within a text they are refused.
    text = payload.strip().replace(b"\r", b" ").replace(b"\n", b" ")
    return text[:-1] + b"," + json.dumps(envelope).encode()[1:]


def _has_readings(payload: bytes) -> bool:
    try:
        # Decoded here, since json.loads takes UTF-16 and UTF-32 too, whose bytes are no line.
        # As floats whole numbers may have any number of digits.
        message = json.loads(payload.decode(), parse_int=float, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and "readings" in message


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
