"""One client: what it sends is translated and passed on to PostgreSQL; COPY and UNLOAD are done here."""

import asyncio

from infra.local.redshift.copy.command import CopyCommand, TruncateCommand
from infra.local.redshift.copy.copying import run_copy
from infra.local.redshift.copy.truncating import run_truncate
from infra.local.redshift.copy.unloading import run_unload
from infra.local.redshift.dialect import Translation
from infra.local.redshift.translating import Translator, Types
from infra.local.redshift.wire import protocol
from infra.local.redshift.wire.backend import POISON, Backend, BackendError, SkippedError
from infra.local.redshift.wire.protocol import SqlError, row

# Queries in queries whose quotients are divided again.
DEEPEST_PROBES = 8
# What PostgreSQL knows a prepared COPY or UNLOAD as: it has no parameters and no rows, and is never executed.
_PLACEHOLDER = "SET LOCAL redshift.command = ''"


class Session:
    """The client's requests, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, backend: Backend, translator: Translator) -> None:
        self._reader = reader
        self._backend = backend
        self._translator = translator
        self._statements: dict[str, Translation] = {}
        self._portals: dict[str, Translation] = {}

    async def run(self) -> None:
        """Serve until the client says goodbye. Raises asyncio.IncompleteReadError when it just goes."""
        handlers = {b"Q": self._query, b"P": self._parse, b"B": self._bind, b"D": self._describe, b"E": self._execute}
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
            translation = await self._translate(sql)
        except SqlError as error:
            await self._backend.send(b"Q", protocol.message(b"Q", POISON.encode() + b"\0"), error=error)
            return
        except BackendError as error:
            await self._backend.answer(error.response)
            await self._backend.send(b"S", protocol.message(b"S"))
            return
        if translation.command:
            await self._run(translation)
            await self._backend.send(b"S", protocol.message(b"S"))
        else:
            await self._backend.send(b"Q", protocol.message(b"Q", translation.sql.encode() + b"\0"))

    async def _parse(self, body: bytes) -> None:
        name, at = protocol.text(body)
        sql, at = protocol.text(body, at)
        self._statements.pop(name, None)
        try:
            translation = await self._translate(sql)
        except SqlError as error:
            await self._backend.send(b"P", protocol.parse(name, POISON), error=error)
            return
        except BackendError as error:
            await self._backend.answer(error.response)
            return
        except SkippedError:
            return
        if translation.command:
            self._statements[name] = translation
            await self._backend.send(b"P", protocol.parse(name, _PLACEHOLDER), target=f"S{name}")
        else:
            parsed = protocol.parse(name, translation.sql, body[at:])
            await self._backend.send(b"P", parsed, target=f"S{name}")

    async def _translate(self, sql: str) -> Translation:
        """The translation, with the types of the columns that are divided asked of PostgreSQL until all are known."""
        known: Types = ()
        translation = await self._translator.translate(sql)
        for _ in range(DEEPEST_PROBES):
            if not translation.probes:
                break
            known += tuple([(probe, await self._types_of(probe)) for probe in translation.probes])
            translation = await self._translator.translate(sql, known)
        return translation

    async def _types_of(self, query: str) -> tuple[str, ...] | None:
        """The types of a query's columns, or None if it cannot be told. Raises BackendError and SkippedError."""
        quoted = query.replace("'", "''")
        found = [row(body)[0] for body in await self._backend.rows(f"select pg_catalog.redshift_types_of('{quoted}')")]
        return tuple(found[0].split("|")) if found and found[0] is not None else None

    async def _bind(self, body: bytes) -> None:
        portal, at = protocol.text(body)
        statement, _ = protocol.text(body, at)
        self._portals.pop(portal, None)
        if statement in self._statements:
            self._portals[portal] = self._statements[statement]
        await self._backend.send(
            b"B",
            protocol.message(b"B", body),
            target=f"P{portal}",
            like=f"S{statement}",
            formats=protocol.result_formats(body),
        )

    async def _describe(self, body: bytes) -> None:
        await self._backend.send(b"D", protocol.message(b"D", body), target=protocol.text(body)[0])

    async def _execute(self, body: bytes) -> None:
        portal, _ = protocol.text(body)
        if portal in self._portals:
            await self._run(self._portals.pop(portal))
        else:
            await self._backend.send(b"E", protocol.message(b"E", body), target=f"P{portal}")

    async def _run(self, translation: Translation) -> None:
        """Do a COPY, UNLOAD or TRUNCATE, and answer as PostgreSQL does to one Execute."""
        command = translation.command
        try:
            if isinstance(command, CopyCommand):
                await run_copy(self._backend, command)
            elif isinstance(command, TruncateCommand):
                await run_truncate(self._backend, command)
            elif command is not None:
                await run_unload(self._backend, command, translation.sql)
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
