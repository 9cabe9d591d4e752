"""Translating beside the event loop: however long a text takes to read, the other clients are served meanwhile.

A short text is read at once, in a few milliseconds. A longer one goes to one of a few processes of its own, with less
priority than the proxy; one that takes too long is ended with its process, and refused by name.
"""

import asyncio
import os
import pickle
import struct
import sys
from collections import OrderedDict
from contextlib import suppress
from typing import BinaryIO

from infra.local.redshift.dialect import Translation, translate
from infra.local.redshift.unsupported import LOCAL, TOO_COMPLEX, UnsupportedError
from infra.local.redshift.wire.protocol import SqlError

SHORT = 300
MOST_SECONDS = 20.0
PROCESSES = 2
_KEPT = 2000
_KEPT_LENGTH = 10_000
_NICE = 10
_LENGTH = struct.Struct("!I")

Types = tuple[tuple[str, tuple[str, ...] | None], ...]
Asked = tuple[str, Types]
Answer = Translation | SqlError


class Translator:
    """Translates for all clients, and remembers what it has translated."""

    def __init__(self) -> None:
        self._known: OrderedDict[Asked, Answer] = OrderedDict()
        self._free: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        for _ in range(PROCESSES):
            self._free.put_nowait(None)

    async def translate(self, sql: str, known: Types = ()) -> Translation:
        """What PostgreSQL gets for the text; `known` as in `dialect.translate`. Raises SqlError for what is refused."""
        asked = sql, known
        answer = self._known.get(asked)
        if len(sql) <= SHORT:
            answer = _answer(asked)
        elif answer is None:
            answer = await self._elsewhere(asked)
            self._remember(asked, answer)
        if isinstance(answer, SqlError):
            raise SqlError(answer.message, answer.sqlstate, answer.detail)
        return answer

    def close(self) -> None:
        """End the processes that are at rest; the others end with this one, whose pipes they read."""
        while not self._free.empty():
            process = self._free.get_nowait()
            if process is not None:
                _end(process)

    def _remember(self, asked: Asked, answer: Answer) -> None:
        if len(asked[0]) > _KEPT_LENGTH:
            return
        self._known[asked] = answer
        self._known.move_to_end(asked)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    async def _elsewhere(self, asked: Asked) -> Answer:
        process = await self._free.get()
        try:
            process = process or await _started()
            return await asyncio.wait_for(_reply(process, asked), MOST_SECONDS)
        except TimeoutError:
            process = _end(process)
            return SqlError(f"{LOCAL}a statement that takes more than {MOST_SECONDS:.0f} s to read", TOO_COMPLEX)
        except BaseException:  # the client has gone: its answer is nobody's
            process = _end(process)
            raise
        finally:
            self._free.put_nowait(process)


async def _started() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def _reply(process: asyncio.subprocess.Process, asked: Asked) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(_framed(asked))
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    answer: Answer = pickle.loads(await process.stdout.readexactly(length))
    return answer


def _end(process: asyncio.subprocess.Process | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()


def _framed(value: object) -> bytes:
    body = pickle.dumps(value)
    return _LENGTH.pack(len(body)) + body


def _answer(asked: Asked) -> Answer:
    try:
        return translate(*asked)
    except UnsupportedError as error:
        return SqlError(error.message, error.sqlstate)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the proxy closes the pipe, or is gone."""
    os.nice(_NICE)
    while header := requests.read(_LENGTH.size):
        asked = pickle.loads(requests.read(*_LENGTH.unpack(header)))
        answers.write(_framed(_answer(asked)))
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
