"""Where the sites are: names, positions and time zones, as the registry has them now."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import psycopg
from fastapi import APIRouter, Request
from psycopg.rows import class_row
from pydantic import BaseModel

from iot_pipeline.console.authorisation import SignedIn
from iot_pipeline.console.parts import parts_of
from iot_pipeline.console.problems import ProblemError

# Sites change rarely, and every tab asks when it opens.
KEPT_SECONDS = 60.0
_SITES = """
SELECT tenant_id AS tenant, site_id AS site, name, country, timezone, lat, lon
FROM registry.site_versions
WHERE valid_from <= now() AND (valid_to IS NULL OR valid_to > now())
ORDER BY 1, 2
"""
router = APIRouter(prefix="/api", tags=["live"])


class Site(BaseModel):
    """A site: `timezone` is an IANA name, `lat` and `lon` degrees."""

    tenant: str
    site: str
    name: str | None
    country: str | None
    timezone: str | None
    lat: float | None
    lon: float | None


@dataclass
class Sites:
    """Reads them from the registry, at most once a minute however many ask."""

    connect: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    _held: list[Site] = field(default_factory=list)
    _until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def all(self) -> list[Site]:
        """The sites of all tenants. Raises psycopg.Error if the registry does not answer and none are known."""
        with self._lock:
            if time.monotonic() >= self._until:
                with self.connect() as connection, connection.cursor(row_factory=class_row(Site)) as cursor:
                    self._held = cursor.execute(_SITES).fetchall()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._held


@router.get("/sites")
def sites(request: Request, viewer: SignedIn) -> list[Site]:
    """The sites that the viewer sees."""
    try:
        found = parts_of(request).sites.all()
    except psycopg.Error as error:
        raise ProblemError(503, "registry_down", f"the device registry does not answer: {error}") from error
    return [site for site in found if viewer.sees(site.tenant)]
