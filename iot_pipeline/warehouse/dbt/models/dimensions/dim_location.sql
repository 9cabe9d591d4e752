{{ config(sort=['tenant_id', 'site_id', 'valid_from']) }}

select
    sites.location_key,
    sites.tenant_id,
    sites.site_id,
    coalesce(sites.customer_id, 'unknown') as customer_id,
    sites.site_name,
    sites.country,
    sites.timezone,
    sites.lat,
    sites.lon,
    sites.valid_from,
    sites.valid_to,
    sites.is_current
from {{ ref('stg_site_versions') }} as sites
union all
select
    'unknown', 'unknown', 'unknown', 'unknown', 'Unknown location', null, null, null, null,
    {{ far_past() }}, {{ far_future() }}, true
