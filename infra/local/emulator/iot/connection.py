"""A device's connection: its TLS handshake, its first packet and its keep-alive each have their time, and a client that
does not read what it is sent delays nobody.

MQTT 3.1.1 and MQTT 5, 3.1.2.10 (Keep Alive), 3.1.4 ("the Server SHOULD close the Network Connection if the Server does
not receive a CONNECT Packet within a reasonable amount of time"). Stock ministack waits for ever in all three, and a
publisher waits for the slowest of its subscribers.
"""

import asyncio
import contextvars
from typing import Any

from ministack.services import iot

from infra.local.emulator.iot import limits, packets
from infra.local.servers.loopback import HOST

# AWS does not say how long it waits for these two.
HANDSHAKE_SECONDS = CONNECT_SECONDS = 30.0
# Data may be on its way to a loop that was busy when the time was over.
LAST_LOOK_SECONDS = 0.1
# Of what a client does not read: beyond the first, messages of QoS 0 are dropped; beyond the second, it is cut off.
QOS_0_BACKLOG = 1 << 20
MAXIMUM_BACKLOG = 32 << 20

current: contextvars.ContextVar["Connection"] = contextvars.ContextVar("iot_connection")
_stock_serve = iot._mtls_serve_conn
_wait_scale = 1.0


def install(mqtt_port: int, wait_scale: float) -> None:
    """Replace the listener and the service of a connection; `wait_scale` multiplies every wait named here."""
    global _wait_scale  # noqa: PLW0603  ministack calls module functions; there is one broker a process
    _wait_scale = wait_scale

    async def start_locked() -> None:
        if iot._mtls_server is None:
            loop = asyncio.get_running_loop()
            # Made before anybody connects: an early Python 3.11 reads on while the first connection waits for it, and
            # what the client said by then is lost (seen with 3.11.2, where the first handshake never ended).
            await iot._mtls_context()
            iot._mtls_server = await loop.create_server(_Acceptor, host=HOST, port=mqtt_port, backlog=1024)
            iot._mtls_loop = loop

    iot._mtls_start_locked = start_locked
    iot._mtls_serve_conn = _serve


class _Acceptor(iot._MtlsAcceptor):  # type: ignore[misc]  # ministack ships no type information
    """Stock ministack's, with a bound for the handshake of its own."""

    async def _upgrade(self, transport: Any) -> None:
        loop = asyncio.get_running_loop()
        context = await iot._mtls_context()
        if context is None or transport.is_closing():
            transport.abort()
            return
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        bound = HANDSHAKE_SECONDS * _wait_scale
        try:
            tls = await loop.start_tls(transport, protocol, context, server_side=True, ssl_handshake_timeout=bound)
        except (TimeoutError, OSError) as error:
            iot._mtls_logger.info("IoT mTLS: no TLS handshake: %s", error)
            transport.abort()
            return
        if tls is None:
            return
        protocol.connection_made(tls)  # start_tls does not tell the new protocol
        await iot._mtls_handle_conn(reader, asyncio.StreamWriter(tls, protocol, reader, loop))


class Connection:
    """The reading side of a connection, which ends when the client has been silent for too long."""

    def __init__(self, reader: asyncio.StreamReader, writer: "Writer") -> None:
        self._reader = reader
        self.writer = writer
        self._loop = asyncio.get_running_loop()
        self._allowed = CONNECT_SECONDS * _wait_scale
        self._deadline = self._loop.time() + self._allowed
        self.session: Any = None

    def heard(self) -> None:
        """Note that a whole packet has come and was dealt with."""
        self._deadline = self._loop.time() + self._allowed

    def connected(self, session: Any, keep_alive: int) -> None:
        """From now on the client's keep-alive holds, and its session is told when it is over."""
        self.session = session
        self._allowed = limits.keep_alive(keep_alive) * limits.KEEP_ALIVE_GRACE * _wait_scale
        self.heard()

    async def read(self, size: int) -> bytes:
        """What the client has sent; nothing when it has closed, or has been silent for too long."""
        for deadline in (self._deadline, None):
            try:
                async with asyncio.timeout_at(deadline or self._loop.time() + LAST_LOOK_SECONDS):
                    return await self._reader.read(size)
            except TimeoutError:
                continue
        await self._expired()
        return b""

    async def _expired(self) -> None:
        session = self.session
        if session is None:
            iot._broker_logger.warning("IoT broker: a client sent no CONNECT: connection closed")
            return
        iot._broker_logger.warning(
            "IoT broker: %r sent nothing for %g s, 1.5 times its keep-alive: disconnected",
            session._client_id,
            self._allowed,
        )
        session._forced_disconnect_reason = "MQTT_KEEP_ALIVE_TIMEOUT"
        if session.protocol_version == iot.MQTT_5:
            await session.send_bytes(iot._make_disconnect(packets.KEEP_ALIVE_TIMEOUT))


class Writer:
    """The writing side of a connection, as ministack uses it: writing never waits."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.write = writer.write
        self.close = writer.close
        self.wait_closed = writer.wait_closed
        self.get_extra_info = writer.get_extra_info

    @property
    def backlog(self) -> int:
        """How many bytes wait for the client."""
        return self._writer.transport.get_write_buffer_size()

    async def drain(self) -> None:
        """Cut off a client that has let too much wait."""
        if self.backlog > MAXIMUM_BACKLOG and not self._writer.transport.is_closing():
            iot._broker_logger.warning("IoT broker: a client reads nothing, %d bytes wait: cut off", self.backlog)
            self._writer.transport.abort()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    outbound = Writer(writer)
    connection = Connection(reader, outbound)
    current.set(connection)  # each connection is served by a task of its own
    await _stock_serve(connection, outbound)
