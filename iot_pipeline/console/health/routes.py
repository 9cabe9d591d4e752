"""The routes of pipeline health: for staff alone. What a tenant may know of its own data, its devices' pages say."""

import re

from fastapi import APIRouter, Request

from iot_pipeline.console.coalesced import BusyError
from iot_pipeline.console.dependencies import DownError
from iot_pipeline.console.health.books import Books
from iot_pipeline.console.health.shared import utc_now
from iot_pipeline.console.health.tiles import Health
from iot_pipeline.console.health.views import HealthView, TileView, health_view, tile_view
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError
from iot_pipeline.lake.hours import Hour
from iot_pipeline.settings import deployment

router = APIRouter(prefix="/api/health", tags=["pipeline health"])
_HOUR = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2})")


def _health(request: Request) -> Health:
    return parts_of(request).health


@router.get("")
def all_of_health(request: Request) -> HealthView:
    """Every tile at once, as it is known now. This never waits: what is due is looked at meanwhile."""
    health = _health(request)
    tiles = [tile_view(shared, deployment().dagster_url) for shared in health.tiles.values()]
    return health_view(utc_now(), tiles, health.meter)


@router.get("/{tile}")
def one_tile(request: Request, tile: str) -> TileView:
    """One tile, as it is known now."""
    health = _health(request)
    if tile not in health.tiles:
        raise ProblemError(404, "not_found", f"no tile is called {tile!r}; there are {', '.join(health.tiles)}")
    return tile_view(health.tiles[tile], deployment().dagster_url)


@router.get("/hours/{hour}/books")
def books(request: Request, hour: str) -> Books:
    """The books of an hour (UTC, as 2026-11-21T10), counted by Athena: what arrived in it, and what happened in it."""
    wanted = _parsed(hour)
    try:
        return _health(request).books.get(wanted)
    except DownError as error:
        raise ProblemError(503, "dependency_down", str(error), dependency=error.dependency) from error
    except BusyError as error:
        raise ProblemError(503, "busy", str(error)) from error


def _parsed(hour: str) -> Hour:
    found = _HOUR.fullmatch(hour)
    try:
        if found:
            return Hour.from_values(found.groups())
    except ValueError:
        pass
    raise ProblemError(422, "invalid_request", f"{hour!r} is no hour of UTC; expected one such as 2026-11-21T10")
