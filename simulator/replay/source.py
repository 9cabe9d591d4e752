"""The messages of a replay, and what is expected of each of their readings."""

import math
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from iot_pipeline.contract import CONTRACT, METRICS, Reason
from simulator.encode import encode, iso_time, message
from simulator.fleet import Device
from simulator.generator import Batch, OutMessage
from simulator.outbox import Outbox
from simulator.replay.columns import Mapped
from simulator.replay.readings import CsvReading, canonical
from simulator.rows import VALID, Row, rows_table

_BATCH_MESSAGES = 40
_BORDER_MS = 60_000
_METRICS = {metric.name: metric for metric in METRICS}


class ReplaySource:
    """The batches of a replay, as fast as the broker acknowledges."""

    paced = False

    def __init__(
        self,
        outbox: Outbox,
        device: Device,
        mapped: tuple[Mapped, ...],
        readings: Iterator[CsvReading],
        count: int,
        pack: int,
        lateness_bound: timedelta,
        sent_ms: int,
        window: int,
    ) -> None:
        """Replay `count` readings as a device at time `sent_ms` (epoch milliseconds).

        Of readings older than `lateness_bound` by then quarantine is expected. Message numbers go on from the outbox's;
        the device's own sequence numbers are not touched.
        """
        self._device, self._mapped, self._readings, self._left, self._pack = device, mapped, readings, count, pack
        self._earliest_ms = sent_ms - round(lateness_bound.total_seconds() * 1000)
        self._sequences: dict[str, Any] = outbox.get("sequences") or {}
        self._seq, self._number = self._sequences.get(device.device_id, (1, 1))
        self._sent_ms, self._window = sent_ms, window
        # Readings so close to the lateness bound that their fate depends on when exactly they arrive, of those so far.
        self.borderline = 0

    @property
    def finished(self) -> bool:
        """Whether the file is through."""
        return self._left <= 0

    @property
    def messages_left(self) -> int:
        """Messages still to be made."""
        return math.ceil(self._left / self._pack)

    def ready(self, queued: int) -> bool:
        """Before the publisher's window runs dry."""
        return queued < self._window

    def next_batch(self) -> tuple[Batch, dict[str, Any]]:
        """The next messages, and the message numbers to store with them."""
        messages: list[OutMessage] = []
        tables = []
        for pack in self._packs():
            content = message(self._device, self._sent_ms, [self._body(reading) for reading in pack])
            messages.append(OutMessage(0, self._number, encode(self._device, content), self._sent_ms))
            self._number += 1
            rows = rows_table([self._row(reading) for reading in pack])
            count = len(pack)
            tables.append(
                rows.append_column("message_index", pa.array([len(messages) - 1] * count, pa.int32())).append_column(
                    "position", pa.array(np.arange(1, count + 1, dtype=np.int32))
                )
            )
        self._sequences[self._device.device_id] = (self._seq, self._number)
        return Batch(messages, pa.concat_tables(tables)), {"sequences": self._sequences}

    def _packs(self) -> Iterator[list[CsvReading]]:
        for _ in range(_BATCH_MESSAGES):
            pack = list(islice(self._readings, self._pack))
            self._left -= len(pack)
            self.borderline += sum(0 <= reading.ts_ms - self._earliest_ms < _BORDER_MS for reading in pack)
            if not pack:
                self._left = 0
                return
            yield pack
            if self.finished:
                # The end of the readings is reached as well: they raise if the file was changed meanwhile.
                next(self._readings, None)
                return

    def _body(self, reading: CsvReading) -> dict[str, Any]:
        body: dict[str, Any] = {"ts": iso_time(reading.ts_ms), "seq": reading.seq}
        units = {}
        for item, value in zip(self._mapped, reading.values, strict=True):
            if value is not None:
                body[item.metric.name] = value
                if item.unit.symbol != item.metric.unit:
                    units[item.metric.name] = item.unit.symbol
        return body | ({"unit": units} if units else {})

    def _row(self, reading: CsvReading) -> Row:
        row = Row(reading.ts_ms, reading.seq, canonical(self._mapped, reading))
        reason = self._reason(row)
        return row if reason == VALID else row.quarantined("replay", Reason(reason))

    def _reason(self, row: Row) -> str:
        """`valid` or the first reason that applies, of those that a replayed reading can have."""
        if row.ts_ms is not None and row.ts_ms < self._earliest_ms:
            return Reason.TOO_LATE
        if row.ts_ms is not None and row.ts_ms > self._sent_ms + round(CONTRACT.future_bound.total_seconds() * 1000):
            return Reason.IN_FUTURE
        if any(not _METRICS[name].minimum <= value <= _METRICS[name].maximum for name, value in row.values.items()):
            return Reason.OUT_OF_RANGE
        return VALID
