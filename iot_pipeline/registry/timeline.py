"""The history of one device or site as versions without gaps (slowly changing, type 2), and what a change does to it.

A change sets attributes from a moment on, **until the next later change of the same attribute**. A change in the past
therefore splits the version of its moment and runs through the later ones, each of which keeps what it changed itself:

    moved to B at 12:00            [.., 12) site A fw 1    [12, ..) site B fw 1
    and firmware 2 as of 10:00     [.., 10) site A fw 1    [10, 12) site A fw 2    [12, ..) site B fw 2

A change at the very moment of an earlier one replaces it. Neighbours that no longer differ become one version: that
the device moved at 10:00, not at 12:00, is recorded by moving it to B at 10:00. A change to the
value that holds already makes no version, and does not stop a later correction. In the first two cases a change on
record is lost; `overwritten` names it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from iot_pipeline.registry.errors import RegistryError

Value = str | float | None


@dataclass(frozen=True)
class Version:
    """What was true from `valid_from` (inclusive) to `valid_to` (exclusive; None while it still is), both aware."""

    valid_from: datetime
    valid_to: datetime | None
    attributes: Mapping[str, Value]


def changed(versions: Sequence[Version], at: datetime, changes: Mapping[str, Value]) -> list[Version]:
    """The history after attributes changed at a moment, as the module says.

    `versions` are one history in order, `at` is aware. Raises RegistryError when `at` is before the first version.
    """
    if at < versions[0].valid_from:
        raise RegistryError(
            f"{at.isoformat()} is before the first version, which begins at {versions[0].valid_from.isoformat()}; "
            "give a later time"
        )
    steps = [(version.valid_from, dict(version.attributes)) for version in versions]
    here = bisect_right(steps, at, key=lambda step: step[0]) - 1
    if steps[here][0] != at:
        steps.insert(here + 1, (at, dict(steps[here][1])))
        here += 1
    for name, value in changes.items():
        replaced = steps[here][1][name]
        for _, attributes in steps[here:]:
            if attributes[name] != replaced:
                break
            attributes[name] = value
    return _joined(steps)


@dataclass(frozen=True)
class Recorded:
    """A change on record: from `at` (aware) on, an attribute has a value."""

    at: datetime
    attribute: str
    value: Value

    def __str__(self) -> str:
        """`site_id b since 2026-11-20T12:00:00+00:00`."""
        return f"{self.attribute} {self.value} since {self.at.isoformat()}"


def overwritten(old: Sequence[Version], new: Sequence[Version]) -> list[Recorded]:
    """The changes on record in a history that another one no longer tells, in order."""
    kept = set(_told(new))
    return [change for change in _told(old) if change not in kept]


def _told(versions: Sequence[Version]) -> Iterator[Recorded]:
    before: Mapping[str, Value] = {}
    for version in versions:
        # A device that is installed again is told anew as a whole, also what is as it was before its end.
        if (before.get("status"), version.attributes.get("status")) == ("decommissioned", "active"):
            before = {}
        for name, value in version.attributes.items():
            if name not in before or before[name] != value:
                yield Recorded(version.valid_from, name, value)
        before = version.attributes


def version_at(versions: Sequence[Version], at: datetime) -> Version | None:
    """The version that was true at a moment; None before the first."""
    here = bisect_right(versions, at, key=lambda version: version.valid_from) - 1
    return versions[here] if here >= 0 else None


def _joined(steps: Sequence[tuple[datetime, dict[str, Value]]]) -> list[Version]:
    kept = [steps[0], *(step for before, step in pairwise(steps) if step[1] != before[1])]
    ends = [*(start for start, _ in kept[1:]), None]
    return [Version(start, end, attributes) for (start, attributes), end in zip(kept, ends, strict=True)]
