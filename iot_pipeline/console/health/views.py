"""What the routes answer: of each tile its state, what is known, and what does not answer."""

from datetime import datetime

from pydantic import BaseModel

from iot_pipeline.console.bounded_athena import Meter
from iot_pipeline.console.health.alerts import PipelineAlerts
from iot_pipeline.console.health.balance import ArrivalBalance, EventBalance
from iot_pipeline.console.health.edge_latency import EdgeLatency
from iot_pipeline.console.health.findings import State, worst
from iot_pipeline.console.health.lag import Lag
from iot_pipeline.console.health.reasons_seen import Quarantine
from iot_pipeline.console.health.runs import Runs
from iot_pipeline.console.health.shared import Seen, Shared
from iot_pipeline.console.health.spending import Spending
from iot_pipeline.console.health.undelivered import Letters
from iot_pipeline.console.health.warehouse import Warehouse
from iot_pipeline.console.health.zones import Partitions

Data = (
    Lag
    | EdgeLatency
    | PipelineAlerts
    | Runs
    | ArrivalBalance
    | EventBalance
    | Partitions
    | Warehouse
    | Quarantine
    | Letters
    | Spending
)


class KnownView(BaseModel):
    """The last good finding: its state and sentence then, when it was looked for (UTC), and how old it is."""

    state: State
    sentence: str
    at: datetime
    age_s: float
    data: Data


class FailureView(BaseModel):
    """Which dependency does not answer, since when (UTC), and its own words."""

    dependency: str
    since: datetime
    reason: str


class TileView(BaseModel):
    """A tile. With a failure its state is unknown, and `known` is what was known before; null before the first look.

    `stale`: what is known is older than it should be. `link` is where one acts in Dagster, or null.
    """

    name: str
    title: str
    state: State
    sentence: str
    needs: list[str]
    is_looking: bool
    stale: bool
    link: str | None
    known: KnownView | None
    failure: FailureView | None


class AthenaCost(BaseModel):
    """What this service's own looks have cost since it began (UTC)."""

    since: datetime
    queries: int
    scanned_bytes: int
    dollars: float


class HealthView(BaseModel):
    """All tiles in the order in which a person reads them; `state` is the worst of theirs."""

    now: datetime
    state: State
    tiles: list[TileView]
    athena: AthenaCost


def tile_view(shared: Shared, dagster_url: str | None) -> TileView:
    """A tile as it is now."""
    tile, seen = shared.tile, shared.see()
    known = _known(seen)
    is_old = known is not None and known.age_s > (2 * tile.every + tile.within).total_seconds()
    failure = seen.failure
    return TileView(
        name=tile.name,
        title=tile.title,
        state=State.UNKNOWN if failure or known is None else known.state,
        sentence=_sentence(seen),
        needs=list(tile.needs),
        is_looking=seen.is_looking,
        stale=is_old or (failure is not None and known is not None),
        link=f"{dagster_url.rstrip('/')}{tile.acts_at}" if dagster_url and tile.acts_at else None,
        known=known,
        failure=FailureView(dependency=failure.dependency, since=failure.since, reason=failure.reason)
        if failure
        else None,
    )


def health_view(now: datetime, tiles: list[TileView], meter: Meter) -> HealthView:
    """All of them."""
    cost = AthenaCost(
        since=meter.since, queries=meter.queries, scanned_bytes=meter.scanned_bytes, dollars=meter.dollars
    )
    return HealthView(now=now, state=worst(*(tile.state for tile in tiles)), tiles=tiles, athena=cost)


def _known(seen: Seen) -> KnownView | None:
    if seen.known is None:
        return None
    finding = seen.known.finding
    # `Data` has every tile's class; one that is not in it would be refused here.
    return KnownView.model_validate(
        {
            "state": finding.state,
            "sentence": finding.sentence,
            "at": seen.known.at,
            "age_s": (seen.now - seen.known.at).total_seconds(),
            "data": finding.data,
        }
    )


def _sentence(seen: Seen) -> str:
    if seen.failure is not None:
        since = f"{seen.failure.since:%Y-%m-%d %H:%M:%S}Z"
        words = f"{seen.failure.dependency} has not answered since {since}: {seen.failure.reason}"
        return words if seen.known is None else f"{words}; what is shown is of {seen.known.at:%Y-%m-%d %H:%M:%S}Z"
    return "being looked at for the first time" if seen.known is None else seen.known.finding.sentence
