select
    {{ version_key(['device_id']) }} as sensor_key,
    device_id,
    tenant_id,
    site_id,
    model_id,
    name as sensor_name,
    status,
    firmware,
    expected_interval_s,
    valid_from,
    coalesce(valid_to, {{ far_future() }}) as valid_to,
    valid_to is null as is_current
from {{ source('registry', 'device_versions') }}
