"""One device's MQTT connection: mTLS, MQTT 5, QoS 1, on the shared asyncio loop (paho's external loop).

Each attempt to connect is a new paho client with a clean session: what is to be sent again is decided in one place, the
publisher's queue, and not a second time inside paho.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from iot_pipeline.contract import TOPIC_ROOT
from simulator.keys import Credentials

KEEPALIVE_S = 60
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Endpoint:
    """Where to publish: the broker's host and port, the file of the CA of its certificate, the topics' root."""

    host: str
    port: int
    ca_file: str
    topic_root: str = TOPIC_ROOT


class ConnectionRefusedByBrokerError(ConnectionError):
    """The broker answered the connection attempt with an error; its text is the reason."""


def tls_context(endpoint: Endpoint, credentials: Credentials) -> ssl.SSLContext:
    """A client context that trusts only the endpoint's CA and presents the device's certificate, TLS 1.2 or newer."""
    context = ssl.create_default_context(cafile=endpoint.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(credentials.certificate, credentials.key)
    return context


class Connection:
    """A connection of one device. `on_answer(mid, reason code)` is called for each PUBACK, on the loop."""

    def __init__(self, device_id: str, endpoint: Endpoint, context: ssl.SSLContext) -> None:
        """Prepare; `connect` does the work."""
        self._device_id, self._endpoint, self._context = device_id, endpoint, context
        self._client: mqtt.Client | None = None
        self._lost = asyncio.Event()
        self.on_answer: Callable[[int, int], None] = lambda _mid, _reason: None
        self.error = ""

    async def connect(self, threads: Executor) -> None:
        """Connect and wait for the broker's consent. Raises ConnectionError or another OSError (TLS included)."""
        loop = asyncio.get_running_loop()
        consent: asyncio.Future[ReasonCode] = loop.create_future()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, self._device_id, protocol=mqtt.MQTTv5)
        client.tls_set_context(self._context)
        client.max_inflight_messages_set(0)  # 0 is unlimited; the publisher keeps its own window

        def connected(_c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
            if not consent.done():
                consent.set_result(reason)

        def disconnected(_c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
            self.error = str(reason)
            self._lost.set()
            if not consent.done():
                consent.set_exception(ConnectionRefusedByBrokerError(str(reason)))

        client.on_connect = connected
        client.on_disconnect = disconnected
        client.on_publish = lambda _c, _u, mid, reason, _p: self.on_answer(mid, reason.value)
        self._lost = asyncio.Event()
        # TCP and the TLS handshake block, hence the thread; the client is nobody else's until it returns.
        host, port = self._endpoint.host, self._endpoint.port
        await loop.run_in_executor(threads, lambda: client.connect(host, port, KEEPALIVE_S, clean_start=True))
        sock: Any = client.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a message is complete: do not wait for more
        client.on_socket_close = lambda _c, _u, closing: self._unwatch(closing)
        self._client = client
        loop.add_reader(sock, self._read)
        self._watch_writes()
        try:
            reason = await asyncio.wait_for(consent, _TIMEOUT_S)
        except TimeoutError:
            self.close()
            raise ConnectionError(f"no answer to CONNECT within {_TIMEOUT_S:g} s") from None
        if reason.is_failure:
            self.close()
            raise ConnectionRefusedByBrokerError(str(reason))

    async def wait_lost(self) -> None:
        """Return when the connection has ended."""
        await self._lost.wait()

    @property
    def connected(self) -> bool:
        """Whether messages can be published."""
        return self._client is not None and not self._lost.is_set() and self._client.is_connected()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Hand a message to the broker, QoS 1. Returns its packet id, or None when the connection is gone."""
        if self._client is None:
            return None
        info = self._client.publish(topic, payload, qos=1)
        self._watch_writes()
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def keep_alive(self) -> None:
        """Ping when it is due, and notice a broker that fell silent; to be called about once a second."""
        if self._client is not None:
            self._client.loop_misc()
            self._watch_writes()

    def close(self) -> None:
        """Say goodbye if connected, and close the socket."""
        client, self._client = self._client, None
        if client is None:
            return
        if client.is_connected():
            client.disconnect()
        sock: Any = client.socket()
        if sock is not None:
            self._unwatch(sock)
            sock.close()
        self._lost.set()

    def _read(self) -> None:
        client = self._client
        if client is None:
            return
        client.loop_read()
        sock: Any = client.socket()
        # TLS may have decrypted more than was read: the socket will not become readable for that.
        while sock is not None and sock.pending() and client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            sock = client.socket()
        self._watch_writes()

    def _write(self) -> None:
        if self._client is not None:
            self._client.loop_write()
            self._watch_writes()

    def _watch_writes(self) -> None:
        sock: Any = self._client.socket() if self._client is not None else None
        if sock is None or self._client is None:
            return
        loop = asyncio.get_running_loop()
        if self._client.want_write():
            loop.add_writer(sock, self._write)
        else:
            loop.remove_writer(sock)

    def _unwatch(self, sock: Any) -> None:
        loop = asyncio.get_running_loop()
        if sock.fileno() >= 0:
            loop.remove_reader(sock)
            loop.remove_writer(sock)
