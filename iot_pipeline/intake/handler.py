"""The Lambda function on the producers' streams: from a producer's record to the line that a device's message becomes.

Who sent a record is who may put to its stream: one producer's role. Tenant and site come from the registry's thing of
the device that the record's partition key names, and have to be among the producer's. No part of the envelope comes
from the record's data.

A payload that cannot be read goes on as it came, in base64, under the device that it is of, so that the lake's books
have it. What is of no device of the producer's goes to the bucket of refused records, with its reason.
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from iot_pipeline.contract.contract import MAX_MESSAGE_BYTES
from iot_pipeline.contract.raw_line import Origin, raw_line
from iot_pipeline.edge import telemetry
from iot_pipeline.intake.devices import Devices, Place
from iot_pipeline.intake.environment import IntakeSettings, Producer, WrongSettingError, intake_settings
from iot_pipeline.intake.forwarding import Line, forward
from iot_pipeline.intake.payloads import Flaw, UnreadablePayloadError, payload_of
from iot_pipeline.intake.refusals import CONNECTIONS, Refusal, Refusals
from iot_pipeline.intake.sent import Sent, sent_in

# Of the function's timeout, so that what is left can be told.
_FORWARD_SECONDS = 25.0
UNKNOWN_DEVICE, FOREIGN_TENANT, FOREIGN_SITE = "unknown_device", "foreign_tenant", "foreign_site"
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Intake:
    """Takes batches of one producer's stream."""

    def __init__(self, settings: IntakeSettings, kinesis: Any, iot: Any, s3: Any) -> None:
        self._settings, self._kinesis = settings, kinesis
        self._devices, self._refusals = Devices(iot), Refusals(s3, settings.refused_bucket)

    def take(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Take one event of a mapping; its partial batch response. Raises botocore's errors."""
        began, batch = time.perf_counter(), event["Records"]
        producer = self._producer(batch[0]["eventSourceARN"])
        sent = [each for position, record in enumerate(batch) for each in sent_in(position, record)]
        places = self._devices.places(each.record.partition_key for each in sent)
        lines, refused, unreadable = [], [], Counter[str]()
        for each in sent:
            outcome = _judged(each, producer, places[each.record.partition_key], unreadable)
            if isinstance(outcome, Line):
                lines.append(outcome)
            else:
                refused.append(Refusal(each, outcome))
        self._refusals.keep(producer.name, refused)
        left = forward(self._kinesis, self._settings.stream, lines, _FORWARD_SECONDS)
        counts = {"received": len(sent), "forwarded": len(lines) - len(left), "refused": len(refused)}
        counts["unreadable"] = unreadable.total()
        reasons = unreadable + Counter(each.reason for each in refused)
        self._tell(producer, counts, reasons, time.perf_counter() - began)
        if not left:
            return {"batchItemFailures": []}
        first = batch[left[0].position]["kinesis"]["sequenceNumber"]
        log.error("%s: %d lines wait; the batch is tried again from %s on", producer.name, len(left), first)
        return {"batchItemFailures": [{"itemIdentifier": first}]}

    def _producer(self, stream_arn: str) -> Producer:
        producer = self._settings.producers.get(stream_arn)
        if producer is None:
            raise WrongSettingError(f"IOT_PRODUCERS has no {stream_arn}, whose records a mapping hands over")
        return producer

    def _tell(self, producer: Producer, counts: Mapping[str, int], reasons: Counter[str], seconds: float) -> None:
        metrics = {**counts, "duration_ms": round(seconds * 1000, 1)}
        namespace = self._settings.metric_namespace
        telemetry.emit(namespace, "intake", metrics, producer=producer.name, reasons=dict(reasons))


def _judged(sent: Sent, producer: Producer, place: Place | None, unreadable: Counter[str]) -> Line | str:
    """The line of a user record, or why it is refused; a line whose payload could not be read is counted."""
    if place is None:
        return UNKNOWN_DEVICE
    if place.tenant != producer.tenant:
        return FOREIGN_TENANT
    if place.site not in producer.sites:
        return FOREIGN_SITE
    device, payload = sent.record.partition_key, sent.record.data
    try:
        payload = payload_of(payload)
    except UnreadablePayloadError as error:
        log.warning(
            "%s, record %s-%d of %s: %s: %s", producer.name, sent.sequence, sent.part, device, error.flaw, error
        )
        if len(payload) > MAX_MESSAGE_BYTES:
            return Flaw.TOO_LARGE
        unreadable[error.flaw] += 1
    client, trace = f"producer:{producer.name}", f"{sent.sequence}-{sent.part}"
    origin = Origin(place.tenant, place.site, device, sent.received_ms, client, trace)
    return Line(sent.position, device, raw_line(payload, origin))


@cache
def _intake() -> Intake:
    config = Config(max_pool_connections=CONNECTIONS, retries={"max_attempts": 3, "mode": "standard"})
    # Of PutRecords, `forward` itself repeats what failed.
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    kinesis, iot = boto3.client("kinesis", config=once), boto3.client("iot", config=config)
    return Intake(intake_settings(), kinesis, iot, boto3.client("s3", config=config))


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """What AWS Lambda calls."""
    return _intake().take(event)
