"""A plan: the hours to build, zone by zone, each with its reason, and what that will cost.

A plan is made once, looked at by a person, and carried out as it was made. Each of its steps says itself whether it has
been done since, so that a plan that was interrupted is carried out again from wherever it ended.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from iot_pipeline.lake.hours import Hour, contiguous
from iot_pipeline.lake.pricing import query_cost
from iot_pipeline.lake.statements import MAX_PARTITIONS


class PlanError(ValueError):
    """A plan that does not exist, is malformed, or costs more than is allowed."""


class Zone(StrEnum):
    """What is built, in the order in which it is: judged rows with ledger and quarantine by arrival hour, then curated
    rows and their load into the warehouse by event hour. The models follow by themselves.
    """

    JUDGED = "judged"
    CURATED = "curated"
    WAREHOUSE = "warehouse"


class Why(StrEnum):
    """Why an hour is to be built."""

    MISSING = "missing"
    STALE = "stale"
    CONTRACT = "contract changed"
    FOLLOWS = "follows"
    FORCED = "forced"


MEANINGS = {
    Why.MISSING: "there is something to build from, and nothing was built",
    Why.STALE: "what is there is not what the zone before it holds",
    Why.CONTRACT: "the contract in force would judge some of its rows otherwise",
    Why.FOLLOWS: "what it is built from is built again in this plan; it is built only if that changes it",
    Why.FORCED: "it is current, and a person wants it built all the same",
}

# What a plan may cost, in US dollars, unless its run says otherwise.
BUDGET = 5.0
# Statements that Athena runs for a batch of hours, with their checks: as a run's steps show under `queries`.
STATEMENTS = {Zone.JUDGED: 10, Zone.CURATED: 7, Zone.WAREHOUSE: 0}
# How often a batch's bytes are read: judged, and counted once more for the balance; built, and audited. What ledger and
# quarantine read of the judged rows is not in it, and makes a dear plan dearer by up to half.
_READ = {Zone.JUDGED: 2.0, Zone.CURATED: 1.2, Zone.WAREHOUSE: 0.0}
# For the minutes, a guess: what queueing and planning take a statement, and bytes a second, of gzip or Parquet.
_STATEMENT_SECONDS, _BYTES_PER_SECOND = 3.0, 5_000_000.0


@dataclass(frozen=True)
class Step:
    """One hour of one zone. `size`: bytes that it is built from."""

    zone: Zone
    hour: Hour
    why: Why
    size: int


@dataclass(frozen=True)
class Plan:
    """What is to be built of the hours `first` to `last`, in order. `made_at` is UTC."""

    id: str
    first: Hour
    last: Hour
    made_at: datetime
    steps: Sequence[Step]

    def of(self, zone: Zone) -> list[Step]:
        """The steps of a zone, in order of their hours."""
        return sorted((step for step in self.steps if step.zone is zone), key=lambda step: step.hour)

    def batches(self, zone: Zone) -> Iterator[list[Step]]:
        """The steps of a zone, as many together as one statement builds."""
        steps = self.of(zone)
        return (steps[i : i + MAX_PARTITIONS] for i in range(0, len(steps), MAX_PARTITIONS))

    @property
    def dollars(self) -> float:
        """What Athena will bill, in US dollars: an estimate. Steps that follow may turn out to be current."""
        return sum(self._dollars(zone) for zone in Zone)

    @property
    def minutes(self) -> float:
        """A guess at how long it takes."""
        seconds = 0.0
        for zone in Zone:
            for batch in self.batches(zone):
                read = sum(step.size for step in batch) * _READ[zone]
                seconds += max(1, STATEMENTS[zone]) * _STATEMENT_SECONDS + read / _BYTES_PER_SECOND
        return seconds / 60

    def _dollars(self, zone: Zone) -> float:
        total = 0.0
        for batch in self.batches(zone):
            statements = STATEMENTS[zone]
            if statements:
                read = sum(step.size for step in batch) * _READ[zone] / statements
                total += statements * query_cost(max(1, round(read)))
        return total

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """The plan as a table: zone, why, hours, which, bytes, US dollars."""
        found = []
        for zone in Zone:
            reasons = Counter(step.why for step in self.of(zone))
            share = self._dollars(zone) / max(1, reasons.total())
            for why, count in reasons.items():
                hours = [step.hour for step in self.of(zone) if step.why is why]
                size = sum(step.size for step in self.of(zone) if step.why is why)
                found.append((zone.value, why.value, str(count), ranges(hours), f"{size:,}", f"{share * count:.4f}"))
        return found

    def check_budget(self, budget: float) -> None:
        """Raises PlanError if it may cost more US dollars than that."""
        if self.dollars > budget:
            raise PlanError(
                f"plan {self.id} may cost {self.dollars:.2f} USD, the budget is {budget:.2f}: plan fewer hours, or "
                "give a larger budget"
            )

    def encode(self) -> str:
        """As JSON."""
        steps = [[s.zone.value, s.hour.start.isoformat(), s.why.value, s.size] for s in self.steps]
        first, last = self.first.start.isoformat(), self.last.start.isoformat()
        held = {"id": self.id, "first": first, "last": last, "made_at": self.made_at.isoformat(), "steps": steps}
        return json.dumps(held, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> "Plan":
        """What `encode` gave. Raises PlanError for anything else."""
        try:
            held = json.loads(text)
            steps = [Step(Zone(z), _hour(hour), Why(why), int(size)) for z, hour, why, size in held["steps"]]
            made_at = datetime.fromisoformat(held["made_at"]).astimezone(UTC)
            return cls(held["id"], _hour(held["first"]), _hour(held["last"]), made_at, steps)
        except (KeyError, TypeError, ValueError) as error:
            raise PlanError(f"this is no plan of a backfill: {error!r}") from error


def ranges(hours: Iterable[Hour], shown: int = 4) -> str:
    """Hours as people read them: the first few ranges, and how many more there are."""
    found = contiguous(hours)
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in found[:shown]]
    more = f" and {len(found) - shown} more" if len(found) > shown else ""
    return ", ".join(texts) + more


def _hour(text: str) -> Hour:
    return Hour(datetime.fromisoformat(text).astimezone(UTC))
