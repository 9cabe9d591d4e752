"""One client: what it sends is translated and passed on to PostgreSQL; COPY and UNLOAD are done here."""

import asyncio

from infra.local.redshift.copy.command import Command, CopyCommand
from infra.local.redshift.copy.copying import run_copy
from infra.local.redshift.copy.unloading import run_unload
from infra.local.redshift.dialect import Translation, translate
from infra.local.redshift.unsupported import UnsupportedError
from infra.local.redshift.wire import protocol
from infra.local.redshift.wire.backend import POISON, Backend, BackendError, SkippedError
from infra.local.redshift.wire.protocol import SqlError

LONG = 100_000

# What PostgreSQL knows a prepared COPY or UNLOAD as: it has no parameters and no rows, and is never executed.
_PLACEHOLDER = "SET LOCAL redshift.command = ''"


class Session:
    """The client's requests, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, backend: Backend) -> None:
        self._reader = reader
        self._backend = backend
        self._statements: dict[str, Command] = {}
        self._portals: dict[str, Command] = {}

    async def run(self) -> None:
        """Serve until the client says goodbye. Raises asyncio.IncompleteReadError when it just goes."""
        handlers = {b"Q": self._query, b"P": self._parse, b"B": self._bind, b"E": self._execute}
        while True:
            kind, body = await protocol.read_message(self._reader)
            handler = handlers.get(kind)
            if handler:
                await handler(body)
            else:
                await self._backend.send(kind, protocol.message(kind, body))
            if kind == b"X":
                return

    async def _query(self, body: bytes) -> None:
        sql, _ = protocol.text(body)
        try:
            translation = await _translate(sql)
        except SqlError as error:
            await self._backend.send(b"Q", protocol.message(b"Q", POISON.encode() + b"\0"), error=error)
            return
        if translation.command:
            await self._run(translation.command)
            await self._backend.send(b"S", protocol.message(b"S"))
        else:
            await self._backend.send(b"Q", protocol.message(b"Q", translation.sql.encode() + b"\0"))

    async def _parse(self, body: bytes) -> None:
        name, at = protocol.text(body)
        sql, at = protocol.text(body, at)
        self._statements.pop(name, None)
        try:
            translation = await _translate(sql)
        except SqlError as error:
            await self._backend.send(b"P", protocol.parse(name, POISON), error=error)
            return
        if translation.command:
            self._statements[name] = translation.command
            await self._backend.send(b"P", protocol.parse(name, _PLACEHOLDER))
        else:
            await self._backend.send(b"P", protocol.parse(name, translation.sql, body[at:]))

    async def _bind(self, body: bytes) -> None:
        portal, at = protocol.text(body)
        statement, _ = protocol.text(body, at)
        self._portals.pop(portal, None)
        if statement in self._statements:
            self._portals[portal] = self._statements[statement]
        await self._backend.send(b"B", protocol.message(b"B", body))

    async def _execute(self, body: bytes) -> None:
        portal, _ = protocol.text(body)
        if portal in self._portals:
            await self._run(self._portals.pop(portal))
        else:
            await self._backend.send(b"E", protocol.message(b"E", body))

    async def _run(self, command: Command) -> None:
        """Do a COPY or UNLOAD, and answer as PostgreSQL does to one Execute."""
        try:
            if isinstance(command, CopyCommand):
                await run_copy(self._backend, command)
            else:
                await run_unload(self._backend, command, (await _translate(command.query)).sql)
        except SqlError as error:
            await self._fail(error)
        except BackendError as error:
            await self._backend.answer(error.response)
        except SkippedError:
            return

    async def _fail(self, error: SqlError) -> None:
        try:
            await self._backend.fail()
        except SkippedError:
            return
        await self._backend.answer(error.encode())


async def _translate(sql: str) -> Translation:
    """A long text takes seconds: in a thread, so that the other clients are served meanwhile."""
    try:
        return translate(sql) if len(sql) < LONG else await asyncio.to_thread(translate, sql)
    except UnsupportedError as error:
        raise SqlError(error.message, error.sqlstate) from error
