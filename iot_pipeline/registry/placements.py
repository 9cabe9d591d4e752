"""Where each device was, and when: the versions of all devices."""

from datetime import datetime
from typing import Any

from psycopg import Connection

_PLACEMENTS = """
SELECT device_id, valid_from, valid_to, tenant_id, site_id
FROM registry.device_versions
ORDER BY device_id, valid_from
"""


def placements(connection: Connection[Any]) -> list[tuple[str, datetime, datetime | None, str, str]]:
    """Of each version of a device: device, from when (aware), until when (None while it is), tenant, site; in order.

    Raises psycopg.Error.
    """
    return [(device, begin, end, tenant, site) for device, begin, end, tenant, site in connection.execute(_PLACEMENTS)]
