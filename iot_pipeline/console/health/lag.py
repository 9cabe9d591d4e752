"""Data lag by site: when each was last heard of, as far as the lake has judged, against the sites of the registry."""

from datetime import datetime, timedelta

from pydantic import BaseModel

from iot_pipeline.connections.registry import open_registry
from iot_pipeline.console.bounded_athena import BoundedAthena, Meter
from iot_pipeline.console.dependencies import DownError, asking
from iot_pipeline.console.health.findings import Finding, State, several
from iot_pipeline.console.health.shared import Look
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour, hours_between
from iot_pipeline.lake.site_states import SITE_MEMORY_DAYS, Arrival, Name, RegisteredSite, last_arrivals, state_of
from iot_pipeline.lake.site_states import State as Standing
from iot_pipeline.registry import present
from iot_pipeline.settings import policy

# Of which a ledger may be new at any time. That of an hour before them is seen within an hour.
_LAST_HOURS = 3

SECONDS = 20.0


class SiteLag(BaseModel):
    """A site of the registry. `lag_s`: seconds since anything of it arrived; null if nothing has in the last days."""

    tenant: str
    site: str
    standing: Standing
    last_received: datetime | None
    lag_s: float | None
    readings: int


class Stranger(BaseModel):
    """A name in the telemetry that no site of the registry has."""

    tenant: str | None
    site: str | None
    last_received: datetime
    readings: int


class Lag(BaseModel):
    """All sites, the silent ones first. `registry`: why it did not answer; then only what has arrived is known."""

    sites: list[SiteLag]
    strangers: list[Stranger]
    silent_after_minutes: float
    registry: str | None


class Arrivals:
    """When each site was last heard of in so many days. The last hours are read each time, those before once an hour:
    S3 bills each partition that a statement reads.
    """

    def __init__(self, athena: Athena) -> None:
        self._athena = athena
        self._before: dict[Name, Arrival] = {}
        self._read_in: Hour | None = None

    def at(self, now: datetime) -> dict[Name, Arrival]:
        """By name, at this time (aware)."""
        last = Hour.of(now)
        if last != self._read_in:
            before = hours_between(last + -24 * SITE_MEMORY_DAYS, last + -_LAST_HOURS)
            self._before = last_arrivals(self._athena, before)
            self._read_in = last
        found = dict(self._before)
        lately = last_arrivals(self._athena, hours_between(last + (1 - _LAST_HOURS), last))
        for name, (heard, readings) in lately.items():
            earlier, so_many = found.get(name, (heard, 0))
            found[name] = Arrival(max(heard, earlier), readings + so_many)
        return found


def open_look(meter: Meter) -> Look:
    """Asks the ledger, which costs a few megabytes, and the registry."""
    arrivals = Arrivals(BoundedAthena(meter, SECONDS))
    return lambda now: look(arrivals, now)


def look(of_sites: Arrivals, now: datetime) -> Finding:
    """How far behind each site is. Without the registry: of which names anything has arrived."""
    with asking("Athena"):
        arrivals = of_sites.at(now)
    minutes = policy().site_silence_minutes
    try:
        with asking("the registry"), open_registry() as connection:
            sites = [RegisteredSite(*row) for row in present.sites(connection)]
    except DownError as error:
        strangers = [_stranger(name, arrivals[name]) for name in arrivals]
        words = f"the registry has not answered ({error.reason}): which sites are missing is not known"
        data = Lag(sites=[], strangers=strangers, silent_after_minutes=minutes, registry=error.reason)
        return Finding(State.UNKNOWN, words, data)
    found = [_lag(site, arrivals, now, timedelta(minutes=minutes)) for site in sites]
    found.sort(key=lambda it: (it.standing is not Standing.SILENT, -(it.lag_s or 0), it.tenant, it.site))
    unknown = [name for name in arrivals if name not in {(site.tenant, site.site) for site in sites}]
    data = Lag(
        sites=found,
        strangers=[_stranger(name, arrivals[name]) for name in unknown],
        silent_after_minutes=minutes,
        registry=None,
    )
    return Finding(*_judged(data, arrivals), data)


def _judged(data: Lag, arrivals: dict[Name, Arrival]) -> tuple[State, str]:
    silent = [f"{it.tenant}/{it.site}" for it in data.sites if it.standing is Standing.SILENT]
    if not data.sites:
        return State.WARNING, "the registry has no site, so that none can be missed"
    if not arrivals:
        return State.CRITICAL, f"no site has sent anything in {SITE_MEMORY_DAYS} days"
    if silent:
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        return State.WARNING, f"silent: {', '.join(silent[:3])}{more}"
    sending = sum(it.standing is Standing.SENDS for it in data.sites)
    return (
        State.OK,
        f"{several(sending, 'site')} of {len(data.sites)} sent within {data.silent_after_minutes:g} minutes",
    )


def _lag(site: RegisteredSite, arrivals: dict[Name, Arrival], now: datetime, silence: timedelta) -> SiteLag:
    heard, readings = arrivals.get((site.tenant, site.site), (None, 0))
    return SiteLag(
        tenant=site.tenant,
        site=site.site,
        standing=state_of(site, heard, now - silence),
        last_received=heard,
        lag_s=(now - heard).total_seconds() if heard else None,
        readings=readings,
    )


def _stranger(name: Name, arrival: Arrival) -> Stranger:
    heard, readings = arrival
    return Stranger(tenant=name[0], site=name[1], last_received=heard, readings=readings)
