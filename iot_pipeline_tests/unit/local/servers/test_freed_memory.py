"""What a server has freed goes back to the system, which glibc alone would not do."""

import ctypes
import os
import re
import subprocess
import sys

import pytest

from infra.local.servers.checkout import CHECKOUT
from infra.local.servers.freed_memory import GIVING_BACK

# Megabytes that the process holds of its own after 100 MiB were freed, but for a little behind them.
_FREED = """
import ctypes, time
from pathlib import Path
from infra.local.servers import freed_memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
pieces = [libc.malloc(60_000) for _ in range(1_750)]
for piece in pieces:
    ctypes.memset(piece, 1, 60_000)
for piece in pieces[:-1]:
    libc.free(ctypes.c_void_p(piece))

def own():
    _size, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    return (resident - shared) * 4096 / 2**20

before = own()
freed_memory.SECONDS = 0.05
freed_memory.give_back_freed_memory()
until = time.monotonic() + 30
while own() > before - 90 and time.monotonic() < until:
    time.sleep(0.05)
print(before - own())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_freed_memory_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", _FREED], cwd=CHECKOUT, check=True, capture_output=True, text=True)
    assert float(done.stdout) > 90


# Threads that all hold memory at once; glibc then prints its arenas.
_ARENAS = """
import ctypes, threading
libc = ctypes.CDLL(None)
together = threading.Barrier(6)

def allocate():
    libc.malloc(1000)
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_stats()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="the C library is not glibc")
@pytest.mark.parametrize(("variables", "has_one"), [({}, False), (GIVING_BACK, True)])
def test_all_threads_allocate_in_one_arena(variables: dict[str, str], has_one: bool) -> None:
    text = [sys.executable, "-c", _ARENAS]
    done = subprocess.run(text, env=os.environ | variables, check=True, capture_output=True, text=True)
    assert (done.stderr.count("Arena") == 1) is has_one


# malloc_stats(3) tells how many blocks are mappings of their own at most: "max mmap regions".
_LARGE = """
import ctypes
bytearray(2 << 20)
kept = [bytearray(1 << 20) for _ in range(50)]
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="the C library is not glibc")
@pytest.mark.parametrize(("variables", "are_apart"), [({}, False), (GIVING_BACK, True)])
def test_large_blocks_lie_apart_even_when_some_were_freed(variables: dict[str, str], are_apart: bool) -> None:
    text = [sys.executable, "-c", _LARGE]
    done = subprocess.run(text, env=os.environ | variables, check=True, capture_output=True, text=True)
    (regions,) = re.findall(r"max mmap regions *= *(\d+)", done.stderr)
    assert (int(regions) >= 50) is are_apart


def test_arrow_takes_its_memory_from_the_c_library() -> None:
    text = "import pyarrow; print(pyarrow.default_memory_pool().backend_name)"
    done = subprocess.run(
        [sys.executable, "-c", text], env=os.environ | GIVING_BACK, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "system"
