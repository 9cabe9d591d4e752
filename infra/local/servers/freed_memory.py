"""Gives back to the system what a server has freed and the C library keeps.

glibc keeps freed memory for the next allocation, in an arena for each of many threads, between what is still held: of
a server with dozens of threads, that answers now 100 bytes and now 100 MB, it keeps tens of MB more after each kind of
work. One arena (mallopt(3), MALLOC_ARENA_MAX) fills its own gaps. A block of 128 KB or more is a mapping of its own,
which goes with it; unless the threshold is set, the first such block that is freed raises it, up to 32 MB, and the next
lie between all the others (mallopt(3), M_MMAP_THRESHOLD). `malloc_trim(3)` gives back whole free pages; it takes some
milliseconds. Arrow keeps what it has freed in a pool of its own, unless it is told to use the C
library's (https://arrow.apache.org/docs/cpp/env_vars.html).
"""

import ctypes
import threading

SECONDS = 15.0
# Of the environment that a process is started with.
GIVING_BACK = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(128 << 10),
}


def give_back_freed_memory() -> None:
    """Give it back every few seconds, for as long as the process lives; nothing where the C library is another."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        threading.Thread(target=_run, args=(trim,), name="freed-memory", daemon=True).start()


def _run(trim: "ctypes._NamedFuncPointer") -> None:
    pause = threading.Event()
    while not pause.wait(SECONDS):
        trim(0)
