"""The most memory that a process with all its children holds, sampled while something runs."""

import threading
from typing import Self

import psutil

_EVERY = 0.05


class PeakMemory:
    """`with PeakMemory(process) as peak: ...`, then `peak.bytes`: the sum of resident sets, the most of it."""

    def __init__(self, process: psutil.Process) -> None:
        self.bytes = 0
        self._process = process
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.bytes = max(self.bytes, resident_bytes(self._process))
            if self._stop.wait(_EVERY):
                return


def resident_bytes(process: psutil.Process) -> int:
    """Resident memory of a process and its children."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
