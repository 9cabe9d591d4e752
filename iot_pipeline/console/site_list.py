"""Where the sites are: names, positions and time zones, as the registry has them now."""

import time
from dataclasses import dataclass, field
from threading import Lock

from pydantic import BaseModel

from iot_pipeline.console.registry_pool import Connect
from iot_pipeline.registry import present

# Sites change rarely, and every tab asks when it opens.
KEPT_SECONDS = 60.0


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

    connect: Connect
    _held: list[Site] = field(default_factory=list)
    _until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def all(self) -> list[Site]:
        """The sites of all tenants. Raises psycopg.Error if the registry is asked and does not answer."""
        with self._lock:
            if time.monotonic() >= self._until:
                with self.connect() as connection:
                    self._held = [Site.model_validate(vars(each)) for each in present.places(connection)]
                self._until = time.monotonic() + KEPT_SECONDS
            return self._held
