"""What a session does with each packet: AWS IoT's limits and MQTT's rules before stock ministack handles it.

A packet that breaks them ends the connection, with a reason code and its reason on MQTT 5 and a plain close on 3.1.1
(MQTT 5, 4.13; MQTT 3.1.1, 4.8), and a line in the log that names it.
"""

from typing import Any

from ministack.services import iot

from infra.local.emulator.iot import limits, outbound, packets, shared_subscriptions, wills
from infra.local.emulator.iot.connection import Connection, current
from infra.local.emulator.iot.packets import RefusedPacketError

_stock_dispatch = iot._WSSession._dispatch_packet
_stock_cleanup = iot._WSSession.cleanup
_stock_filter_allowed = iot._reserved_filter_subscribe_allowed
# The protocol level that each stored session was made with: one cannot be resumed by the other (developer guide, "MQTT
# persistent sessions").
_levels: dict[tuple[str, str, str], int] = {}


def install() -> None:
    """Replace framing, dispatch and the end of a session."""
    iot._feed_session = _feed
    iot._validate_publish_topic = lambda topic: limits.topic_problem(topic) is None
    iot._reserved_filter_subscribe_allowed = _filter_allowed
    iot._WSSession._dispatch_packet = _dispatch
    iot._WSSession._connack_properties = _connack_properties
    iot._WSSession.cleanup = _cleanup
    outbound.install()


def _filter_allowed(topic_filter: str) -> bool:
    problem = limits.filter_problem(topic_filter)
    if problem:
        iot._broker_logger.warning("IoT broker: SUBSCRIBE refused: %s", problem)
    return problem is None and bool(_stock_filter_allowed(topic_filter))


async def _feed(session: Any, data: bytes, _max_buffer: int) -> bool:
    """Handle every whole packet of what has come; False when the connection is to be closed."""
    session._buffer.extend(data)
    while True:
        try:
            if session._buffer:
                packets.check_type(session._buffer[0], connected=current.get().session is not None)
            packet = packets.take(session._buffer, session.protocol_version)
        except RefusedPacketError as error:
            return await _refuse(session, error)
        if packet is None:
            return True
        if not await session.handle_packet(*packet):
            return False


async def _dispatch(session: Any, kind: int, flags: int, body: bytes) -> bool:
    connection = current.get()
    try:
        if kind == packets.CONNECT:
            return await _connect(session, connection, flags, body)
        going_on = await _HANDLERS.get(kind, _unchanged)(session, kind, flags, body)
    except RefusedPacketError as error:
        return await _refuse(session, error)
    connection.heard()
    return going_on


async def _refuse(session: Any, error: RefusedPacketError) -> bool:
    connected = current.get().session is not None
    iot._broker_logger.warning("IoT broker: %r is disconnected: %s", session._client_id, error)
    session._forced_disconnect_reason = "CLIENT_ERROR"
    if session.protocol_version == iot.MQTT_5:
        reason = [(iot.PROP_REASON_STRING, str(error))]
        if connected:
            await session.send_bytes(iot._make_disconnect(error.reason_code, reason))
        else:
            await session.send_bytes(
                iot._make_connack(error.reason_code, protocol_version=iot.MQTT_5, properties=reason)
            )
    elif not connected and error.connack_311 is not None:
        await session.send_bytes(iot._make_connack(error.connack_311))
    return False


async def _unchanged(session: Any, kind: int, flags: int, body: bytes) -> bool:
    return bool(await _stock_dispatch(session, kind, flags, body))


async def _connect(session: Any, connection: Connection, flags: int, body: bytes) -> bool:
    if body[6:7] == bytes([iot.MQTT_5]):
        session.protocol_version = iot.MQTT_5
    connect = packets.read_connect(body)
    key = (session.account_id, session.region, connect.client_id)
    if _levels.get(key) not in (None, connect.version):
        iot._persistent_sessions.pop(key, None)
    session.connect = connect
    session.aliases = {}
    outbound.begin(session, connect, connection.writer)
    connection.connected(session, connect.keep_alive)
    if not await _stock_dispatch(session, packets.CONNECT, flags, connect.body):
        return False
    await wills.reconnected(key, resumed=not connect.clean_start)
    await shared_subscriptions.release(session)
    connection.heard()
    return True


def _connack_properties(session: Any, assigned_client_id: str | None) -> list[tuple[int, Any]]:
    assigned = [(iot.PROP_ASSIGNED_CLIENT_IDENTIFIER, assigned_client_id)] if assigned_client_id else []
    return assigned + packets.connection_properties(session.connect)


async def _publish(session: Any, kind: int, flags: int, body: bytes) -> bool:
    publish = packets.read_publish(flags, body, session.protocol_version)
    topic = _unaliased(session, publish)
    if topic != publish.topic:
        body = publish.body(topic)
    problem = limits.topic_problem(topic)
    if publish.retain and topic.startswith("$"):  # developer guide, "MQTT retained messages"
        problem = f"no message is retained on the reserved topic {topic!r}"
    if problem:
        raise RefusedPacketError(packets.TOPIC_INVALID, problem)
    return bool(await _stock_dispatch(session, kind, flags, body))


def _unaliased(session: Any, publish: packets.Publish) -> str:
    """The topic that is meant (MQTT 5, 3.3.2.3.4)."""
    alias = packets.property_of(publish.properties, iot.PROP_TOPIC_ALIAS)
    if not isinstance(alias, int):
        return publish.topic
    if not 1 <= alias <= limits.TOPIC_ALIASES:
        text = f"a topic alias is 1 to {limits.TOPIC_ALIASES}, not {alias}"
        raise RefusedPacketError(packets.TOPIC_ALIAS_INVALID, text)
    if publish.topic:
        session.aliases[alias] = publish.topic
    elif alias not in session.aliases:
        raise RefusedPacketError(packets.PROTOCOL_ERROR, f"the topic alias {alias} stands for no topic yet")
    return str(session.aliases[alias])


async def _subscribe(session: Any, kind: int, flags: int, body: bytes) -> bool:
    filters = packets.read_filters(kind, body, session.protocol_version)
    if len(filters) > limits.SUBSCRIPTIONS_PER_REQUEST:
        text = f"a SUBSCRIBE has at most {limits.SUBSCRIPTIONS_PER_REQUEST} filters, not {len(filters)}"
        raise RefusedPacketError(packets.QUOTA_EXCEEDED, text)
    if len({*session._sub_filters.values(), *filters}) > limits.SUBSCRIPTIONS_PER_CONNECTION:
        text = f"a connection has at most {limits.SUBSCRIPTIONS_PER_CONNECTION} subscriptions"
        raise RefusedPacketError(packets.QUOTA_EXCEEDED, text)
    before = dict(session._sub_filters)
    going_on = await _stock_dispatch(session, kind, flags, body)
    # A filter that was subscribed to already is replaced (MQTT 3.1.1 and MQTT 5, 3.8.4); stock ministack adds another
    # subscription, and each message comes twice.
    renewed = {topic_filter for sid, topic_filter in session._sub_filters.items() if sid not in before}
    for sid in [sid for sid, topic_filter in before.items() if topic_filter in renewed]:
        await iot.broker_unsubscribe(sid)
        session._sub_ids.remove(sid)
        session._sub_filters.pop(sid)
        session._sub_granted_qos.pop(sid, None)
    await shared_subscriptions.release(session)
    return bool(going_on)


async def _unsubscribe(session: Any, kind: int, flags: int, body: bytes) -> bool:
    packets.read_filters(kind, body, session.protocol_version)
    return bool(await _stock_dispatch(session, kind, flags, body))


async def _puback(session: Any, kind: int, flags: int, body: bytes) -> bool:
    going_on = await _stock_dispatch(session, kind, flags, body)
    await outbound.acknowledged(session)
    return bool(going_on)


async def _disconnect(session: Any, kind: int, flags: int, body: bytes) -> bool:
    """Developer guide, "MQTT persistent sessions", on the Session Expiry Interval of a DISCONNECT."""
    if session.protocol_version == iot.MQTT_5:
        reason, expiry = packets.read_disconnect(body)
        if expiry is not None:
            if expiry and not session._persist_session:
                text = "a session that ends with its connection cannot be prolonged when it is closed"
                raise RefusedPacketError(packets.PROTOCOL_ERROR, text)
            session._session_expiry_interval = min(expiry, limits.SESSION_EXPIRY)
            session._persist_session = expiry > 0
        if reason == wills.DISCONNECT_WITH_WILL:
            session._forced_disconnect_reason = "CLIENT_INITIATED_DISCONNECT"
    return bool(await _stock_dispatch(session, kind, flags, body))


async def _cleanup(session: Any) -> None:
    if session._cleaned_up or session._client_id == "":
        await _stock_cleanup(session)
        return
    key = (session.account_id, session.region, session._client_id)
    will = wills.delayed(session)
    await _stock_cleanup(session)
    outbound.end(session, key)
    _levels.pop(key, None)
    if key in iot._persistent_sessions:
        _levels[key] = session.protocol_version
    if will:
        wills.publish_later(key, will)


_HANDLERS = {
    packets.PUBLISH: _publish,
    packets.SUBSCRIBE: _subscribe,
    packets.UNSUBSCRIBE: _unsubscribe,
    packets.PUBACK: _puback,
    packets.DISCONNECT: _disconnect,
}
