"""How the registry's sites stand: which send, which have gone silent, and which names are none of theirs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from iot_pipeline.lake import statements
from iot_pipeline.lake.athena import Athena
from iot_pipeline.lake.hours import Hour

# How far back the ledger is asked; a site that was silent for longer is no longer missed.
SITE_MEMORY_DAYS = 7

Name = tuple[str | None, str | None]
"""Tenant and site, by the names in the topics of their devices."""


@dataclass(frozen=True)
class RegisteredSite:
    """A site of the registry. `in_use` is false where all devices that stood there were decommissioned or moved."""

    tenant: str
    site: str
    in_use: bool


class State(StrEnum):
    """How a site stands; only a silent one is a surprise."""

    SENDS = "sends"
    SILENT = "silent"
    NEVER_HEARD_OF = f"never heard of in {SITE_MEMORY_DAYS} days"
    OUT_OF_USE = "out of use"


class Arrival(NamedTuple):
    """When a site was last heard of (UTC), and how many readings it sent."""

    last_received: datetime
    readings: int


def last_arrivals(athena: Athena, hours: Collection[Hour]) -> dict[Name, Arrival]:
    """By name what the ledgers of these arrival hours say; without hours nothing is asked."""
    if not hours:
        return {}
    rows = athena.run(statements.last_arrival_by_site(hours)).rows
    return {(tenant, site): Arrival(at.replace(tzinfo=UTC), int(readings)) for tenant, site, at, readings in rows}


def state_of(site: RegisteredSite, heard: datetime | None, limit: datetime) -> State:
    """How a site of the registry stands that was last heard of at a time, and should have been since `limit`."""
    if heard and heard >= limit:
        return State.SENDS
    if not site.in_use:
        return State.OUT_OF_USE
    return State.SILENT if heard else State.NEVER_HEARD_OF


def not_registered(heard: Mapping[Name, datetime], sites: Sequence[RegisteredSite]) -> list[tuple[object, ...]]:
    """A row for each name that is in the telemetry and not in the registry, with the registered name that is like it,
    and when it was last heard of.

    Names are quoted, since a blank may be all that is wrong with one.
    """
    known = {(site.tenant, site.site) for site in sites}
    plain = {_plain(name): "/".join(name) for name in known}
    rows: list[tuple[object, ...]] = []
    for name, at in heard.items():
        if name not in known:
            like = get_close_matches(_plain(name), plain, n=1, cutoff=0.8)
            tenant = "known" if name[0] in {site.tenant for site in sites} else "not in the registry"
            found = plain[like[0]] if like else ""
            rows.append((repr(name[0]), repr(name[1]), tenant, found, at))
    return rows


def _plain(name: Name) -> str:
    return "/".join("".join(str(part).split()) for part in name).casefold()
