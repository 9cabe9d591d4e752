"""Episodes of alerts as items of the alerts table: how transitions become writes, and what a person reads of them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from iot_pipeline.alerting.lifecycle import Severity, Transition, What

# How long a resolved episode stays in the table. The lake keeps all of them.
KEPT_SECONDS = 90 * 86_400
# What a note says of an episode that a person has taken on.
ACKNOWLEDGED = "acknowledged"

Item = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where an alert's subject is; `device` is empty for a site's own alerts."""

    tenant: str
    site: str
    device: str = ""


@dataclass(frozen=True)
class About:
    """What an episode is about, for people, where place and rule do not say it: in a few words, and at length."""

    words: str
    text: str = ""


# A notification lists many episodes, and SNS takes 256 KB.
MAX_WORDS, MAX_TEXT = 200, 3_000


@dataclass(frozen=True)
class Change:
    """The transitions of one episode, in order, that are written together.

    `trace` is the broker's id of the message that caused the first, `arrival_ms` when it arrived. `notes` False keeps
    them from people: what began and ended within one message, and what a wider alert speaks for (`parent`, an episode's
    id).
    """

    place: Place
    transitions: tuple[Transition, ...]
    trace: str | None = None
    arrival_ms: int | None = None
    notes: bool = True
    parent: str | None = None
    about: About | None = None

    @property
    def episode(self) -> str:
        """The episode's id."""
        return self.transitions[0].episode

    @property
    def opens(self) -> bool:
        """Whether the episode begins with it."""
        return self.transitions[0].what is What.OPENED

    @property
    def is_whole(self) -> bool:
        """Whether the episode begins and ends with it."""
        return self.opens and self.transitions[-1].what is What.RESOLVED


def write_of(change: Change, table: str, now_ms: int, *, is_new: bool | None = None) -> Item:
    """The one item of a DynamoDB transaction that records a change: a put of a new episode, or an update.

    A put fails where the episode is on record, and an update where it is not. `is_new` None: as the change says.
    """
    if change.opens if is_new is None else is_new:
        item = _opened(change, now_ms)
        return {"Put": {"TableName": table, "Item": typed(item), "ConditionExpression": "attribute_not_exists(id)"}}
    return {"Update": {"TableName": table, "Key": {"id": {"S": change.episode}}, **_update(change, now_ms)}}


def _opened(change: Change, now_ms: int) -> Item:
    first, last = change.transitions[0], change.transitions[-1]
    place, key = change.place, first.key
    item: Item = {
        "id": change.episode,
        "subject": key.subject,
        "rule": key.rule,
        "metric": key.metric,
        "tenant": place.tenant,
        "site": place.site,
        "device": place.device,
        "opened_at": iso(first.since_ms),
        "opened_ms": first.since_ms,
        "seen_ms": first.seen_ms,
        "recorded_ms": now_ms,
        "opened_severity": int(first.severity),
        "trace": change.trace,
        "arrival_ms": change.arrival_ms,
        "parent": change.parent,
        **_standing(change, now_ms),
        **written(now_ms),
    }
    if last.what is not What.RESOLVED:
        item["open"] = place.tenant
    if change.notes:
        item |= {"outbox": _notes(change, now_ms), "pending": "1", "pending_at": iso(now_ms)}
    return {name: value for name, value in item.items() if value is not None}


def written(now_ms: int) -> Item:
    """When an item was written last: by these two the index `written` has what changed since some moment."""
    at = iso(now_ms)
    return {"written_day": at[:10], "written_at": at}


def _standing(change: Change, now_ms: int) -> Item:
    """What of an episode changes during its life."""
    last = change.transitions[-1]
    standing: Item = {
        "severity": int(last.severity),
        "status": "resolved" if last.what is What.RESOLVED else "open",
        "flapping": last.flapping,
        "is_history": not last.is_told,
        "changed_ms": last.at_ms,
        "value": last.value,
        "limit": last.limit,
        "worst": last.worst,
    }
    if change.about is not None and last.what is not What.RESOLVED:
        standing |= {"about": change.about.words[:MAX_WORDS], "text": change.about.text[:MAX_TEXT]}
    escalations = [transition.at_ms for transition in change.transitions if transition.what is What.ESCALATED]
    if escalations:
        standing["escalated_ms"] = escalations[-1]
    if last.what is What.RESOLVED:
        standing |= {"resolved_ms": last.at_ms, "resolution_ms": now_ms, "expires_at": now_ms // 1000 + KEPT_SECONDS}
    return standing


def _update(change: Change, now_ms: int) -> Item:
    last = change.transitions[-1]
    standing = _standing(change, now_ms) | written(now_ms)
    values = {name: value for name, value in standing.items() if value is not None}
    sets = [f"#{name} = :{name}" for name in values]
    if change.notes:
        sets += ["outbox = list_append(if_not_exists(outbox, :none), :notes)", "pending = :one", "pending_at = :now"]
        extra = {"none": [], "notes": _notes(change, now_ms), "one": "1", "now": iso(now_ms)}
    else:
        extra = {}
    removes = " REMOVE #open" if last.what is What.RESOLVED else ""
    names = {f"#{name}": name for name in values}
    if removes:
        names["#open"] = "open"
    return {
        "UpdateExpression": f"SET {', '.join(sets)}{removes}",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {f":{name}": value_of(value) for name, value in (values | extra).items()},
    }


def _notes(change: Change, now_ms: int) -> list[Item]:
    return [_note(each, now_ms) for each in change.transitions if each.is_told]


def _note(transition: Transition, now_ms: int) -> Item:
    note = {
        "what": str(transition.what),
        "severity": int(transition.severity),
        "at_ms": transition.at_ms,
        "since_ms": transition.since_ms,
        "noted_ms": now_ms,
        "value": transition.value,
        "limit": transition.limit,
        "flapping": transition.flapping,
    }
    return {name: value for name, value in note.items() if value is not None}


def changes(
    transitions: Iterable[Transition],
    place: Place,
    trace: str | None,
    arrival_ms: int | None = None,
    *,
    held: bool = False,
) -> list[Change]:
    """The transitions that one message caused, by episode.

    What begins and ends within one message is on record and tells nobody: it was over before it was known; and so does
    what is history. `held`: the device's silence had a wider alert that spoke for it, and speaks for its end as well.
    """
    of_episode: dict[str, list[Transition]] = {}
    for transition in transitions:
        of_episode.setdefault(transition.episode, []).append(transition)
    return [
        Change(place, tuple(each), trace, arrival_ms, _concerns_people(each, held=held)) for each in of_episode.values()
    ]


def merged(changes_in_order: Iterable[Change]) -> list[Change]:
    """Changes of several messages, one an episode: a transaction takes no item twice."""
    found: dict[str, Change] = {}
    for change in changes_in_order:
        before = found.get(change.episode)
        if before is None:
            found[change.episode] = change
        else:
            notes = before.notes or change.notes
            transitions = (*before.transitions, *change.transitions)
            about = change.about or before.about
            found[change.episode] = replace(before, transitions=transitions, notes=notes, about=about)
    return list(found.values())


def _concerns_people(transitions: list[Transition], *, held: bool) -> bool:
    if held and transitions[0].key.rule == "silence":
        return False
    is_over = transitions[0].what is What.OPENED and transitions[-1].what is What.RESOLVED
    return any(each.is_told for each in transitions) and not is_over


def describe(item: Mapping[str, Any]) -> str:
    """An episode in a line: what is wrong with what, since when."""
    severity = Severity(int(item["severity"])).label
    metric = f" of {item['metric']}" if item.get("metric") else ""
    value = f", value {item['value']:g}" if item.get("value") is not None else ""
    limit = f", limit {item['limit']:g}" if item.get("limit") is not None else ""
    flapping = " (flapping)" if item.get("flapping") else ""
    where = item.get("about") or "/".join(part for part in (item["tenant"], item["site"], item["device"]) if part)
    return f"{severity}: {item['rule']}{metric} at {where} since {iso(int(item['opened_ms']))}{value}{limit}{flapping}"


def iso(at_ms: int) -> str:
    """Epoch milliseconds as ISO 8601, UTC, with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def typed(item: Mapping[str, Any]) -> Item:
    """A plain item as DynamoDB's API takes it."""
    return {name: value_of(value) for name, value in item.items()}


def value_of(value: Any) -> Item:
    """A value as DynamoDB's API takes it. Raises TypeError for what no item holds."""
    # The serializer takes decimals alone, so that no digit is lost that nobody sent.
    return dict(_SERIALIZER.serialize(json.loads(json.dumps(value), parse_float=Decimal)))


def plain(item: Mapping[str, Any]) -> Item:
    """An item of DynamoDB's API as plain values; numbers are int where they are whole."""
    values = {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}
    found: Item = json.loads(json.dumps(values, default=_number))
    return found


def _number(value: Decimal) -> float:
    return int(value) if value == value.to_integral_value() else float(value)


_SERIALIZER, _DESERIALIZER = TypeSerializer(), TypeDeserializer()
