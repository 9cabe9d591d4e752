"""What devices sent, where it is kept packed: in base64, compressed, as CBOR, several records in one."""

import base64
import binascii
import re
from collections.abc import Iterator

from iot_pipeline.contract.aggregation import user_records
from iot_pipeline.intake.payloads import UnreadablePayloadError, payload_of

# Fields that hold in base64 what a device sent: the rules' envelope, Firehose, Lambda's record of a failure, IoT Core's
# error actions, the intake's refusals, the streaming job's. In a JSON text within a JSON text the quotes are escaped.
_PACKED = re.compile(
    rb'\\*"(?:iot_payload|payload_base64|rawData|data|base64OriginalPayload|payload)\\*"\s*:\s*'
    rb'\\*"([A-Za-z0-9+/]{8,}={0,2})'
)


def unpacked(data: bytes) -> Iterator[bytes]:
    """A text, and everything that is packed within it. What cannot be unpacked is left out: it is in the text."""
    yield data
    for found in _PACKED.finditer(data):
        try:
            inner = base64.b64decode(found[1])
        except binascii.Error:
            continue
        yield from unpacked(inner)
        yield from _sent(inner)


def _sent(data: bytes) -> Iterator[bytes]:
    """The messages of a record of a stream, as the devices would have sent them, and whose key each has."""
    for record in user_records("", data):
        yield record.partition_key.encode()
        try:
            message = payload_of(record.data)
        except UnreadablePayloadError:
            message = record.data
        if message != data:
            yield from unpacked(message)
