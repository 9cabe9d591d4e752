"""How much a viewer may ask, by role: one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from iot_pipeline.console.viewer import Role

GIB = 1024**3


@dataclass(frozen=True)
class Limits:
    """What a viewer may have a query scan, and all his queries of a day (UTC); how many run at once; how long one runs
    before it is cancelled; how many rows it gives.
    """

    query_bytes: int
    day_bytes: int
    at_once: int
    time: timedelta
    rows: int


_STAFF = Limits(query_bytes=100 * GIB, day_bytes=1024 * GIB, at_once=5, time=timedelta(minutes=25), rows=1_000_000)
# The workgroups' cutoffs are the same: what the estimate lets through by mistake, Athena stops.
LIMITS: Mapping[Role, Limits] = {
    Role.ADMIN: _STAFF,
    Role.OPERATOR: _STAFF,
    Role.ANALYST: _STAFF,
    Role.TENANT: Limits(query_bytes=10 * GIB, day_bytes=50 * GIB, at_once=2, time=timedelta(minutes=5), rows=100_000),
}
