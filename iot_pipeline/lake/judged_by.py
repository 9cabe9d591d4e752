"""By what rules a group of readings was judged, as a text in the ledger that changes when its rows may change.

A change of the contract need not change what an hour holds: who narrows the range of one metric changes only hours with
values outside the new range. So the text names a metric only where the group has values of it, and the metric's range
only where one of them lies outside. It is written in SQL over what a ledger keeps of the rows: when it is built, and to
ask which hours the present contract would judge otherwise.
"""

import hashlib
from datetime import timedelta

from iot_pipeline.contract import Contract, Metric
from iot_pipeline.lake.transformation import VERSION

# What judged the ledgers that were built before they noted it: the contract of the release of 2026-11-21.
UNNOTED_RULES = "d5c83f02bde9"
# More names than a text of so many characters has are some device's garbage: of such a group it is not known which.
LONGEST_NAMES = 16_000


def judged_by(contract: Contract, *, just_now: bool = False) -> str:
    """A SQL expression over a ledger's columns: the rules of this contract that decide on the rows of each group.

    `just_now` are rows that this very contract has judged: no metric of it was an unknown field to them.
    """
    names = digest(*(metric.name for metric in contract.metrics))
    lateness = round(contract.lateness_bound.total_seconds())
    promoted = "''" if just_now else _promoted(contract)
    age = "date_diff('second', first_event, last_received)"
    parts = [
        f"'transformation {VERSION}, contract {contract.version}, future {_seconds(contract.future_bound)}'",
        # An older reading is one of a group that was judged too late, or may be late by another bound.
        f"CASE WHEN outcome <> 'too_late' AND {age} < {lateness} THEN '' ELSE ', lateness {lateness}' END",
        # A metric that is added was an unknown field before. Where it is not known which fields there were, any may be
        # the one, and a reading without metrics may have one.
        (
            f"CASE WHEN unknown_fields IS NOT NULL THEN {promoted}\n"
            "            WHEN outcome <> 'no_metrics' AND with_extras = 0 THEN ''\n"
            f"            ELSE ', metrics {names}' END"
        ),
        *(_metric(metric) for metric in contract.metrics),
    ]
    return "\n        || ".join(parts)


def all_rules(contract: Contract) -> str:
    """A digest of all that `judged_by` can say of a group: two contracts with the same one judge every row alike."""
    return digest(judged_by(contract))


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


def _promoted(contract: Contract) -> str:
    """Whether a metric of the contract was unknown when the group was judged."""
    # The unit of an unknown field is an unknown field as well. Within another name there are no bare quotes.
    names = "|".join(metric.name for metric in contract.metrics)
    return f"if(regexp_like(unknown_fields, '\"(unit\\.)?({names})\"'), ', promoted', '')"


def _metric(metric: Metric) -> str:
    lowest, highest = f"min_{metric.name}", f"max_{metric.name}"
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
