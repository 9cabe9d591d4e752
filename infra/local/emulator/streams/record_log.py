"""A shard's records in files, which AWS keeps for the stream's retention."""

import base64
import struct
import threading
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.local.emulator.file_log import FileLog

Record = dict[str, Any]

records_lock = threading.Lock()


class RecordLog(FileLog[Record]):
    """The records of a shard as ministack reads a list of them; who finds places and reads holds `records_lock`."""

    # Bytes of the data and of the partition key, seconds since 1970, ministack's sequence number of 30 digits.
    header = struct.Struct("<IId30s")

    def __init__(self, folder: Path, first: int = 0) -> None:
        """Those of a folder, without the ones before the record of number `first` since the shard's beginning."""
        super().__init__(folder, first)
        self._last = str(self[-1]["SequenceNumber"]) if len(self) else ""

    @property
    def last(self) -> str:
        """The highest sequence number that was here when it was opened or came since; "" when there was none."""
        return self._last

    def appended(self, items: Sequence[Record]) -> None:
        """The sequence numbers of records are higher than all before."""
        self._last = str(items[-1]["SequenceNumber"])

    def after(self, sequence_number: str) -> int:
        """The place of the first record whose sequence number is higher."""
        if sequence_number >= self._last:
            return len(self)
        return bisect_right(self, sequence_number, key=lambda record: str(record["SequenceNumber"]))

    def body_bytes(self, fields: tuple[Any, ...]) -> int:
        """Of the data and the partition key."""
        return int(fields[0] + fields[1])

    def frame(self, item: Record) -> bytes:
        """Raises ValueError for a sequence number that is none of ministack's."""
        data, key = record_bytes(item), str(item["PartitionKey"]).encode()
        number = str(item["SequenceNumber"]).encode()
        if len(number) != 30:
            msg = f"Sequence number {item['SequenceNumber']} is none of ministack's, which have 30 digits"
            raise ValueError(msg)
        return self.header.pack(len(data), len(key), item["ApproximateArrivalTimestamp"], number) + data + key

    def item(self, frame: memoryview) -> Record:
        """The record of a frame."""
        data_bytes, _key_bytes, arrival, number = self.header.unpack_from(frame)
        body = frame[self.header.size :]
        return {
            "SequenceNumber": number.decode(),
            "ApproximateArrivalTimestamp": arrival,
            "Data": bytes(body[:data_bytes]),
            "PartitionKey": bytes(body[data_bytes:]).decode(),
        }


def record_bytes(record: Record) -> bytes:
    """A record's data, which ministack keeps as base64 text where it writes itself."""
    data = record["Data"]
    return data if isinstance(data, bytes) else base64.b64decode(data)
