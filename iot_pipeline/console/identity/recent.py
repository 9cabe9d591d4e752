"""What was read a moment ago, so that a page's many requests do not each read the table."""

import threading
import time
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps values for `seconds`, and at most `size` of them: the oldest goes first."""

    def __init__(self, seconds: float, size: int) -> None:
        self._seconds, self._size = seconds, size
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, key: str) -> T | None:
        """A value that is young enough, else None."""
        with self._lock:
            found = self._held.get(key)
        return None if found is None or time.monotonic() - found[0] > self._seconds else found[1]

    def put(self, key: str, value: T) -> None:
        """Keep a value."""
        with self._lock:
            self._held[key] = (time.monotonic(), value)
            self._held.move_to_end(key)
            while len(self._held) > self._size:
                self._held.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget a value; no error if there is none."""
        with self._lock:
            self._held.pop(key, None)
