"""Translating beside the event loop: however long a text takes to read, the other clients are served meanwhile.

A short text is read at once, in a few milliseconds. A longer one goes to one of a few processes; a very long one to
another, which has the least priority. One that takes too much of the processor ends its process, and is refused.
"""

import asyncio
import os
import pickle
import signal
import struct
import sys
from collections import OrderedDict
from contextlib import suppress
from typing import BinaryIO

from infra.local.redshift.dialect import Translation, translate
from infra.local.redshift.unsupported import LOCAL, TOO_COMPLEX, UnsupportedError
from infra.local.redshift.wire.protocol import SqlError

SHORT = 150
LONG = 20_000
MOST_CPU_SECONDS = 20.0
# By whether they are for long texts.
PROCESSES = {False: 2, True: 1}
# Characters of the texts and translations that are remembered, and of a text that is.
_KEPT = 1_000_000
_KEPT_LENGTH = 10_000
_NICEST = 19
_LENGTH = struct.Struct("!I")

Types = tuple[tuple[str, tuple[str, ...] | None], ...]
Asked = tuple[str, Types]
Answer = Translation | SqlError


class Remembered:
    """The translations of late, bounded by their length: those of loads are thousands of characters, and come once."""

    def __init__(self) -> None:
        self._known: OrderedDict[Asked, Answer] = OrderedDict()
        self._characters = 0

    def get(self, asked: Asked) -> Answer | None:
        """What was kept for the text, unless it was forgotten."""
        if asked in self._known:
            self._known.move_to_end(asked)
        return self._known.get(asked)

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Keep it, and forget those that were not asked for longest."""
        if len(asked[0]) > _KEPT_LENGTH:
            return
        if asked not in self._known:
            self._known[asked] = answer
            self._characters += _length(asked, answer)
        while self._characters > _KEPT:
            self._characters -= _length(*self._known.popitem(last=False))


class Translator:
    """Translates for all clients, and remembers what it has translated."""

    def __init__(self) -> None:
        self._remembered = Remembered()
        self._free: dict[bool, asyncio.Queue[asyncio.subprocess.Process | None]] = {}
        for long, processes in PROCESSES.items():
            self._free[long] = asyncio.Queue()
            for _ in range(processes):
                self._free[long].put_nowait(None)

    async def translate(self, sql: str, known: Types = ()) -> Translation:
        """What PostgreSQL gets for the text; `known` as in `dialect.translate`. Raises SqlError for what is refused."""
        asked = sql, known
        answer = self._remembered.get(asked)
        if answer is None:
            answer = _answer(asked) if len(sql) <= SHORT else await self._elsewhere(asked)
            self._remembered.keep(asked, answer)
        if isinstance(answer, SqlError):
            raise SqlError(answer.message, answer.sqlstate, answer.detail)
        return answer

    def close(self) -> None:
        """End the processes that are at rest; the others end with this one, whose pipes they read."""
        for free in self._free.values():
            while not free.empty():
                _end(free.get_nowait())

    async def _elsewhere(self, asked: Asked) -> Answer:
        long = len(asked[0]) > LONG
        process = await self._free[long].get()
        try:
            process = process or await _started(long=long)
            return await _reply(process, asked)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            ended = await process.wait() if process else 0
            process = None
            raise _lost(ended) from error
        except BaseException:  # the client has gone: its answer is nobody's
            _end(process)
            process = None
            raise
        finally:
            self._free[long].put_nowait(process)


async def _started(*, long: bool, most_cpu_seconds: float = MOST_CPU_SECONDS) -> asyncio.subprocess.Process:
    bounds = [str(_NICEST if long else 0), str(most_cpu_seconds)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *bounds, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def _reply(process: asyncio.subprocess.Process, asked: Asked) -> Answer:
    if process.stdin is None or process.stdout is None:
        raise ConnectionError("the process that translates has no pipes")
    process.stdin.write(_framed(asked))
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    answer: Answer = pickle.loads(await process.stdout.readexactly(length))  # noqa: S301  of a process of our own
    return answer


def _length(asked: Asked, answer: Answer) -> int:
    told = answer.message if isinstance(answer, SqlError) else answer.sql
    return len(asked[0]) + len(told)


def _end(process: asyncio.subprocess.Process | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()


def _lost(ended: int) -> SqlError:
    """What is said of a text whose process has ended with it: it took too long, or met a fault of ours."""
    if ended == -signal.SIGVTALRM:
        most = f"{MOST_CPU_SECONDS:.0f} s of the processor"
        return SqlError(f"{LOCAL}a statement that takes more than {most} to read", TOO_COMPLEX)
    return SqlError(f"the local Redshift has failed at reading this statement (exit code {ended}): see its log")


def _framed(value: object) -> bytes:
    body = pickle.dumps(value)
    return _LENGTH.pack(len(body)) + body


def _answer(asked: Asked) -> Answer:
    try:
        return translate(*asked)
    except UnsupportedError as error:
        return SqlError(error.message, error.sqlstate)


def _serve(requests: BinaryIO, answers: BinaryIO, most_cpu_seconds: float) -> None:
    """Answer until the proxy closes the pipe, or is gone. The timer's signal ends the process."""
    while header := requests.read(_LENGTH.size):
        asked = pickle.loads(requests.read(*_LENGTH.unpack(header)))  # noqa: S301  of the proxy
        signal.setitimer(signal.ITIMER_VIRTUAL, most_cpu_seconds)
        answers.write(_framed(_answer(asked)))
        answers.flush()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


if __name__ == "__main__":
    os.nice(int(sys.argv[1]))
    _serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[2]))
