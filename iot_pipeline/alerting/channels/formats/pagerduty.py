"""Events of PagerDuty's Events API v2: an incident an episode, which the episode's end closes.

PagerDuty developer documentation, "Send an Alert Event" (the lengths), "Send a Change Event" (what is to be seen beside
a service's incidents and wakes nobody), "Events API v2 Overview" (512 KB). The routing key is not in here: it is put in
when the event is sent, so that no dead letter holds it.
"""

from typing import Any

from iot_pipeline.alerting.channels.message import Message

MAX_SUMMARY, MAX_DEDUP_KEY, MAX_BYTES = 1_024, 255, 512_000
_MAX_DETAIL = 4_000
_CLIENT = "iot_pipeline"
_ACTIONS = {"resolved": "resolve", "acknowledged": "acknowledge"}
CHANGE = "/v2/change/enqueue"
ALERT = "/v2/enqueue"


def rendered(message: Message) -> dict[str, Any]:
    """The event, without its routing key: of an episode an alert event, of anything else a change event."""
    links = [{"href": url, "text": label} for label, url in message.links]
    if not message.episode:
        return {"payload": _payload(message), "links": links}
    event = {"event_action": _ACTIONS.get(message.what, "trigger"), "dedup_key": message.episode[:MAX_DEDUP_KEY]}
    if event["event_action"] != "trigger":
        return event
    more = {"severity": message.severity, "class": message.rule, "group": message.source}
    return {**event, "payload": _payload(message) | more, "client": _CLIENT, "links": links}


def url(address: str, message: Message) -> str:
    """Where to send it: change events have a path of their own."""
    return address if message.episode else address.removesuffix(ALERT) + CHANGE


def _payload(message: Message) -> dict[str, Any]:
    details = {label: value[:_MAX_DETAIL] for label, value in message.facts}
    if message.lines:
        details["Details"] = "\n".join(message.lines)[:_MAX_DETAIL]
    payload = {"summary": message.title[:MAX_SUMMARY], "source": message.source or _CLIENT, "custom_details": details}
    return payload | ({"timestamp": message.since} if message.since else {})
