"""Where the sites are: names, positions and time zones, as the registry has them now."""

import time
from dataclasses import dataclass, field
from threading import Lock

from iot_pipeline.console.registry_pool import Connect
from iot_pipeline.registry import present
from iot_pipeline.registry.present import Place

# Sites change rarely, and every tab asks when it opens.
KEPT_SECONDS = 60.0


@dataclass
class Sites:
    """Reads them from the registry, at most once a minute however many ask."""

    connect: Connect
    _held: list[Place] = field(default_factory=list)
    _until: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def all(self) -> list[Place]:
        """The sites of all tenants. Raises psycopg.Error if the registry is asked and does not answer."""
        with self._lock:
            if time.monotonic() >= self._until:
                with self.connect() as connection:
                    self._held = present.places(connection)
                self._until = time.monotonic() + KEPT_SECONDS
            return self._held
