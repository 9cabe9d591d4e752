"""How good a device's data was in the last hours: what the contract made of it, and what was sent twice."""

from datetime import datetime

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import BoundedAthena
from iot_pipeline.console.dependencies import asking
from iot_pipeline.contract.judged_reading import VALID
from iot_pipeline.lake.hours import Hour, partition_predicate
from iot_pipeline.lake.transformation import literal


class Quality(BaseModel):
    """Of the hours from `first` to `last`: what arrived in them, as judged, and what happened in them, as curated.

    `reasons` is of the quarantined readings. Curated `rows` are readings, each once; `duplicates` and `conflicts` are
    what was dropped for them.
    """

    device: str
    first: datetime
    last: datetime
    valid: int
    quarantined: int
    reasons: dict[str, int]
    rows: int
    duplicates: int
    conflicts: int
    scanned_bytes: int


def quality_of(athena: BoundedAthena, device: str, hours: list[Hour], tenant: str | None) -> Quality:
    """Ask for narrow columns alone. `tenant`: only what was its own. Raises DownError."""
    whose = f"{partition_predicate(hours)}\n    AND device_id = {literal(device)}"
    whose += "" if tenant is None else f"\n    AND tenant = {literal(tenant)}"
    with asking("Athena"):
        judged = athena.run(
            f"SELECT outcome, count(*) AS readings\nFROM judged_telemetry\nWHERE {whose}\nGROUP BY outcome"
        )
        curated = athena.run(
            "SELECT count(*) AS rows, coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(conflicts), 0) AS "
            f"conflicts\nFROM curated_telemetry\nWHERE {whose}"
        )
    outcomes = {outcome: int(count) for outcome, count in judged.rows}
    valid = outcomes.pop(VALID, 0)
    rows, duplicates, conflicts = (int(value) for value in curated.rows[0])
    return Quality(
        device=device,
        first=hours[0].start,
        last=hours[-1].start,
        valid=valid,
        quarantined=sum(outcomes.values()),
        reasons=dict(sorted(outcomes.items(), key=lambda it: (-it[1], it[0]))),
        rows=rows,
        duplicates=duplicates,
        conflicts=conflicts,
        scanned_bytes=judged.scanned_bytes + curated.scanned_bytes,
    )
