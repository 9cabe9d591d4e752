"""What a change of the contract breaks, and for whom: two descriptions compared, consumer by consumer.

A change is *compatible* if whoever relied on the old contract goes on as before; *rows move* if readings that were
valid are not any more, or the other way round; *breaking* if somebody who relied on it is now wrong, and has to act.
What is breaking needs a new version of the contract.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from iot_pipeline.contract_commands.description import Description


class Effect(StrEnum):
    """What a change means to a consumer."""

    COMPATIBLE = "compatible"
    MOVES = "rows move"
    BREAKING = "breaking"


class Who(StrEnum):
    """Who relies on a contract."""

    DEVICES = "devices, firmware"
    READERS = "readers of the lake"
    WAREHOUSE = "warehouse, dashboards"
    EDGE = "edge state, alert rules"
    HISTORY = "what is built already"


@dataclass(frozen=True)
class Change:
    """One change, and what it means to one consumer."""

    effect: Effect
    who: Who
    what: str
    meaning: str


_FINE, _MOVES, _BREAKS = Effect.COMPATIBLE, Effect.MOVES, Effect.BREAKING
_Meanings = Sequence[tuple[Effect, Who, str]]

_ADDED: _Meanings = (
    (_FINE, Who.DEVICES, "may send it, and need not"),
    (_MOVES, Who.READERS, "one column more; `extras` no longer has the field: queries on it read the column instead"),
    (_FINE, Who.WAREHOUSE, "one column more, by `python -m iot_pipeline.warehouse migrate`"),
    (_FINE, Who.EDGE, "rules that hold for every metric hold for it"),
    (_MOVES, Who.HISTORY, "hours in which it was an unknown field are judged again; what is out of range leaves them"),
)
_REMOVED: _Meanings = (
    (_BREAKS, Who.DEVICES, "what they send becomes an unknown field; readings of it alone are quarantined"),
    (_BREAKS, Who.READERS, "the column is gone: queries that name it fail"),
    (_BREAKS, Who.WAREHOUSE, "its column holds nothing new, its rows leave the facts"),
    (_BREAKS, Who.EDGE, "its alerts are never resolved, its rules are refused"),
)
_OTHER_UNIT: _Meanings = (
    (_BREAKS, Who.DEVICES, "a value without a unit is read in another one"),
    (_BREAKS, Who.READERS, "the same column means something else"),
    (_BREAKS, Who.WAREHOUSE, "the same column means something else; thresholds in dashboards are wrong"),
    (_BREAKS, Who.EDGE, "kept values and the limits of rules are in the former unit"),
)
_CONVERTED: _Meanings = (
    (_BREAKS, Who.READERS, "hours that are judged again have other values"),
    (_BREAKS, Who.EDGE, "kept values are of the former conversion"),
)
_NARROWED: _Meanings = (
    (_MOVES, Who.DEVICES, "readings beyond the new bound are quarantined as `out_of_range`"),
    (_MOVES, Who.HISTORY, "hours with such values are judged again, and lose these rows"),
)
_WIDENED: _Meanings = (
    (_FINE, Who.DEVICES, "more values are taken"),
    (_MOVES, Who.HISTORY, "hours with such values are judged again, and gain these rows"),
)


def compared(old: Description, new: Description) -> list[Change]:
    """All changes from one contract to another, what breaks first."""
    found = [
        *_metrics(old["metrics"], new["metrics"]),
        *_reasons(old["reasons"], new["reasons"]),
        *_bounds(old["bounds"], new["bounds"]),
        *_message(old, new),
        *_tables(old, new),
        *_version(old["version"], new["version"]),
    ]
    order = [_BREAKS, _MOVES, _FINE]
    return sorted(found, key=lambda change: order.index(change.effect))


def verdict(old: Description, new: Description, changes: Sequence[Change]) -> str | None:
    """Why these changes must not be released as they are; None if they may."""
    if new["version"] < old["version"]:
        return f"the contract's version went back from {old['version']} to {new['version']}"
    broken = [change for change in changes if change.effect is _BREAKS]
    if not broken or new["version"] > old["version"]:
        return None
    whom = ", ".join(dict.fromkeys(change.who.value for change in broken))
    return (
        f"{len(broken)} breaking changes (for {whom}) under version {new['version']}, which was released without them. "
        "Raise `Contract.version`, or take them back"
    )


def _changes(what: str, meanings: _Meanings) -> Iterator[Change]:
    for effect, who, meaning in meanings:
        yield Change(effect, who, what, meaning)


def _metrics(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted(new.keys() - old.keys()):
        yield from _changes(f"metric {name} added", _ADDED)
    for name in sorted(old.keys() - new.keys()):
        yield from _changes(f"metric {name} removed", _REMOVED)
    for name in sorted(old.keys() & new.keys()):
        yield from _units(name, old[name], new[name])
        yield from _range(name, old[name], new[name])


def _units(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old["unit"] != new["unit"]:
        yield from _changes(f"unit of {name} changed from {old['unit']} to {new['unit']}", _OTHER_UNIT)
        return
    before, now = old["units"], new["units"]
    for symbol in sorted(before.keys() - now.keys()):
        what = f"{name} no longer taken in {symbol}"
        yield Change(_BREAKS, Who.DEVICES, what, "readings in it are quarantined as `unknown_unit`")
    for symbol in sorted(now.keys() - before.keys()):
        what = f"{name} taken in {symbol} too"
        yield Change(_FINE, Who.DEVICES, what, "may send it")
        yield Change(_MOVES, Who.HISTORY, what, "readings in it leave the quarantine when their hours are judged again")
    for symbol in sorted(before.keys() & now.keys()):
        if before[symbol] != now[symbol]:
            yield from _changes(f"{name} in {symbol} converted otherwise", _CONVERTED)


def _range(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    text = f"range of {name}, {_between(old)}, is now {_between(new)}"
    if new["minimum"] > old["minimum"] or new["maximum"] < old["maximum"]:
        yield from _changes(text, _NARROWED)
    if new["minimum"] < old["minimum"] or new["maximum"] > old["maximum"]:
        yield from _changes(text, _WIDENED)
    if new["max_rate"] != old["max_rate"]:
        what = f"largest change of {name} a minute, {old['max_rate']:g}, is now {new['max_rate']:g}"
        yield Change(_FINE, Who.EDGE, what, "other changes raise an alert")


def _between(metric: Mapping[str, Any]) -> str:
    return f"{metric['minimum']:g} to {metric['maximum']:g}"


def _reasons(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for name in [each for each in new if each not in old]:
        what = f"reason {name} added"
        yield Change(_MOVES, Who.DEVICES, what, "what was valid, or quarantined for another reason, may have this one")
        yield Change(_FINE, Who.READERS, what, "queries that list the reasons do not know it")
    for name in [each for each in old if each not in new]:
        what = f"reason {name} removed"
        yield Change(_BREAKS, Who.READERS, what, "queries and dashboards by this reason find nothing any more")
    if [each for each in old if each in new] != [each for each in new if each in old]:
        yield Change(_MOVES, Who.READERS, "order of the reasons", "a record with two faults may have the other reason")


def _bounds(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Change]:
    for name in sorted(old.keys() & new.keys()):
        if new[name] != old[name]:
            what = f"{name.replace('_', ' ')}, {old[name]:g}, is now {new[name]:g}"
            less = new[name] < old[name]
            meaning = "what lies between is quarantined" if less else "what lies between is taken"
            yield Change(_MOVES if less else _FINE, Who.DEVICES, what, meaning)


def _message(old: Description, new: Description) -> Iterator[Change]:
    for kind in ("message_fields", "reading_fields"):
        for name in [each for each in old[kind] if each not in new[kind]]:
            yield Change(_BREAKS, Who.DEVICES, f"field {name} removed", "what they send in it becomes an unknown field")
        for name in [each for each in new[kind] if each not in old[kind]]:
            meaning = "may send it; who sent it as an unknown field finds it no longer in `extras`"
            yield Change(_MOVES, Who.DEVICES, f"field {name} added", meaning)
    if old["topics"] != new["topics"]:
        what = f"topics, {old['topics']}, are now {new['topics']}"
        yield Change(_BREAKS, Who.DEVICES, what, "what they publish reaches nobody")
    for name in sorted(old["envelope"].keys() | new["envelope"].keys()):
        before, now = old["envelope"].get(name), new["envelope"].get(name)
        if before is not None and before != now:
            what = f"{name} of the IoT rules {'removed' if now is None else f'was {before}, is {now}'}"
            yield Change(_BREAKS, Who.HISTORY, what, "raw objects of before are not from the ingest any more")
        elif before is None:
            what = f"{name} of the IoT rules added"
            yield Change(_FINE, Who.HISTORY, what, "null in raw objects of before")


def _tables(old: Description, new: Description) -> Iterator[Change]:
    """Tables beside the columns that metrics bring, of which `_metrics` tells."""
    ours = {f"{start}{name}" for name in {**old["metrics"], **new["metrics"]} for start in ("", "min_", "max_")}
    if old["metrics"].keys() != new["metrics"].keys():
        # Its type names the metrics.
        ours.add("readings")
    for name, before in old["tables"].items():
        now = new["tables"].get(name)
        if now is None:
            yield Change(_BREAKS, Who.READERS, f"table {name} removed", "queries on it fail")
            continue
        yield from _columns(name, before["columns"], now["columns"], ours)
        for part in ("prefix", "partition_keys"):
            if before[part] != now[part]:
                what = f"{part.replace('_', ' ')} of {name} changed"
                yield Change(_BREAKS, Who.HISTORY, what, "what was written before is not found")
    for name in [each for each in new["tables"] if each not in old["tables"]]:
        yield Change(_FINE, Who.READERS, f"table {name} added", "nobody reads it yet")


def _columns(table: str, old: Mapping[str, str], new: Mapping[str, str], without: set[str]) -> Iterator[Change]:
    for name in [each for each in {**old, **new} if each not in without]:
        what = f"column {name} of {table}"
        if name not in new:
            yield Change(_BREAKS, Who.READERS, f"{what} removed", "queries that name it fail")
        elif name not in old:
            yield Change(_FINE, Who.READERS, f"{what} added", "null in partitions of before")
        elif old[name] != new[name]:
            meaning = "partitions of before cannot be read with it, and loads that copy it fail"
            yield Change(_BREAKS, Who.READERS, f"{what} was {old[name]}, is {new[name]}", meaning)


def _version(old: int, new: int) -> Iterator[Change]:
    if new != old:
        meaning = f"who goes on sending {old} is quarantined as `unsupported_version`"
        yield Change(_BREAKS, Who.DEVICES, f"version {old} is now {new}", meaning)
