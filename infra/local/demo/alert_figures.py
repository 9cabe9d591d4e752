"""The alerts held against the world: what the simulator truly did, by its manifest, and what the edge made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from iot_pipeline.contract import Reason
from iot_pipeline.contract.judged_reading import VALID
from simulator.faults import SPELL_READINGS

# A device's clock, the broker's and the packing of messages may place a start or an end so far apart.
STUCK_METRIC = "humidity"
_SLACK_MS = 3_000


@dataclass(frozen=True)
class Limits:
    """From when on the rules in force call it an alert: seconds of silence, readings and seconds of leak and stuck."""

    silence_s: float
    leak_readings: int
    leak_s: float
    stuck_readings: int
    stuck_s: float


@dataclass(frozen=True)
class Spell:
    """Something that truly happened to a device, from and until (epoch milliseconds, of the device).

    `earliest_ms`: when it may have begun for all that an alert can know, such as with an equal value before.
    `lasts`: what happened goes on to the end. `is_moment`: it is part of an episode, whose start others may have made.
    """

    device: str
    from_ms: int
    until_ms: int
    lasts: bool = False
    earliest_ms: int | None = None
    is_moment: bool = False


@dataclass(frozen=True)
class Verdict:
    """One kind of fault: how often it was injected, how many of those are alerts, and alerts without a cause.

    An outage, a leak and a stuck sensor are found only if the alert has their start and their end; a value out of its
    range, if it is within the alert's.
    """

    fault: str
    rule: str
    injected: int
    found: int
    unfounded: int
    differences: Sequence[str] = field(default=(), compare=False)

    @property
    def is_right(self) -> bool:
        """Whether every one is an alert, and nothing else is."""
        return self.injected == self.found and self.unfounded == 0


def verdicts(
    live: pd.DataFrame, rows: pd.DataFrame, episodes: Sequence[Mapping[str, Any]], limits: Limits
) -> list[Verdict]:
    """Each fault of the live rows of a manifest against the episodes of its rule.

    `rows` are all of the manifest: what was sent just before the live ones may be a cause as well. `episodes` have
    opened_ms and, if they are over, resolved_ms.
    """
    # The rule is set for a metric that a living sensor does not repeat; what has no such sensor shows nothing of it.
    humid = rows[rows[STUCK_METRIC].notna()]
    kinds = (
        ("out_of_range", "range", out_of_range(live), out_of_range(rows)),
        ("leak", "leak", *runs(rows, "leak", limits.leak_readings, limits.leak_s)),
        ("stuck", "stuck", *_since(live, runs(humid, "stuck", limits.stuck_readings, limits.stuck_s))),
        ("outage", "silence", *silences(live, limits.silence_s)),
    )
    return [
        _verdict(fault, rule, certain, possible, [each for each in episodes if each["rule"] == rule])
        for fault, rule, certain, possible in kinds
    ]


def _since(live: pd.DataFrame, found: tuple[list[Spell], list[Spell]]) -> tuple[list[Spell], list[Spell]]:
    """Of what happened that which must be found: what was over before the live rows is history."""
    certain, possible = found
    begin_ms = int(live["sent_at"].astype("int64").min())
    return [spell for spell in certain if spell.until_ms >= begin_ms], possible


def _verdict(
    fault: str, rule: str, certain: Sequence[Spell], possible: Sequence[Spell], episodes: Sequence[Mapping[str, Any]]
) -> Verdict:
    by_device: dict[str, list[Mapping[str, Any]]] = {}
    for each in episodes:
        by_device.setdefault(each["device"], []).append(each)
    causes: dict[str, list[Spell]] = {}
    for spell in possible:
        causes.setdefault(spell.device, []).append(spell)
    missed = [spell for spell in certain if not any(_is(e, spell) for e in by_device.get(spell.device, ()))]
    unfounded = [e for e in episodes if not any(_covers(e, spell) for spell in causes.get(e["device"], ()))]
    told = [f"not found: {spell}; {rule} of {spell.device}: {_spans(by_device, spell)}" for spell in missed]
    told += [f"without a cause: {rule} of {e['device']} from {e['opened_ms']} ms" for e in unfounded]
    return Verdict(fault, rule, len(certain), len(certain) - len(missed), len(unfounded), told)


def _spans(episodes: Mapping[str, Sequence[Mapping[str, Any]]], spell: Spell) -> list[tuple[int, int | None, bool]]:
    """Start, end and flapping of a device's episodes."""
    return [(e["opened_ms"], e.get("resolved_ms"), bool(e.get("flapping"))) for e in episodes.get(spell.device, ())]


def _covers(episode: Mapping[str, Any], spell: Spell) -> bool:
    until = episode.get("resolved_ms", np.inf)
    return bool(episode["opened_ms"] <= spell.until_ms + _SLACK_MS and until >= spell.from_ms - _SLACK_MS)


def _is(episode: Mapping[str, Any], spell: Spell) -> bool:
    """Whether an episode is what happened, from its start to its end."""
    if spell.is_moment:
        return _covers(episode, spell)
    earliest = spell.from_ms if spell.earliest_ms is None else spell.earliest_ms
    if not earliest - _SLACK_MS <= episode["opened_ms"] <= spell.from_ms + _SLACK_MS:
        return False
    if spell.lasts:
        return "resolved_ms" not in episode
    return bool(abs(episode.get("resolved_ms", np.inf) - spell.until_ms) <= _SLACK_MS)


def out_of_range(rows: pd.DataFrame) -> list[Spell]:
    """Each reading beyond its range that came in time, alone."""
    wrong = rows[rows["outcome"] == Reason.OUT_OF_RANGE.value]
    return [
        Spell(device, at, at, is_moment=True)
        for device, at in zip(wrong["device_id"], wrong["ts_ms"].astype(int), strict=True)
    ]


def runs(rows: pd.DataFrame, fault: str, readings: int, seconds: float) -> tuple[list[Spell], list[Spell]]:
    """The lasting faults that the rule must find, by a margin, and all of them, which it may find."""
    certain, possible = [], []
    moved = rows[(rows["outcome"] == VALID) & _is_moved(rows)]
    moved_of = dict(iter(moved.groupby("device_id")))
    for device, mine in _valid(rows).groupby("device_id", sort=False):
        others = moved_of.get(device, moved.iloc[:0])
        faulty = others.loc[others["faults"].str.contains(fault, regex=False), "ts_ms"]
        has = mine["faults"].str.contains(fault, regex=False).to_numpy()
        times = mine["ts_ms"].astype(int).to_numpy()
        # A fault that lasts over two spells may have another value in the second.
        spells = np.where(has, 1 + mine["seq"].to_numpy(dtype=float) // SPELL_READINGS if fault == "stuck" else 1, 0)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], spells, [0]])))
        for begin, end in pairwise([*edges, len(spells)]):
            if begin == end or not spells[begin]:
                continue
            first, last = int(times[begin]), int(times[end - 1])
            before = times[begin - 1] if begin else -np.inf
            # A reading that came twice, or by a wrong clock, is left out here; the rule may have begun with it.
            earlier = [at for at in faulty if before < at < first]
            earliest = min(earlier, default=first)
            if fault == "stuck" and begin:
                equal = _first_equal(mine[STUCK_METRIC].to_numpy(), spells, begin)
                other = times[equal - 1] if equal else -np.inf
                repeated = others.loc[others[STUCK_METRIC] == mine[STUCK_METRIC].iloc[begin], "ts_ms"]
                earliest = min(before, times[equal], *(at for at in repeated if other < at < first))
            spell = Spell(str(device), first, last, lasts=bool(end == len(times)), earliest_ms=int(earliest))
            possible.append(spell)
            # Readings that came late or twice do not count towards a run.
            if end - begin >= 1.1 * readings + 2 and (spell.until_ms - spell.from_ms) / 1000 >= 1.1 * seconds + 1:
                certain.append(spell)
    return certain, possible


def _first_equal(values: "np.ndarray[Any, Any]", spells: "np.ndarray[Any, Any]", begin: int) -> int:
    """Where a spell's value began: a living sensor may have had it by chance in the readings just before."""
    while begin and not spells[begin - 1] and values[begin - 1] == values[begin]:
        begin -= 1
    return begin


def silences(rows: pd.DataFrame, seconds: float) -> tuple[list[Spell], list[Spell]]:
    """The times in which a device sent nothing: longer than the limit by a margin, and nearly as long."""
    certain, possible = [], []
    sent = rows[["device_id", "message", "sent_at"]].drop_duplicates(["device_id", "message"])
    for device, mine in sent.sort_values("sent_at").groupby("device_id", sort=False):
        times = mine["sent_at"].astype("int64").to_numpy()
        for before, after in pairwise(times):
            lasted = (after - before) / 1000
            if lasted >= seconds - 1:
                possible.append(Spell(str(device), int(before), int(after)))
            if lasted >= seconds + 1:
                certain.append(possible[-1])
    return certain, possible


def _valid(rows: pd.DataFrame) -> pd.DataFrame:
    """Valid readings in the order of their event time; those that were made late are left out."""
    found: pd.DataFrame = rows[(rows["outcome"] == VALID) & ~_is_moved(rows)].sort_values(["device_id", "ts_ms", "seq"])
    return found


def _is_moved(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["faults"].str.contains("late|clock_skew|out_of_order|duplicate|conflict", regex=True)
