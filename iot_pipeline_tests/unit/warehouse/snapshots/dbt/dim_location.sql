create  table
    "telemetry"."marts"."dim_location"

    diststyle all

      compound sortkey(tenant_id,site_id,valid_from)
  as (

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
from "telemetry"."staging"."stg_site_versions" as sites
union all
select
    'unknown', 'unknown', 'unknown', 'unknown', 'Unknown location', null, null, null, null,
    cast('1900-01-01 00:00:00' as timestamp), cast('9999-12-31 00:00:00' as timestamp), true
  );
