"""A producer: takes telemetry messages of any number of devices, and puts them to its stream.

    message = {"v": 1, "device_id": "pump-17", "readings": [{"ts": 1764460800000, "seq": 1, "flow_rate": 3.2}]}
    with Producer("telemetry-producer-gateway", Path("spool/gateway.db")) as producer:
        producer.send("pump-17", message)

What `send` has returned for is on disk and reaches the stream at least once, whatever is killed meanwhile: who opens
the spool next goes on. A message's identity is its own (device, ts, seq of its readings), so that the pipeline counts
what was sent twice as duplicates.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from iot_pipeline.contract.identifiers import DEVICE_NAME
from iot_pipeline.producer.encoding import Encoding, encoded
from iot_pipeline.producer.lanes import Lanes, Parcel
from iot_pipeline.producer.put import RECORDS_PER_CALL, put_once
from iot_pipeline.producer.spool import Message, Spool

Payload = bytes | Mapping[str, Any]
# What is in memory at most, of all lanes, whichever comes first; the rest waits in the spool.
_IN_MEMORY, _LOAD = 20_000, 5_000
_IN_MEMORY_BYTES = 64 * 1024 * 1024
_DAY_MS = 86_400_000


class ProducerError(RuntimeError):
    """The producer cannot go on; what is not on the stream is in the spool."""


class SpoolFullError(ProducerError):
    """The spool has no room, and got none in time: the stream takes less than is sent, or cannot be reached."""


class Producer:
    """Sends from several threads. Use it as a context manager, or call `close`."""

    def __init__(
        self,
        stream: str,
        spool: Path,
        *,
        kinesis: Any = None,
        encoding: Encoding = Encoding.NONE,
        linger_seconds: float = 0.1,
        spool_bytes: int = 1 << 30,
        patience_seconds: float = 60.0,
        give_up_ms: int = _DAY_MS,
        connections: int = 4,
        on_given_up: Callable[[Message, str], None] | None = None,
    ) -> None:
        """Open the spool and begin to send what is in it.

        `stream` is the producer's own (docs/producers.md). `encoding` is how payloads are compressed. A call waits up
        to `linger_seconds` for more messages. Over `spool_bytes` of payloads, `send` waits up to `patience_seconds`. A
        message that Kinesis has not taken `give_up_ms` after it was spooled is set aside in the spool, and
        `on_given_up` is called with it and the last error's code, from a thread of the producer's.
        Raises SpoolInUseError.
        """
        config = Config(max_pool_connections=connections, retries={"total_max_attempts": 1, "mode": "standard"})
        self._kinesis = kinesis or boto3.client("kinesis", config=config)
        self._stream, self._encoding, self._on_given_up = stream, encoding, on_given_up
        self._linger, self._patience, self._most = linger_seconds, patience_seconds, spool_bytes
        self._give_up_ms = give_up_ms
        self._spool, self._lanes = Spool(spool), Lanes()
        self._changed = threading.Condition()
        self._loaded_id, self._loaded_bytes = 0, 0
        self._flushing, self._closed = 0, False
        self._began_waiting: float | None = None
        self._error: Exception | None = None
        self.acknowledged, self.repeated, self.given_up = 0, 0, 0
        # The code of the last error for which a record was sent again.
        self.last_code: str | None = None
        self._threads = [threading.Thread(target=self._run, name=f"producer-{n}") for n in range(connections)]
        for thread in self._threads:
            # A program that forgets `close` ends all the same; the spool has what is left.
            thread.daemon = True
            thread.start()

    def __enter__(self) -> "Producer":
        return self

    def __exit__(self, kind: Any, *_exception: Any) -> None:
        # After an error of the program there is no use in waiting for the stream.
        self.close(flush=kind is None)

    @property
    def spooled(self) -> int:
        """How many messages are not on the stream."""
        return self._spool.messages

    def send(self, device: str, payload: Payload) -> None:
        """Take one message of a device, as `send_many`."""
        self.send_many([(device, payload)])

    def send_many(self, messages: Iterable[tuple[str, Payload]]) -> None:
        """Take messages, all or none; returns once they are on disk.

        A payload is a telemetry message of the contract: a mapping, which becomes JSON, or the bytes of one in any
        encoding that the intake reads. Raises ValueError for a device id that the registry cannot have and for a
        payload that is too large or no JSON, SpoolFullError, and ProducerError when the stream refuses the producer.
        """
        ready = [(checked_device(device), encoded(payload, self._encoding)) for device, payload in messages]
        size = sum(len(payload) for _device, payload in ready)
        if size > self._most:
            raise ValueError(f"{size} bytes at once, which a spool of {self._most} can never take: send fewer messages")
        with self._changed:
            deadline = time.monotonic() + self._patience
            while self._spool.bytes + size > self._most:
                self._check()
                left = deadline - time.monotonic()
                if left <= 0:
                    raise SpoolFullError(
                        f"the spool has held {self._spool.bytes} bytes for {self._patience} s; try later"
                    )
                self._changed.wait(left)
            self._check()
            self._spool.append(ready, int(time.time() * 1000))
            self._changed.notify()

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was sent is on the stream or given up. Raises TimeoutError, ProducerError."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            self._flushing += 1
            try:
                self._changed.notify_all()
                while self._spool.messages:
                    self._check()
                    left = None if deadline is None else deadline - time.monotonic()
                    if left is not None and left <= 0:
                        raise TimeoutError(f"{self._spool.messages} messages are not on the stream after {timeout} s")
                    self._changed.wait(left)
            finally:
                self._flushing -= 1

    def close(self, *, flush: bool = True) -> None:
        """Flush, and end; without `flush`, what is left stays in the spool. Raises ProducerError as `flush`."""
        try:
            if flush and not self._closed:
                self.flush()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            for thread in self._threads:
                thread.join()
            self._spool.close()

    def _check(self) -> None:
        if self._error is not None:
            raise ProducerError(f"{self._stream}: {self._error}; the spool keeps what is left") from self._error
        if self._closed:
            raise ProducerError("the producer is closed")

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    parcels = self._next_call()
                if not parcels:
                    return
                codes = put_once(self._kinesis, self._stream, [parcel.entry() for parcel in parcels])
                self._settle(parcels, codes)
        except Exception as error:  # noqa: BLE001  whatever ends this thread has to end the waiting of the others
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()

    def _next_call(self) -> list[Parcel]:
        """Wait for a call that is due; none when the producer ends. Raises sqlite3.Error."""
        while not self._closed and self._error is None:
            self._load()
            ready = self._lanes.ready()
            now = time.monotonic()
            if not ready:
                self._began_waiting = None
                self._changed.wait(self._lanes.due_in())
                continue
            self._began_waiting = self._began_waiting or now
            left = self._began_waiting + self._linger - now
            if ready >= RECORDS_PER_CALL or left <= 0 or self._flushing or self._is_backlog():
                self._began_waiting = None
                return self._lanes.take()
            self._changed.wait(left)
        return []

    def _is_backlog(self) -> bool:
        return self._lanes.messages >= _IN_MEMORY // 2

    def _load(self) -> None:
        """Read on in the spool while memory has room."""
        while self._lanes.messages < _IN_MEMORY - _LOAD and self._loaded_bytes < _IN_MEMORY_BYTES:
            messages = self._spool.after(self._loaded_id, _LOAD, _IN_MEMORY_BYTES - self._loaded_bytes)
            if not messages:
                return
            self._loaded_id = messages[-1].id
            self._loaded_bytes += sum(len(message.payload) for message in messages)
            self._lanes.add(messages)

    def _settle(self, parcels: list[Parcel], codes: list[str | None]) -> None:
        """Note what became of a call's parcels. Raises sqlite3.Error, and what `on_given_up` raises."""
        too_old = int(time.time() * 1000) - self._give_up_ms
        put: list[Message] = []
        lost: list[tuple[Message, str]] = []
        # A call has one parcel of a device at most.
        again: set[str] = set()
        for parcel, code in zip(parcels, codes, strict=True):
            if code is None:
                put += parcel.messages
            elif parcel.messages[-1].taken_ms < too_old:
                self._spool.give_up(parcel.messages, code)
                lost += [(message, code) for message in parcel.messages]
            else:
                again.add(parcel.device)
                self.last_code = code
        self._spool.remove(put)
        with self._changed:
            for parcel in parcels:
                if parcel.device in again:
                    self._lanes.failed(parcel)
                else:
                    self._lanes.done(parcel)
                    self._loaded_bytes -= sum(len(message.payload) for message in parcel.messages)
            self.acknowledged += len(put)
            self.given_up += len(lost)
            self.repeated += len(again)
            self._changed.notify_all()
        for message, code in lost:
            if self._on_given_up is not None:
                self._on_given_up(message, code)


def checked_device(device: str) -> str:
    """The device's id, which is its partition key. Raises ValueError for what no device in the registry is called."""
    if not isinstance(device, str) or not DEVICE_NAME.fullmatch(device):
        raise ValueError(
            f"device {device!r}: expected the device's id in the registry, 1 to 128 of the characters a-z A-Z 0-9 : _ -"
        )
    return device
