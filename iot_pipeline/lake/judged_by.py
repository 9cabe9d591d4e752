"""By what rules a group of readings was judged, as a text in the ledger that changes when its rows may change.

A change of the contract need not change what an hour holds: who narrows the range of one metric changes only hours with
values outside the new range. So the text names a metric only where the group has values of it, and the metric's range
only where one of them lies outside. It is written in SQL: once over judged rows, when the ledger is built, and once
over what the ledger keeps of them, to ask which hours the present contract would judge otherwise.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from iot_pipeline.contract import Contract, Metric
from iot_pipeline.lake.transformation import VERSION

# What judged the ledgers that were built before they noted it: the contract of the release of 2026-11-21.
UNNOTED_RULES = "d5c83f02bde9"


@dataclass(frozen=True)
class Group:
    """The SQL of what is known of a group of readings: from judged rows as aggregates, from a ledger as columns."""

    lowest: str
    highest: str
    first_event: str
    last_received: str
    with_unknown_fields: str
    unknown_names: str

    def lowest_of(self, metric: Metric) -> str:
        """The least value of a metric in its canonical unit, valid or not; null if there is none."""
        return self.lowest.format(metric.name)

    def highest_of(self, metric: Metric) -> str:
        """The greatest one."""
        return self.highest.format(metric.name)


# More names than a text of so many characters has are some device's garbage: of such a group it is not known which.
_LONGEST_NAMES = 16_000
# Sets of names are few, one or two a firmware, however many readings there are.
_NAMES = (
    "json_format(CAST(flatten(map_keys(histogram(map_keys(CAST(json_parse(extras) AS MAP(VARCHAR, JSON)))))) AS JSON))"
)

JUDGED_ROWS = Group(
    lowest="min({})",
    highest="max({})",
    first_event="min(event_time)",
    last_received="max(received_at)",
    with_unknown_fields="count_if(extras IS NOT NULL)",
    unknown_names=f"""CASE WHEN count_if(extras IS NOT NULL) = 0 THEN '[]'
        WHEN length({_NAMES}) <= {_LONGEST_NAMES} THEN {_NAMES} END""",
)
LEDGER_ROWS = Group(
    lowest="min_{}",
    highest="max_{}",
    first_event="first_event",
    last_received="last_received",
    with_unknown_fields="with_extras",
    unknown_names="unknown_fields",
)


def judged_by(contract: Contract, group: Group) -> str:
    """A SQL expression: the rules that decide on the rows of a group with the column `outcome`."""
    names = digest(*(metric.name for metric in contract.metrics))
    lateness = round(contract.lateness_bound.total_seconds())
    age = f"date_diff('second', {group.first_event}, {group.last_received})"
    parts = [
        f"'transformation {VERSION}, contract {contract.version}, future {_seconds(contract.future_bound)}'",
        # An older reading is one of a group that was judged too late, or may be late by another bound.
        f"CASE WHEN outcome <> 'too_late' AND {age} < {lateness} THEN '' ELSE ', lateness {lateness}' END",
        # A metric that is added was an unknown field before. Where it is not known which fields there were, any may be
        # the one, and a reading without metrics may have one.
        (
            f"CASE WHEN {group.unknown_names} IS NOT NULL THEN {_promoted(contract, group)}\n"
            f"            WHEN outcome <> 'no_metrics' AND {group.with_unknown_fields} = 0 THEN ''\n"
            f"            ELSE ', metrics {names}' END"
        ),
        *(_metric(metric, group) for metric in contract.metrics),
    ]
    return "\n        || ".join(parts)


def all_rules(contract: Contract) -> str:
    """A digest of all that `judged_by` can say of a group: two contracts with the same one judge every row alike."""
    return digest(judged_by(contract, LEDGER_ROWS))


def unnoted_rows_stand(contract: Contract) -> bool:
    """Whether rows whose ledger does not say what judged them were judged by this very contract.

    They were built by the release of 2026-11-21 or before; its bounds on time are taken to be those of today.
    """
    return rules_digest(contract) == UNNOTED_RULES


def rules_digest(contract: Contract) -> str:
    """A short hash of all that the contract says of metrics and of its version, the same on every machine."""
    return digest(
        str(contract.version),
        *(f"{m.name} {_units(m)} {m.minimum!r} {m.maximum!r}" for m in contract.metrics),
    )


def digest(*texts: str) -> str:
    """A short hash of texts in their order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def _promoted(contract: Contract, group: Group) -> str:
    """Whether a metric of the contract was unknown when the group was judged: none was, where it is judged now."""
    if group is JUDGED_ROWS:
        return "''"
    # The unit of an unknown field is an unknown field as well. Within another name there are no bare quotes.
    names = "|".join(metric.name for metric in contract.metrics)
    return f"if(regexp_like({group.unknown_names}, '\"(unit\\.)?({names})\"'), ', promoted', '')"


def _metric(metric: Metric, group: Group) -> str:
    lowest, highest = group.lowest_of(metric), group.highest_of(metric)
    rules = f", {metric.name} {digest(_units(metric))}"
    within = f"{lowest} >= DOUBLE '{metric.minimum!r}' AND {highest} <= DOUBLE '{metric.maximum!r}'"
    return (
        f"CASE WHEN {lowest} IS NULL THEN ''\n"
        f"            WHEN {within} THEN '{rules}'\n"
        f"            ELSE '{rules} {metric.minimum!r} to {metric.maximum!r}' END"
    )


def _units(metric: Metric) -> str:
    return " ".join(f"{unit.symbol!r} {unit.factor!r} {unit.offset!r}" for unit in metric.units)


def _seconds(bound: timedelta) -> int:
    return round(bound.total_seconds())
