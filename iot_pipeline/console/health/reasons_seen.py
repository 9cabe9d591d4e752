"""What broke the contract in the last day, by reason and by firmware."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.dependencies import asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.hours_seen import last_hours
from iot_pipeline.console.health.shared import Look
from iot_pipeline.lake.hours import Hour, partition_range

HOURS = 24
SECONDS = 20.0
# A share of bad readings beyond which people should look, and look at once.
WARNING_SHARE, CRITICAL_SHARE = 0.01, 0.1


class Outcomes(BaseModel):
    """What a firmware sent: all readings, and those of them that broke the contract, by reason.

    `firmware` is null where the message did not say, as one that is no JSON cannot.
    """

    firmware: str | None
    readings: int
    quarantined: int
    reasons: dict[str, int]


class Quarantine(BaseModel):
    """The last day by arrival, as judged. `firmwares`: those with most bad readings first."""

    first: datetime
    last: datetime
    readings: int
    quarantined: int
    reasons: dict[str, int]
    firmwares: list[Outcomes]


def open_look(meter: Meter) -> Look:
    """Asks Athena for two narrow columns of a day's judged rows: the quarantine itself does not keep the firmware."""
    athena = BoundedAthena(meter, SECONDS)
    return lambda now: look(athena, now)


def look(athena: BoundedAthena, now: datetime) -> Finding:
    """The last day."""
    hours = last_hours(now, HOURS)
    with asking("Athena"):
        rows = athena.run(outcomes_by_firmware(hours[0], hours[-1])).rows
    data = _counted(hours[0], hours[-1], rows)
    share = data.quarantined / data.readings if data.readings else 0.0
    if not data.readings:
        return Finding(State.UNKNOWN, f"nothing was judged that arrived in the last {HOURS} hours", data)
    first = next(iter(data.reasons), "")
    words = f"{several(data.quarantined, 'reading')} of {data.readings:,} broke the contract ({share:.2%})"
    words += f", most of them {first}" if first else ""
    state = State.CRITICAL if share > CRITICAL_SHARE else State.WARNING if share > WARNING_SHARE else State.OK
    return Finding(state, words, data)


def outcomes_by_firmware(first: Hour, last: Hour) -> str:
    """Readings of these arrival hours by firmware and outcome."""
    return f"""\
SELECT fw, outcome, count(*) AS readings
FROM judged_telemetry
WHERE {partition_range(first, last)}
GROUP BY fw, outcome"""


def _counted(first: Hour, last: Hour, rows: Iterable[tuple[Any, ...]]) -> Quarantine:
    reasons: dict[str, int] = defaultdict(int)
    of_firmware: dict[str | None, Outcomes] = {}
    for firmware, outcome, count in rows:
        empty = Outcomes(firmware=firmware, readings=0, quarantined=0, reasons={})
        seen = of_firmware.setdefault(firmware, empty)
        seen.readings += int(count)
        if outcome != "valid":
            seen.quarantined += int(count)
            seen.reasons[outcome] = seen.reasons.get(outcome, 0) + int(count)
            reasons[outcome] += int(count)
    firmwares = sorted(of_firmware.values(), key=lambda it: (-it.quarantined, -it.readings, it.firmware or ""))
    return Quarantine(
        first=first.start,
        last=last.start,
        readings=sum(it.readings for it in firmwares),
        quarantined=sum(it.quarantined for it in firmwares),
        reasons=dict(sorted(reasons.items(), key=lambda it: (-it[1], it[0]))),
        firmwares=firmwares,
    )
