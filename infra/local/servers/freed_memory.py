"""Gives back to the system what a server has freed and the C library keeps.

glibc keeps freed memory in an arena of each thread for the next allocation: of a server with dozens of threads, that
answers now 100 bytes and now 100 MB, it keeps tens of MB more after each kind of work. `malloc_trim(3)` gives back the
whole pages among them, of all arenas; it takes some milliseconds. Arrow keeps what it has freed in a pool of its own,
unless it is told to use the C library's (https://arrow.apache.org/docs/cpp/env_vars.html).
"""

import ctypes
import threading

SECONDS = 15.0
# Of a process's environment, before it imports pyarrow.
ARROW_WITHOUT_POOL = {"ARROW_DEFAULT_MEMORY_POOL": "system"}


def give_back_freed_memory() -> None:
    """Give it back every few seconds, for as long as the process lives; nothing where the C library is another."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        threading.Thread(target=_run, args=(trim,), name="freed-memory", daemon=True).start()


def _run(trim: "ctypes._NamedFuncPointer") -> None:
    pause = threading.Event()
    while not pause.wait(SECONDS):
        trim(0)
