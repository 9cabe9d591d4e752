"""Gives back to the system what a server has freed and the C library keeps.

glibc keeps freed memory in an arena of each thread for the next allocation: of a server with dozens of threads, that
answers now 100 bytes and now 100 MB, it keeps tens of MB more after each kind of work. `malloc_trim(3)` gives back the
whole pages among them, of all arenas; it takes some milliseconds.
"""

import ctypes
import threading

SECONDS = 15.0


def give_back_freed_memory() -> None:
    """Give it back every few seconds, for as long as the process lives; nothing where the C library is another."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        threading.Thread(target=_run, args=(trim,), name="freed-memory", daemon=True).start()


def _run(trim: "ctypes._NamedFuncPointer") -> None:
    pause = threading.Event()
    while not pause.wait(SECONDS):
        trim(0)
