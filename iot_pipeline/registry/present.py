"""Sites and devices as they are now."""

from typing import Any

from psycopg import Connection

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
