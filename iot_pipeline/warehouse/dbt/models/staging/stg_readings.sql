select
    device_id,
    event_time,
    date_trunc('hour', event_time) as event_hour,
    seq,
    {% for metric in var('metrics') -%}
    {{ metric.name }},
    {% endfor -%}
    lat,
    lon,
    tenant as reported_tenant,
    site as reported_site,
    fw as firmware,
    received_at,
    duplicates,
    conflicts
from {{ source('lake', 'readings') }}
