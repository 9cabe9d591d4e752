select
    {{ version_key(['tenant_id', 'site_id']) }} as location_key,
    tenant_id,
    site_id,
    customer_id,
    name as site_name,
    country,
    timezone,
    lat,
    lon,
    valid_from,
    coalesce(valid_to, {{ far_future() }}) as valid_to,
    valid_to is null as is_current
from {{ source('registry', 'site_versions') }}
