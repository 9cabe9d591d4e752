"""Sites and devices as they are now."""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from iot_pipeline.registry.devices import Device

# A site is never removed. It is in use unless it had devices and none of them is active there now.
_SITES = """
SELECT tenant_id, site_id, count(devices.device_id) = 0 OR coalesce(bool_or(devices.in_use), false) AS in_use
FROM (SELECT tenant_id, site_id FROM registry.site_versions WHERE valid_to IS NULL) AS sites
LEFT JOIN (
    SELECT device_id, tenant_id, site_id, valid_to IS NULL AND status = 'active' AS in_use FROM registry.device_versions
) AS devices USING (tenant_id, site_id)
GROUP BY tenant_id, site_id
ORDER BY tenant_id, site_id
"""


def sites(connection: Connection[Any]) -> list[tuple[str, str, bool]]:
    """Every site, by tenant and site, with whether it is in use. Raises psycopg.Error."""
    return [(tenant, site, in_use) for tenant, site, in_use in connection.execute(_SITES)]


@dataclass(frozen=True)
class Place:
    """Where a site is: `country` by ISO 3166, `timezone` by IANA's name, `lat` and `lon` in degrees."""

    tenant: str
    site: str
    name: str | None
    country: str | None
    timezone: str | None
    lat: float | None
    lon: float | None


_PLACES = """
SELECT tenant_id, site_id, name, country, timezone, lat, lon
FROM registry.site_versions
WHERE valid_to IS NULL
ORDER BY tenant_id, site_id
"""


def places(connection: Connection[Any]) -> list[Place]:
    """Where every site is, by tenant and site. Raises psycopg.Error."""
    return [Place(*row) for row in connection.execute(_PLACES)]


_DEVICES = """
SELECT device_id, tenant_id, site_id, model_id, name, status, firmware, expected_interval_s, valid_from, valid_to
FROM registry.device_versions
WHERE valid_to IS NULL
    AND device_id > %(after)s
    AND (%(tenant)s::text IS NULL OR tenant_id = %(tenant)s)
    AND (%(site)s::text IS NULL OR site_id = %(site)s)
ORDER BY device_id
LIMIT %(limit)s
"""


def devices(
    connection: Connection[Any], *, tenant: str | None, site: str | None, after: str, limit: int
) -> list[Device]:
    """So many devices after one, by name; of one tenant, or of a site of that name, if they are given.

    Raises psycopg.Error.
    """
    wanted = {"tenant": tenant, "site": site, "after": after, "limit": limit}
    return [Device(*row) for row in connection.execute(_DEVICES, wanted)]
