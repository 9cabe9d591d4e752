"""What AWS IoT Core's message broker allows: its numbers, and what is wrong with a topic, a filter or a client id.

AWS general reference, "AWS IoT Core message broker and protocol limits and quotas" (quoted beside each number);
developer guide, "MQTT" (its properties, reason codes, and "AWS IoT differences from MQTT specifications").
"""

import re

# "The payload for every publish request can be no larger than 128 KB. AWS IoT Core rejects publish and connect requests
# larger than this size."
MAXIMUM_PAYLOAD = 128 * 1024
# "Maximum MQTT5 packet size (variable header and payload)": 146 KB. A payload of 128 KB fits with its topic and its
# properties. MQTT 3.1.1 has no such number; nothing that is allowed there is larger.
MAXIMUM_PACKET = 146 * 1024
# "Default keep-alive interval is used when a client requests a keep-alive interval of zero or > 1200 seconds. If a
# client requests a keep-alive interval < 30 seconds but more than zero, the server treats the client as though it
# requested a keep-alive interval of 30 seconds."
MINIMUM_KEEP_ALIVE, MAXIMUM_KEEP_ALIVE = 30, 1200
# "... disconnects the client if it doesn't receive [a packet] within a period 1.5 times the requested interval", which
# is MQTT 3.1.1, 3.1.2.10, and MQTT 5, 3.1.2.10.
KEEP_ALIVE_GRACE = 1.5
# "Size of the client ID, which is 128 bytes of UTF-8 encoded characters"; "Restricted client ID prefix": `$`.
MAXIMUM_CLIENT_ID = 128
# "The topic ... can be no larger than 256 bytes of UTF-8 encoded characters" and "can have no more than 7 forward
# slashes"; both "exclude the first 3 mandatory segments for Basic Ingest topics ($AWS/rules/rule-name/)".
MAXIMUM_TOPIC, MAXIMUM_SLASHES = 256, 7
# Developer guide, "Shared subscriptions": "The maximum size for {ShareName} is 128 UTF-8 characters", and its two
# slashes do not count.
MAXIMUM_SHARE_NAME = 128
# "A single SUBSCRIBE request has a quota of 8 subscriptions"; "AWS IoT Core supports 50 subscriptions per connection
# [and] might reject subscription requests ... in excess of this amount and the connection is closed".
SUBSCRIPTIONS_PER_REQUEST, SUBSCRIPTIONS_PER_CONNECTION = 8, 50
# "Maximum outbound unacknowledged QoS 1 publish requests" and its inbound twin, which is MQTT 5's Receive Maximum.
RECEIVE_MAXIMUM = 100
# "MQTT 5 Topic Alias ... by default 8".
TOPIC_ALIASES = 8
# "Persistent session expiry period ... 1 hour", the maximum of a Session Expiry Interval unless it is raised.
SESSION_EXPIRY = 3600

_BASIC_INGEST = re.compile(r"\$aws/rules/[^/]+/")


def keep_alive(requested: int) -> int:
    """The keep-alive in seconds that holds for a client that asks for `requested`."""
    if not 0 < requested <= MAXIMUM_KEEP_ALIVE:
        return MAXIMUM_KEEP_ALIVE
    return max(requested, MINIMUM_KEEP_ALIVE)


def topic_problem(topic: str) -> str | None:
    """Why nothing can be published to a topic, None when it can."""
    if not topic:
        return "a topic has at least one character"
    if "+" in topic or "#" in topic:
        return f"the topic {topic!r} has a wildcard, which only a topic filter may have"
    return _size_problem("topic", _BASIC_INGEST.sub("", topic, count=1))


def filter_problem(topic_filter: str) -> str | None:
    """Why nobody can subscribe to a topic filter, shared ones among them; None when it is well formed."""
    if topic_filter.startswith("$share/"):
        _, share, topic_filter = (*topic_filter.split("/", 2), "", "")[:3]
        if not 1 <= len(share) <= MAXIMUM_SHARE_NAME or "+" in share or "#" in share:
            return f"a share name has 1 to {MAXIMUM_SHARE_NAME} characters and no wildcard, not {share!r}"
    if not topic_filter:
        return "a topic filter has at least one character"
    levels = topic_filter.split("/")
    if any("+" in level and level != "+" for level in levels):
        return f"in the filter {topic_filter!r} a `+` does not stand for a whole level"
    if "#" in topic_filter[:-1] or ("#" in topic_filter and levels[-1] != "#"):
        return f"in the filter {topic_filter!r} a `#` is not its whole last level"
    return _size_problem("topic filter", topic_filter)


def client_id_problem(client_id: str) -> str | None:
    """Why a client may not have an id, None when it may."""
    if (size := len(client_id.encode())) > MAXIMUM_CLIENT_ID:
        return f"a client id has at most {MAXIMUM_CLIENT_ID} bytes, not {size}"
    if client_id.startswith("$"):
        return f"the client id {client_id!r} begins with `$`, which AWS IoT keeps for itself"
    return "the client id has the character U+0000" if "\0" in client_id else None


def _size_problem(what: str, text: str) -> str | None:
    if "\0" in text:
        return f"the {what} has the character U+0000"
    if (size := len(text.encode())) > MAXIMUM_TOPIC:
        return f"a {what} has at most {MAXIMUM_TOPIC} bytes, not {size}"
    if (slashes := text.count("/")) > MAXIMUM_SLASHES:
        return f"a {what} has at most {MAXIMUM_SLASHES} slashes, not {slashes}"
    return None
