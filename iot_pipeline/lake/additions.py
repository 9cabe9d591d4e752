"""Event hours that are built and can be added to, and what of the judged rows is new to them.

An arrival hour that an event hour was not built from is new to it as a whole. One that it was built from may have grown
since: its judged rows then lie in the objects that were read before, which a further version takes over under the same
names, and in further ones.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from iot_pipeline.lake.catalog import Partition
from iot_pipeline.lake.hours import Hour
from iot_pipeline.lake.increments import MAX_OBJECTS, TAKEN_OVER, size_of
from iot_pipeline.lake.notes import BuildNotes, Counts, Read
from iot_pipeline.lake.objects import Objects, StoredObject
from iot_pipeline.lake.plan import EventHourPlan

# An arrival hour that was judged longer ago is not expected to grow; what was read of it is not noted.
MAY_GROW = timedelta(hours=2)

# So many builds may have written what an hour holds, a whole one and additions; then it is written anew as few objects.
MAX_BUILDS = 16

# Names the objects of judged rows that lie at a location.
Names = Callable[[str], frozenset[str]]

_TAKEN_OVER = re.compile(rf"{TAKEN_OVER}[0-9a-f]{{8}}-")


@dataclass(frozen=True)
class Addition:
    """An event hour that is built, of which arrival hours have further readings. `objects` lie where `base` is.

    `read` is what its rows were read from already, of the arrival hours to read now.
    """

    base: Partition
    counts: Counts
    objects: tuple[StoredObject, ...]
    arrivals: frozenset[Hour]
    read: frozenset[tuple[Hour, str]]

    def is_new(self, arrival: Hour, judged_object: str) -> bool:
        """Whether an object of an arrival hour's judged rows (s3://bucket/key) is to be read."""
        return (arrival, name_of(judged_object)) not in self.read


def find_addition(
    objects: Objects, base: Partition, plan: EventHourPlan, columns: str, names: Names
) -> Addition | None:
    """What is to be added to an event hour; None if it is to be built whole.

    It is if what it was built from has changed otherwise than by growing or is not known, if its objects are not those
    that were written or are many, and if of what is new some is likely to be a repetition. If nothing is new, whoever
    asks for it wants it whole. Objects of other `columns` than the contract's now are never added to: COPY wants all of
    an hour alike.
    """
    noted, marks = base.notes, plan.marks[base.hour]
    if not noted or noted.marks is None or noted.counts is None or noted.stored is None or noted.columns != columns:
        return None
    changed = {arrival for arrival, mark in noted.marks.items() if marks.get(arrival) != mark}
    arrivals = frozenset(changed | (marks.keys() - noted.marks.keys()))
    if not arrivals or not all(_has_grown(arrival, noted, plan, names) for arrival in changed):
        return None
    new = sum(mark.readings for mark in marks.values()) - noted.counts.readings
    if new <= 0 or 2 * new > noted.counts.readings or _repeats(new, noted.counts):
        return None
    stored = tuple(objects.at(base.location))
    if len(stored) >= MAX_OBJECTS or _builds(stored) >= MAX_BUILDS or size_of(stored) != noted.stored:
        return None
    read = frozenset((arrival, name) for arrival in changed for name in (noted.read or {})[arrival])
    return Addition(base, noted.counts, stored, arrivals, read)


def _has_grown(arrival: Hour, noted: BuildNotes, plan: EventHourPlan, names: Names) -> bool:
    """Whether all that an event hour was built from, of an arrival hour, stands as it stood, beside more."""
    before, at = (noted.read or {}).get(arrival), _judged_at(plan, arrival)
    return before is not None and at is not None and before < names(at)


def _builds(stored: Iterable[StoredObject]) -> int:
    """How many builds have written these objects: names that were taken over begin with a digest of whence."""
    taken_over = (_TAKEN_OVER.match(it.uri.rpartition("/")[2]) for it in stored)
    return len({found[0] if found else "" for found in taken_over})


def _repeats(readings: int, held: Counts) -> bool:
    """Whether among so many readings at least one is expected to repeat a key, as often as those that are held do."""
    return readings * (held.duplicates + held.conflicts) >= held.readings


def read_of(plan: EventHourPlan, now: datetime, names: Names) -> Mapping[Hour, Read]:
    """What each event hour of a plan is built from, of the arrival hours that may yet grow."""
    recent = {
        arrival: found
        for arrival in plan.all_arrivals
        if (it := plan.ledger[arrival].notes)
        and it.built_at > now - MAY_GROW
        and it.judged
        and (found := names(it.judged))
    }
    return {hour: {it: recent[it] for it in marks if it in recent} for hour, marks in plan.marks.items()}


def _judged_at(plan: EventHourPlan, arrival: Hour) -> str | None:
    """The location of the judged rows that the ledger of an arrival hour was counted from."""
    ledger = plan.ledger.get(arrival)
    return ledger.notes.judged if ledger and ledger.notes else None


def judged_names(objects: Objects, location: str) -> frozenset[str]:
    """The names of the objects of judged rows at a location; none if they are many."""
    found = frozenset(name_of(it.uri) for it in objects.at(location))
    return found if len(found) <= MAX_OBJECTS else frozenset()


def name_of(uri: str) -> str:
    """A digest of the name under which an object of judged rows was written first, eight hexadecimal digits.

    Of two names that share a digest the newer is not read; the balance of the event hour then tells, and it is built
    whole.
    """
    name = _TAKEN_OVER.sub("", uri.rpartition("/")[2], count=1)
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def alike(additions: Collection[Addition]) -> list[list[Addition]]:
    """The additions that one statement can make together: of the same arrival hours, beside the same objects."""
    together: dict[tuple[frozenset[Hour], frozenset[tuple[Hour, str]]], list[Addition]] = {}
    for it in additions:
        together.setdefault((it.arrivals, it.read), []).append(it)
    return list(together.values())
