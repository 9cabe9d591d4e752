"""A list that grows at its end and shrinks at its beginning, in files; in memory it takes eight bytes an item.

What AWS keeps for a day or longer shall not grow the process here. A file holds some megabytes of items, is named by
the number of its first one since the beginning, is only appended to, and is removed once all of its items are dropped.
Nothing is synced to the disk: items outlive a killed process, not a crash of the machine.
"""

import errno
import struct
import threading
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, overload

# Where a file ends and the next one begins, and how much of one is read at once.
FILE_BYTES = 4 << 20
READ_BYTES = 256 << 10
_SUFFIX = ".records"

Item = TypeVar("Item")


class FileLog(Sequence[Item], ABC, Generic[Item]):
    """Items of one kind in a folder, oldest first; a copy of it is what a saved state keeps.

    A subclass says how an item lies in a file. Items may be appended at any time. Who finds places and reads them has
    to hold a lock that whoever calls `drop` holds too, since that shifts them.
    """

    header: ClassVar[struct.Struct]
    """What each item begins with."""

    def __init__(self, folder: Path, first: int = 0) -> None:
        """Those of a folder, without the ones before the item of number `first` since the beginning."""
        self._folder = folder
        self._appending = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._files = [_File(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))] or [self._file(first)]
        for file in self._files:
            file.scan(self.header, self.body_bytes)
        end = self._files[-1].first + len(self._files[-1])
        self._first = min(max(first, self._files[0].first), end)

    @abstractmethod
    def body_bytes(self, fields: tuple[Any, ...]) -> int:
        """How many bytes follow a header of these fields."""

    @abstractmethod
    def frame(self, item: Item) -> bytes:
        """An item as it lies in a file, with its header."""

    @abstractmethod
    def item(self, frame: memoryview) -> Item:
        """The item of a frame."""

    def appended(self, items: Sequence[Item]) -> None:
        """Called when items were appended and nobody can append others; for what a subclass notes of them."""

    def append(self, item: Item) -> None:
        """As of a list."""
        self.extend([item])

    def extend(self, items: Iterable[Item]) -> None:
        """As of a list. Raises OSError, and appends none of them, if the disk has no room."""
        items = list(items)
        frames = [self.frame(item) for item in items]
        if not frames:
            return
        with self._appending:
            file = self._files[-1]
            if file.offsets[-1] >= FILE_BYTES:
                file.close()
                file = self._file(file.first + len(file))
                self._files.append(file)
            file.append(frames)
            self.appended(items)

    def close(self) -> None:
        """Hold no file open until the next item comes."""
        with self._appending:
            self._files[-1].close()

    def drop(self, count: int) -> None:
        """Remove the oldest items."""
        self._first += count
        with self._appending:
            while len(self._files) > 1 and self._files[1].first <= self._first:
                self._files.pop(0).path.unlink()

    def beyond(self, size: int) -> int:
        """How many of the oldest items are in files that the newest `size` bytes do without."""
        kept = 0
        for file in reversed(self._files):
            if kept >= size:
                return max(0, file.first + len(file) - self._first)
            kept += file.offsets[-1]
        return 0

    def between(self, start: int, end: int) -> Iterator[Item]:
        """The items from a place to another, read as they are asked for."""
        number, until = self._first + start, self._first + min(end, len(self))
        for file in list(self._files):
            stop = min(until, file.first + len(file))
            if number < stop:
                yield from map(self.item, file.read(number - file.first, stop - file.first))
                number = stop

    def __len__(self) -> int:
        file = self._files[-1]
        return max(0, file.first + len(file) - self._first)

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> list[Item]: ...

    def __getitem__(self, place: int | slice) -> Item | list[Item]:
        if isinstance(place, slice):
            start, end, step = place.indices(len(self))
            return list(self.between(start, end))[::step] if step > 0 else list(self)[place]
        count = len(self)
        if not -count <= place < count:
            raise IndexError(place)
        place %= count
        return next(self.between(place, place + 1))

    def __iter__(self) -> Iterator[Item]:
        return self.between(0, len(self))

    def __deepcopy__(self, _memo: Any) -> dict[str, int]:
        return {"first": self._first}

    def _file(self, first: int) -> "_File":
        file = _File(self._folder / f"{first:020d}{_SUFFIX}")
        file.path.touch()
        return file


class _File:
    """One file: the number of its first item, where each of its items begins, and where the next one will."""

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
            raise OSError(errno.ENOSPC, "no room for what AWS would keep: free some, or send less", str(self.path))
        for frame in frames:
            self.offsets.append(self.offsets[-1] + len(frame))

    def close(self) -> None:
        """End appending for now."""
        if self._end is not None:
            self._end.close()
        self._end = None

    def read(self, start: int, end: int) -> Iterator[memoryview]:
        """The frames of these places in the file."""
        with self.path.open("rb") as file:
            while start < end:
                until = max(start + 1, bisect_right(self.offsets, self.offsets[start] + READ_BYTES, hi=end + 1) - 1)
                file.seek(self.offsets[start])
                content = memoryview(file.read(self.offsets[until] - self.offsets[start]))
                base = self.offsets[start]
                for begin, stop in pairwise(self.offsets[start : until + 1]):
                    yield content[begin - base : stop - base]
                start = until

    def scan(self, header: struct.Struct, body_bytes: Callable[[tuple[Any, ...]], int]) -> None:
        """Find the items of a file of an earlier process; what a killed one has cut short is removed."""
        size = self.path.stat().st_size
        with self.path.open("r+b") as file:
            while len(start := file.read(header.size)) == header.size:
                end = self.offsets[-1] + header.size + body_bytes(header.unpack(start))
                if end > size:
                    break
                self.offsets.append(end)
                file.seek(end)
            file.truncate(self.offsets[-1])
