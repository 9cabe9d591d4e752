"""The records that a delivery stream has accepted and not yet delivered, on disk.

One append-only file holds the records of one future S3 object; it is removed when the object is in S3. The file,
not the memory, is the buffer: a killed process loses nothing that was acknowledged, and a destination that fails
for a day costs disk. Nothing is fsynced, so a crash of the machine (not the process) can lose the last seconds.
"""

import errno
import os
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

_HEADER = struct.Struct("<Id")
_SUFFIX = ".journal"


@dataclass(frozen=True)
class StreamId:
    """A delivery stream: account, region and name."""

    account_id: str
    region: str
    name: str

    def folder(self, root: Path) -> Path:
        """Where the stream's journals are."""
        return root / self.account_id / self.region / self.name


@dataclass(frozen=True)
class Record:
    """One record and when it arrived (seconds since the epoch)."""

    arrival: float
    data: bytes


@dataclass
class Journal:
    """The file of one future object. `object_id` is unique and ends up in the object's key, so a repeated delivery
    of the same file overwrites the object instead of adding a second one.
    """

    stream: StreamId
    path: Path
    size: int = 0
    first_arrival: float = 0.0
    _file: FileIO | None = field(default=None, repr=False)

    @property
    def object_id(self) -> str:
        """The UUID in the object's key."""
        return self.path.name.removesuffix(_SUFFIX)

    @classmethod
    def create(cls, root: Path, stream: StreamId, arrival: float) -> "Journal":
        """An empty journal below `root`, open for appending."""
        folder = stream.folder(root)
        folder.mkdir(parents=True, exist_ok=True)
        journal = cls(stream, folder / f"{uuid.uuid4()}{_SUFFIX}", first_arrival=arrival)
        journal._file = FileIO(journal.path, "ab")
        return journal

    def append(self, records: list[bytes], arrival: float) -> None:
        """Write records that arrived together, in one system call.

        Raises OSError, with none of them kept, where the disk takes no more; RuntimeError for a closed journal.
        """
        if self._file is None:
            raise RuntimeError(f"{self.path} is closed")
        body = b"".join(part for data in records for part in (_HEADER.pack(len(data), arrival), data))
        end = self._file.seek(0, os.SEEK_END)
        if self._file.write(body) != len(body):
            self._file.truncate(end)
            raise OSError(errno.ENOSPC, "no room for a delivery stream's records", str(self.path))
        self.size += sum(map(len, records))

    def close(self) -> None:
        """End appending; the records stay until `remove`."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def records(self) -> Iterator[Record]:
        """The records in arrival order; a record cut short by a killed process was never acknowledged and is left
        out.
        """
        content = memoryview(self.path.read_bytes())
        offset = 0
        while offset + _HEADER.size <= len(content):
            length, arrival = _HEADER.unpack_from(content, offset)
            offset += _HEADER.size
            if offset + length > len(content):
                return
            yield Record(arrival, bytes(content[offset : offset + length]))
            offset += length

    def remove(self) -> None:
        """Delete the file: its records are in S3."""
        self.path.unlink()


def leftovers(root: Path) -> list[Journal]:
    """The journals of an earlier process, oldest first; empty ones are removed."""
    found = []
    for path in root.glob(f"*/*/*/*{_SUFFIX}"):
        account_id, region, name = path.parts[-4:-1]
        journal = Journal(StreamId(account_id, region, name), path)
        records = list(journal.records())
        if not records:
            journal.remove()
            continue
        journal.size = sum(len(record.data) for record in records)
        journal.first_arrival = records[0].arrival
        found.append(journal)
    return sorted(found, key=lambda journal: journal.first_arrival)
