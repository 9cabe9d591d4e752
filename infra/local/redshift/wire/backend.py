"""One client's connection to PostgreSQL: its answers matched to the requests, the client's passed on, our own kept."""

import asyncio
import struct
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from infra.local.redshift.sql.output_names import output_name
from infra.local.redshift.wire.protocol import (
    SqlError,
    Turned,
    as_redshift,
    close,
    message,
    parameter_status,
    turned_row,
)

# The answers that end each request.
_LAST = {
    b"P": b"1",
    b"B": b"2",
    b"C": b"3",
    b"D": b"Tn",
    b"E": b"CIs",
    b"S": b"Z",
    b"Q": b"Z",
    b"startup": b"Z",
}
_UNSOLICITED = b"NSA"
_UNTIL_SYNC = b"PBCDE"
_CHUNK = 1 << 18
_NAME = "redshift_internal"

# The SHOW commands by which drivers ask for metadata, as the server tells them when they connect: 4 has those of keys,
# grants, procedures and functions, 5 would have those of a whole database.
SHOW_DISCOVERY = "4"
# What PostgreSQL 8.0 says of itself. Drivers choose by its version what they ask of the catalog, and, since it has no
# standard_conforming_strings, that a backslash in a literal is to be doubled, as Redshift's literals want it.
_REPORTED = {b"server_version": parameter_status("server_version", "8.0.2"), b"standard_conforming_strings": b""}
# SQLSTATE of the warning for a COMMIT of ours that has nothing to commit.
_NO_TRANSACTION = b"C25P01\0"
POISON = "refused by the local Redshift"


class BackendError(Exception):
    """PostgreSQL refused a request of ours; `response` is the ErrorResponse for the client."""

    def __init__(self, response: bytes) -> None:
        super().__init__(response)
        self.response = response


class SkippedError(Exception):
    """A request before ours failed, and PostgreSQL skips all until the next Sync, ours included."""


@dataclass(slots=True)
class _Request:
    kind: bytes
    ours: bool = False
    error: SqlError | None = None
    target: str = ""
    like: str = ""
    formats: tuple[int, ...] = ()


class Backend:
    """Passes the client's requests and PostgreSQL's answers on, and makes requests of its own in between.

    A failed request makes PostgreSQL skip those up to the next Sync; the list of requests that still wait for an answer
    is kept accordingly. See https://www.postgresql.org/docs/16/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._client = client
        self._waiting: deque[_Request] = deque([_Request(b"startup")])
        self._skips = False
        self._takes_data = False
        self._turned: dict[str, tuple[Turned, tuple[int, ...]]] = {}
        self._answers: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue(maxsize=256)

    async def send(
        self,
        kind: bytes,
        encoded: bytes,
        *,
        error: SqlError | None = None,
        target: str = "",
        like: str = "",
        formats: tuple[int, ...] = (),
    ) -> None:
        """Pass a request of the client on. With `error`, PostgreSQL's refusal of it is replaced by that one.

        `target` is the statement (S...) or portal (P...) that it makes, describes or executes, `like` the statement
        that a portal is of, and `formats` those in which its columns come.
        """
        self._expect(_Request(kind, error=error, target=target, like=like, formats=formats))
        self._writer.write(encoded)
        await self._writer.drain()

    async def answer(self, encoded: bytes) -> None:
        """Send the client a message of our own."""
        self._client.write(encoded)
        await self._client.drain()

    def _expect(self, request: _Request) -> None:
        if request.kind not in _LAST:
            return
        if request.kind == b"S":
            self._skips = False
        elif self._skips:
            return
        self._waiting.append(request)

    async def request(self, *encoded: bytes) -> None:
        """Requests of our own, whose answers `next_answer` gives. Raises SkippedError."""
        if self._skips:
            raise SkippedError
        for one in encoded:
            self._expect(_Request(one[:1], ours=True))
            self._writer.write(one)
        self._writer.write(message(b"H"))
        await self._writer.drain()

    async def next_answer(self) -> tuple[bytes, bytes]:
        """(type, body) of the next answer to a request of ours. Raises BackendError and SkippedError."""
        kind, body = await self._answers.get()
        if kind == b"E":
            self._takes_data = False
            raise BackendError(message(kind, body))
        if kind == b"skipped":
            raise SkippedError
        return kind, body

    async def start(self, sql: str) -> None:
        """Run a statement of our own, in the client's transaction; its answers come by `next_answer`."""
        name = _NAME.encode() + b"\0"
        await self.request(
            close(b"P", _NAME),
            close(b"S", _NAME),
            message(b"P", name + sql.encode() + b"\0\0\0"),
            message(b"B", name + name + b"\0\0" * 3),
            message(b"E", name + b"\0\0\0\0"),
        )

    async def answers_until(self, wanted: bytes) -> list[tuple[bytes, bytes]]:
        """The answers up to the first whose type is among `wanted`, which is the last one."""
        found = [await self.next_answer()]
        while found[-1][0] not in wanted:
            found.append(await self.next_answer())
        return found

    async def rows(self, sql: str) -> list[bytes]:
        """The DataRows of a statement of our own."""
        await self.start(sql)
        return [body for kind, body in await self.answers_until(b"C") if kind == b"D"]

    async def start_data(self, sql: str) -> None:
        """Run a COPY FROM STDIN of our own, up to where it wants data."""
        await self.start(sql)
        await self.answers_until(b"G")
        self._takes_data = True

    async def data(self, body: bytes) -> None:
        """CopyData. Raises BackendError as soon as PostgreSQL has refused what came before."""
        if not self._answers.empty():
            await self.next_answer()
        for start in range(0, len(body), _CHUNK):
            self._writer.write(message(b"d", body[start : start + _CHUNK]))
            await self._writer.drain()

    async def end_data(self) -> None:
        """CopyDone; waits for the statement's end. Raises BackendError."""
        self._takes_data = False
        self._writer.write(message(b"c") + message(b"H"))
        await self.answers_until(b"C")

    async def fail(self) -> None:
        """Make the transaction fail, and a COPY FROM STDIN that runs. Raises SkippedError if it has failed before."""
        if self._takes_data:
            self._writer.write(message(b"f", POISON.encode() + b"\0"))
        else:
            await self.request(message(b"P", b"\0" + POISON.encode() + b"\0\0\0"))
        with suppress(BackendError):
            await self.answers_until(b"")

    async def pump(self) -> None:
        """Distribute PostgreSQL's answers until it closes the connection."""
        buffer = bytearray()
        while data := await self._reader.read(_CHUNK):
            buffer += data
            await self._distribute(buffer)
            await self._client.drain()

    async def _distribute(self, buffer: bytearray) -> None:
        position = passed = 0
        while len(buffer) - position >= 5:
            end = position + 1 + struct.unpack_from("!I", buffer, position + 1)[0]
            if end > len(buffer):
                break
            kind = bytes(buffer[position : position + 1])
            if kind == b"Z" and self._waiting and self._waiting[0].kind == b"startup":
                self._client.write(bytes(buffer[passed:position]) + parameter_status("show_discovery", SHOW_DISCOVERY))
                passed = position
            ours = bool(self._waiting) and self._waiting[0].ours and kind not in _UNSOLICITED
            if ours or kind in b"TESN" or (kind == b"D" and self._turned_now()[0]):
                self._client.write(bytes(buffer[passed:position]))
                await self._special(kind, bytes(buffer[position + 5 : end]), ours=ours)
                passed = end
            self._finish(kind)
            position = end
        self._client.write(bytes(buffer[passed:position]))
        del buffer[:position]

    async def _special(self, kind: bytes, body: bytes, *, ours: bool) -> None:
        """Answers that are not passed on as they are."""
        if ours:
            await self._answers.put((kind, body))
        elif kind == b"T":
            described, turned = as_redshift(body, output_name)
            self._turned[self._waiting[0].target if self._waiting else ""] = (turned, self._turned_now()[1])
            self._client.write(message(kind, described))
        elif kind == b"D":
            self._client.write(message(kind, turned_row(body, *self._turned_now())))
        elif kind == b"N":
            if not (self._waiting and self._waiting[0].ours and _NO_TRANSACTION in body):
                self._client.write(message(kind, body))
        elif kind == b"S":
            self._client.write(_REPORTED.get(body[: body.index(b"\0")], message(kind, body)))
        else:
            error = self._waiting[0].error if self._waiting else None
            self._client.write(error.encode() if error else message(kind, body))
        if kind == b"E":
            await self._fail_waiting(ours=ours)

    def _turned_now(self) -> tuple[Turned, tuple[int, ...]]:
        """The columns to turn of the rows that come, and the formats of all."""
        return self._turned.get(self._waiting[0].target, ([], ())) if self._waiting else ([], ())

    async def _fail_waiting(self, *, ours: bool) -> None:
        """PostgreSQL skips what waits, up to the next Sync."""
        told = ours
        if not self._waiting or self._waiting[0].kind not in _UNTIL_SYNC:
            return
        while self._waiting and self._waiting[0].kind != b"S":
            skipped = self._waiting.popleft()
            if skipped.ours and not told:
                await self._answers.put((b"skipped", b""))
                told = True
        self._skips = not self._waiting

    def _finish(self, kind: bytes) -> None:
        if self._waiting and kind in _LAST[self._waiting[0].kind] and kind not in _UNSOLICITED:
            request = self._waiting.popleft()
            if request.kind in b"PB":  # what it makes is new: of a portal the columns are its statement's
                turned = self._turned.get(request.like, ([], ()))[0] if request.like else []
                self._turned[request.target] = (turned, request.formats)
