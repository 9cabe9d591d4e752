"""The MQTT listener: loopback only, a client certificate required, and a right that is withdrawn ends the session.

AWS IoT Core developer guide: "X.509 client certificates" (mutual TLS, TLS 1.2 or later), and the UpdateCertificate API
("AWS IoT disconnects all devices that used that certificate to connect"). Stock ministack listens on every interface,
serves clients without a certificate, and lets a revoked certificate publish until it disconnects. What a session does
with packets: `protocol.py`.
"""

import asyncio
import functools
import ssl
import time
from typing import Any

from ministack.services import iot

from infra.local.emulator.iot import (
    connection,
    endpoint,
    http_publish,
    policy_variables,
    protocol,
    shared_subscriptions,
)
from infra.local.emulator.settings import EmulatorSettings

DECISION_SECONDS = 5.0
_AUTHORIZATION_PATHS = ("/certificates", "/policies", "/target-policies", "/principal-policies", "/things")

_stock_context = iot._mtls_build_ssl_context
_stock_allows = iot._WSSession._policy_allows
_stock_handle = iot.handle_request
_epoch = 0


def install(settings: EmulatorSettings) -> None:
    """Replace the listener, the TLS context and the sessions' authorisation."""
    connection.install(settings.mqtt_port, settings.mqtt_wait_scale)
    protocol.install()
    shared_subscriptions.install()
    http_publish.install()
    endpoint.install(settings.mqtt_port)
    iot._subscription_matches = functools.lru_cache(maxsize=1 << 17)(iot._subscription_matches)
    iot._mtls_build_ssl_context = _build_ssl_context
    iot._WSSession._policy_allows = _policy_allows
    iot.handle_request = _handle_request


def _build_ssl_context() -> ssl.SSLContext:
    context: ssl.SSLContext = _stock_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _policy_allows(session: Any, action: str, resource: str) -> bool:
    """The stock decision by the thing as it is, remembered for a few seconds.

    A certificate that is no longer active allows nothing.

    On AWS a policy change takes effect within minutes (developer guide, "AWS IoT Core policies").
    """
    now = time.monotonic()
    cache = session.__dict__.setdefault("_decisions", {})
    if cache.get("epoch") != _epoch or now > cache.get("until", 0):
        cache.clear()
        cache |= {"epoch": _epoch, "until": now + DECISION_SECONDS}
        policy_variables.refresh(session)
    decision = cache.get((action, resource))
    if decision is None:
        decision = cache[action, resource] = _is_active(session) and bool(_stock_allows(session, action, resource))
    return bool(decision)


def _is_active(session: Any) -> bool:
    if session.certificate_id is None or session.provisioning_template is not None:
        return True
    return bool(iot._mtls_active_registrations(session.certificate_id))


async def _handle_request(method: str, path: str, *args: Any, **kwargs: Any) -> Any:
    global _epoch  # noqa: PLW0603  ministack calls module functions; there is one broker a process
    if path == "/keys-and-certificate":  # 60 ms for an RSA key: not on the loop that serves the devices
        return await asyncio.to_thread(asyncio.run, _stock_handle(method, path, *args, **kwargs))
    response = await _stock_handle(method, path, *args, **kwargs)
    if method != "GET" and path.startswith(_AUTHORIZATION_PATHS):
        _epoch += 1
        for session in list(iot._connected_clients.values()):
            if session.certificate_id and not session._policy_allows("iot:Connect", f"client/{session._client_id}"):
                await _disconnect(session)
    return response


async def _disconnect(session: Any) -> None:
    """DISCONNECT 0x87 "not authorized" on MQTT 5, a plain close on 3.1.1."""
    iot._broker_logger.warning("IoT broker: %r is no longer authorised: disconnected", session._client_id)
    await session._close_unauthorized()
    await session._send({"type": "websocket.close"})
