"""A shard's records in files, and in memory only where each begins: eight bytes a record.

AWS keeps a stream's records for its retention; here they shall not grow the process. A file holds some megabytes of
records, is named by the number of its first one since the shard's beginning, is only appended to, and is removed once
all of its records are dropped. Nothing is synced to the disk: records outlive a killed process, not a crash of the
machine.
"""

import base64
import errno
import struct
import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

# Where a file ends and the next one begins, and how much of one is read at once.
FILE_BYTES = 4 << 20
READ_BYTES = 256 << 10
# Bytes of the data and of the partition key, seconds since 1970, ministack's sequence number of 30 digits.
_HEADER = struct.Struct("<IId30s")
_SUFFIX = ".records"

Record = dict[str, Any]

records_lock = threading.Lock()


class _File:
    """One file: the number of its first record, where each of its records begins, and where the next one will."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = int(path.name.removesuffix(_SUFFIX))
        self.offsets = array("Q", [0])
        self._end: FileIO | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def append(self, frames: Sequence[bytes]) -> None:
        self._end = self._end or FileIO(self.path, "ab")
        body = b"".join(frames)
        if self._end.write(body) != len(body):
            self._end.truncate(self.offsets[-1])
            raise OSError(errno.ENOSPC, "no room for a stream's records: free some, or put less", str(self.path))
        for frame in frames:
            self.offsets.append(self.offsets[-1] + len(frame))

    def close(self) -> None:
        """End appending for now."""
        if self._end is not None:
            self._end.close()
        self._end = None

    def read(self, start: int, end: int) -> Iterator[Record]:
        """The records of these places in the file."""
        with self.path.open("rb") as file:
            while start < end:
                until = max(start + 1, bisect_right(self.offsets, self.offsets[start] + READ_BYTES, hi=end + 1) - 1)
                file.seek(self.offsets[start])
                content = memoryview(file.read(self.offsets[until] - self.offsets[start]))
                base = self.offsets[start]
                for begin, stop in pairwise(self.offsets[start : until + 1]):
                    yield _record(content[begin - base : stop - base])
                start = until

    def scan(self) -> None:
        """Find the records of a file of an earlier process; what a killed one has cut short is removed."""
        size = self.path.stat().st_size
        with self.path.open("r+b") as file:
            while len(header := file.read(_HEADER.size)) == _HEADER.size:
                data_bytes, key_bytes, *_ = _HEADER.unpack(header)
                end = self.offsets[-1] + _HEADER.size + data_bytes + key_bytes
                if end > size:
                    break
                self.offsets.append(end)
                file.seek(end)
            file.truncate(self.offsets[-1])


class RecordLog(Sequence[Record]):
    """The records of a shard as ministack reads a list of them, oldest first; a copy of it is what its state keeps.

    Records may be appended at any time. Who finds places and reads them holds `records_lock`, since `drop`, which is
    called with it too, shifts them.
    """

    def __init__(self, folder: Path, first: int = 0) -> None:
        """Those of a folder, without the ones before the record of number `first` since the shard's beginning."""
        self._folder = folder
        self._first = first
        self._appending = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._files = [_File(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))] or [self._file(first)]
        for file in self._files:
            file.scan()
        end = self._files[-1].first + len(self._files[-1])
        self._first = min(max(first, self._files[0].first), end)
        self._last = str(self[-1]["SequenceNumber"]) if len(self) else ""

    @property
    def last(self) -> str:
        """The highest sequence number that was here when it was opened or came since; "" when there was none."""
        return self._last

    def append(self, record: Record) -> None:
        """As of a list; ministack itself does so."""
        self.extend([record])

    def extend(self, records: Iterable[Record]) -> None:
        """Append records, whose sequence numbers are higher than all before."""
        records = list(records)
        if not records:
            return
        with self._appending:
            file = self._files[-1]
            if file.offsets[-1] >= FILE_BYTES:
                file.close()
                file = self._file(file.first + len(file))
                self._files.append(file)
            file.append([_frame(record) for record in records])
            self._last = str(records[-1]["SequenceNumber"])

    def drop(self, count: int) -> None:
        """Remove the oldest records."""
        self._first += count
        with self._appending:
            while len(self._files) > 1 and self._files[1].first <= self._first:
                self._files.pop(0).path.unlink()

    def after(self, sequence_number: str) -> int:
        """The place of the first record whose sequence number is higher."""
        if sequence_number >= self._last:
            return len(self)
        return bisect_right(self, sequence_number, key=lambda record: str(record["SequenceNumber"]))

    def beyond(self, size: int) -> int:
        """How many of the oldest records are in files that the newest `size` bytes do without."""
        kept = 0
        for file in reversed(self._files):
            if kept >= size:
                return max(0, file.first + len(file) - self._first)
            kept += file.offsets[-1]
        return 0

    def between(self, start: int, end: int) -> Iterator[Record]:
        """The records from a place to another, read as they are asked for."""
        number, until = self._first + start, self._first + min(end, len(self))
        for file in list(self._files):
            stop = min(until, file.first + len(file))
            if number < stop:
                yield from file.read(number - file.first, stop - file.first)
                number = stop

    def __len__(self) -> int:
        file = self._files[-1]
        return max(0, file.first + len(file) - self._first)

    @overload
    def __getitem__(self, place: int) -> Record: ...

    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...

    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        if isinstance(place, slice):
            start, end, step = place.indices(len(self))
            return list(self.between(start, end))[::step] if step > 0 else list(self)[place]
        count = len(self)
        if not -count <= place < count:
            raise IndexError(place)
        place %= count
        return next(self.between(place, place + 1))

    def __iter__(self) -> Iterator[Record]:
        return self.between(0, len(self))

    def __deepcopy__(self, _memo: Any) -> dict[str, int]:
        return {"first": self._first}

    def _file(self, first: int) -> _File:
        file = _File(self._folder / f"{first:020d}{_SUFFIX}")
        file.path.touch()
        return file


def record_bytes(record: Record) -> bytes:
    """A record's data, which ministack keeps as base64 text where it writes itself."""
    data = record["Data"]
    return data if isinstance(data, bytes) else base64.b64decode(data)


def _frame(record: Record) -> bytes:
    data, key = record_bytes(record), str(record["PartitionKey"]).encode()
    number = str(record["SequenceNumber"]).encode()
    if len(number) != 30:
        msg = f"Sequence number {record['SequenceNumber']} is none of ministack's, which have 30 digits"
        raise ValueError(msg)
    return _HEADER.pack(len(data), len(key), record["ApproximateArrivalTimestamp"], number) + data + key


def _record(frame: memoryview) -> Record:
    data_bytes, _key_bytes, arrival, number = _HEADER.unpack_from(frame)
    body = frame[_HEADER.size :]
    return {
        "SequenceNumber": number.decode(),
        "ApproximateArrivalTimestamp": arrival,
        "Data": bytes(body[:data_bytes]),
        "PartitionKey": bytes(body[data_bytes:]).decode(),
    }
