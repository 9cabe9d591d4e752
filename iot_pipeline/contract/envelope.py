"""The envelope: what the IoT rules add to each message. Rules, tables, transformation and judge take its names here.

No payload can forge it. A rule's own field takes the place of a field of the same name that a device sent, and names
are read in their exact case. PAYLOAD is added by the one rule that takes what has no field `readings`, and is read only
where there is none: a device that sends `readings` cannot reach that rule, and one that does not gets all it sent
wrapped in base64.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class EnvelopeField:
    """A field of the envelope.

    `type` is its Glue type, `source` the expression of AWS IoT SQL that makes it (AWS IoT developer guide,
    "Functions"), `meaning` what a person reads beside it.
    """

    name: str
    type: str
    source: str
    meaning: str


TENANT = EnvelopeField("iot_tenant", "string", "topic(2)", "Tenant, from the topic")
SITE = EnvelopeField("iot_site", "string", "topic(3)", "Site, from the topic")
DEVICE = EnvelopeField("iot_device", "string", "topic(4)", "Device, from the topic; the certificate's policy proves it")
RECEIVED_AT = EnvelopeField(
    "iot_received_at", "bigint", "timestamp()", "Time of arrival at the broker, epoch milliseconds UTC"
)
CLIENT = EnvelopeField("iot_client", "string", "clientid()", "MQTT client id")
TRACE = EnvelopeField("iot_trace", "string", "traceid()", "The broker's id of the message")
PAYLOAD = EnvelopeField(
    "iot_payload", "string", "encode(*, 'base64')", "Base64 of the payload, where it was not a telemetry message"
)

# Both rules add these; the rule for what is not telemetry adds PAYLOAD as well.
ADDED = (TENANT, SITE, DEVICE, RECEIVED_AT, CLIENT, TRACE)
ENVELOPE = (*ADDED, PAYLOAD)
