"""Firehose: delivery streams that buffer, compress and delimit, and lose nothing.

Amazon Data Firehose developer guide: "Configure buffering hints", "Amazon S3 object name format", "Custom prefixes
for Amazon S3 objects", "Data delivery retry". Stock ministack writes an object per record and forgets those it
cannot write. Two differences from AWS, both on purpose: an object never holds records of two arrival hours, and a
delivery that fails is retried for ever, not for 24 hours.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import firehose

from infra.local.emulator import s3
from infra.local.emulator.firehose import delivery_permissions as permissions
from infra.local.emulator.firehose import direct_put
from infra.local.emulator.firehose.destination import (
    DeliveryStreamError,
    arrival_slot,
    compressed,
    object_key,
    record_delimiter,
    s3_destination,
    validate_destination,
)
from infra.local.emulator.firehose.journal import Journal, StreamId, leftovers
from infra.local.emulator.firehose.processing import is_processed, processed
from infra.local.emulator.settings import EmulatorSettings
from iot_pipeline.contract.aggregation import user_records

TICK_SECONDS = 0.05
RETRY_CAP_SECONDS = 30.0
SHUTDOWN_SECONDS = 30.0
MEBIBYTE = 1 << 20
log = logging.getLogger("local_aws.firehose")
_stock_delete = firehose._delete_delivery_stream


@dataclass
class Delivery:
    """A closed journal on its way to S3."""

    journal: Journal
    attempts: int = 0
    not_before: float = 0.0


class Buffers:
    """The open journal of each delivery stream, the closed ones, and the thread that delivers them."""

    def __init__(self, root: Path, interval_scale: float) -> None:
        self.root = root
        self.interval_scale = interval_scale
        self.lock = threading.RLock()
        self.open: dict[StreamId, Journal] = {}
        self.closed = [Delivery(journal) for journal in leftovers(root)]
        self.wake = threading.Event()
        self.delivering = threading.Lock()

    def add(self, stream: Any, stream_id: StreamId, records: list[bytes], arrival: float) -> None:
        """Buffer records; they are on disk when this returns."""
        config = s3_destination(stream)
        limit = int((config.get("BufferingHints") or {}).get("SizeInMBs", 5)) * MEBIBYTE
        with self.lock:
            while records:
                journal = self.open.get(stream_id)
                if journal and (
                    journal.size >= limit
                    or arrival_slot(config, arrival) != arrival_slot(config, journal.first_arrival)
                ):
                    self._close(stream_id)
                    journal = None
                if journal is None:
                    journal = self.open[stream_id] = Journal.create(self.root, stream_id, arrival)
                count = _filling(records, limit - journal.size)
                journal.append(records[:count], arrival)
                records = records[count:]
                if journal.size >= limit:
                    self._close(stream_id)

    def _close(self, stream_id: StreamId) -> None:
        journal = self.open.pop(stream_id)
        journal.close()
        self.closed.append(Delivery(journal))
        self.wake.set()

    def close(self, stream_id: StreamId) -> None:
        """End a stream's journal, if it has one."""
        with self.lock:
            if stream_id in self.open:
                self._close(stream_id)

    def close_due(self, now: float, *, everything: bool = False) -> None:
        """End the journals whose interval is over."""
        with self.lock:
            for stream_id, journal in list(self.open.items()):
                if everything or now - journal.first_arrival >= self._interval(stream_id):
                    self._close(stream_id)

    def _interval(self, stream_id: StreamId) -> float:
        stream = find(stream_id)
        hints = (s3_destination(stream).get("BufferingHints") or {}) if stream else {}
        return float(hints.get("IntervalInSeconds", 300)) * self.interval_scale

    def deliver_due(self, *, at_once: bool = False) -> None:
        """Deliver what is closed and not waiting for its next attempt; a failure keeps its journal."""
        with self.delivering:
            with self.lock:
                due = [d for d in self.closed if at_once or d.not_before <= time.monotonic()]
            for delivery in due:
                self._attempt(delivery)

    def _attempt(self, delivery: Delivery) -> None:
        try:
            deliver(delivery.journal)
        except Exception as error:  # noqa: BLE001  nothing may end the delivering thread, nor lose a journal
            delivery.attempts += 1
            delivery.not_before = time.monotonic() + min(RETRY_CAP_SECONDS, 0.1 * 2**delivery.attempts)
            log.error(  # noqa: TRY400  the text names stream and cause; a traceback per retry would bury it
                "Firehose %s: delivery failed %d times (%s); %d bytes wait in %s",
                delivery.journal.stream.name,
                delivery.attempts,
                error,
                delivery.journal.size,
                delivery.journal.path,
            )
            _log_failure(delivery.journal.stream, error)
            return
        with self.lock:
            self.closed.remove(delivery)

    def run(self) -> None:
        """Deliver for as long as the process lives."""
        while True:
            self.wake.wait(TICK_SECONDS)
            self.wake.clear()
            self.close_due(time.time())
            self.deliver_due()


def _filling(records: list[bytes], room: int) -> int:
    """How many of the first records fill so many bytes, the one that passes them included."""
    for count, record in enumerate(records, 1):
        room -= len(record)
        if room <= 0:
            return count
    return len(records)


_buffers: Buffers
_deleted: dict[StreamId, Any] = {}


def install(settings: EmulatorSettings) -> None:
    """Replace delivery, and start the delivering thread with what an earlier process left."""
    global _buffers  # noqa: PLW0603  ministack calls module functions; there is one of these a process
    settings.firehose_dir.mkdir(parents=True, exist_ok=True)
    _buffers = Buffers(settings.firehose_dir, settings.firehose_interval_scale)
    firehose.ingest_from_kinesis_source = lambda arn, records: ingest(arn, [raw for _key, raw in records], time.time())
    firehose._deliver_records_to_s3 = _deliver_direct_put
    firehose._validate_s3_destination_config = validate_destination
    direct_put.install()
    firehose._delete_delivery_stream = firehose._HANDLERS["DeleteDeliveryStream"] = _delete_delivery_stream
    stock_load, stock_lifespan = app._load_persisted_state, app._handle_lifespan

    def load_then_deliver() -> None:
        stock_load()
        threading.Thread(target=_buffers.run, name="firehose", daemon=True).start()

    async def handle_lifespan(scope: Any, receive: Any, send: Any) -> None:
        async def receive_after_flush() -> Any:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(_flush)
            return message

        await stock_lifespan(scope, receive_after_flush, send)

    app._load_persisted_state = load_then_deliver
    app._handle_lifespan = handle_lifespan


def ingest(stream_arn: str, records: list[bytes], arrival: float) -> None:
    """Take records from a Kinesis stream for each delivery stream that reads it (in the current request scope).

    Firehose guide, "Writing to Amazon Data Firehose Using Kinesis Data Streams": where the Kinesis Producer Library has
    aggregated records, "Amazon Data Firehose de-aggregates the records before it delivers them to the destination".
    """
    records = [sent.data for record in records for sent in user_records("", record)]
    for name, stream in firehose._streams.items():
        source = stream.get("kinesis_source") or {}
        if source.get("KinesisStreamARN") == stream_arn and stream["type"] == "KinesisStreamAsSource":
            _buffers.add(stream, StreamId(get_account_id(), get_region(), name), records, arrival)


def put(name: str, records: list[bytes]) -> None:
    """Direct put, in the current request scope; raises DeliveryStreamError when there is no such stream."""
    stream = firehose._streams.get(name)
    if stream is None or stream["status"] != "ACTIVE":
        msg = f"Firehose PutRecord: there is no active delivery stream {name}"
        raise DeliveryStreamError(msg)
    if direct_put.reads_a_stream(stream):
        msg = f"Firehose PutRecord: {direct_put.NOT_PERMITTED} ({name})"
        raise DeliveryStreamError(msg)
    _buffers.add(stream, StreamId(get_account_id(), get_region(), name), records, time.time())


def find(stream_id: StreamId) -> Any:
    """The delivery stream's record (a deleted one's too, while records of it wait), or None."""
    stream = firehose._streams.get_scoped(stream_id.account_id, stream_id.region, stream_id.name)
    return stream or _deleted.get(stream_id)


def _flush() -> None:
    """Deliver everything now; what fails stays on disk for the next start."""
    _buffers.close_due(time.time(), everything=True)
    _buffers.deliver_due(at_once=True)
    s3.drain_events(SHUTDOWN_SECONDS)


def deliver(journal: Journal) -> None:
    """Write a journal's objects, mostly one, and remove it; raises when S3 does not take them.

    A repeated delivery overwrites those that an attempt before it has written.
    """
    stream = find(journal.stream)
    if stream is None:
        msg = f"the delivery stream does not exist (create it again, or remove {journal.path})"
        raise DeliveryStreamError(msg)
    config = s3_destination(stream)
    account_id, region = journal.stream.account_id, journal.stream.region
    bucket = firehose._s3_bucket_from_arn(config["BucketARN"])
    with request_scope(account_id, region):
        permissions.check_source(stream)
        for key, body in _objects(stream, config, journal):
            permissions.check_destination(stream, config, bucket, key)
            s3.put_object(account_id, region, bucket, key, body)
    journal.remove()


def _objects(stream: Any, config: Any, journal: Journal) -> Iterator[tuple[str, bytes]]:
    if is_processed(config):
        yield from processed(stream, config, journal)
        return
    delimiter = record_delimiter(config)
    body = b"".join(record.data + delimiter for record in journal.records())
    yield object_key(stream, config, journal), compressed(config, body)


def _log_failure(stream_id: StreamId, error: Exception) -> None:
    stream = find(stream_id)
    if stream is not None:
        with request_scope(stream_id.account_id, stream_id.region):
            permissions.log_failure(stream, s3_destination(stream), str(error))


def _deliver_direct_put(stream: Any, destination: Any, records: list[tuple[str, bytes]]) -> None:
    stream_id = StreamId(get_account_id(), get_region(), stream["name"])
    _buffers.add(stream, stream_id, [data for _id, data in records], time.time())
    destination["records"].clear()


def _delete_delivery_stream(data: Any) -> Any:
    """Delete the stream; what it holds is still delivered."""
    stream_id = StreamId(get_account_id(), get_region(), data.get("DeliveryStreamName", ""))
    stream = find(stream_id)
    response = _stock_delete(data)
    if response[0] < 400:
        _deleted[stream_id] = stream
        _buffers.close(stream_id)
    return response
