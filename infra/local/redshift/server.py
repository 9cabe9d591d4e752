"""The front door: who connects is given a PostgreSQL connection of its own."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from infra.local.redshift.client import Session
from infra.local.redshift.translating import Translator
from infra.local.redshift.wire import protocol
from infra.local.redshift.wire.backend import Backend
from infra.local.redshift.wire.protocol import CANCEL_REQUEST, GSS_REQUEST, PROTOCOL_3, SSL_REQUEST, SqlError
from infra.local.servers.loopback import HOST

# What PostgreSQL takes of the start-up parameters; redshift_connector sends more, about itself.
_PARAMETERS = {"user", "database", "application_name", "client_encoding", "options", "DateStyle", "TimeZone"}

MOST_THREADS = 256

log = logging.getLogger(__name__)


class Server:
    """Accepts connections on 127.0.0.1; PostgreSQL is on `postgres_port`."""

    def __init__(self, postgres_port: int) -> None:
        self._postgres_port = postgres_port
        self._translator = Translator()

    async def listen(self, port: int) -> asyncio.Server:
        """Start to listen; port 0 takes a free one.

        COPY and UNLOAD wait for S3 in threads; there are enough for all clients that PostgreSQL takes.
        """
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MOST_THREADS))
        return await asyncio.start_server(self._serve, HOST, port)

    def close(self) -> None:
        """End the processes that translate."""
        self._translator.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._welcome(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            log.info("the client went away: %r", error)
        except SqlError as error:
            writer.write(error.encode())
        except asyncio.CancelledError:  # the server stops; asyncio's streams would print it
            log.info("a connection is cut")
        except Exception:
            log.exception("unexpected error; the connection is closed")
        finally:
            writer.close()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code, body = await protocol.read_startup(reader)
        while code in {SSL_REQUEST, GSS_REQUEST}:
            writer.write(b"N")
            code, body = await protocol.read_startup(reader)
        if code not in {PROTOCOL_3, CANCEL_REQUEST}:
            writer.write(SqlError(f"unsupported protocol {code >> 16}.{code & 0xFFFF}", "0A000").encode())
            return
        try:
            pg_reader, pg_writer = await asyncio.open_connection(HOST, self._postgres_port)
        except OSError as error:
            writer.write(SqlError(f"no PostgreSQL behind the local Redshift: {error}", "57P03").encode())
            return
        try:
            if code == CANCEL_REQUEST:
                pg_writer.write(protocol.startup(code, body))
                await pg_writer.drain()
                return
            pg_writer.write(protocol.startup(code, _accepted(body)))
            backend = Backend(pg_reader, pg_writer, writer)
            await _first_of(Session(reader, backend, self._translator).run(), backend.pump())
        finally:
            pg_writer.close()


async def _first_of(client: "asyncio._CoroutineLike[None]", postgres: "asyncio._CoroutineLike[None]") -> None:
    """Until one side has gone; raises what it raised."""
    tasks = [asyncio.create_task(client), asyncio.create_task(postgres)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
                await task


def _accepted(body: bytes) -> bytes:
    """The start-up parameters that PostgreSQL takes."""
    words = body.rstrip(b"\0").split(b"\0")
    pairs = zip(words[::2], words[1::2], strict=False)
    return b"".join(name + b"\0" + value + b"\0" for name, value in pairs if name.decode() in _PARAMETERS) + b"\0"
