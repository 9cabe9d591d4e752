create view "telemetry"."staging"."stg_site_versions__dbt_tmp" as (
    select
    md5(tenant_id || '|' || site_id || '|' || to_char(valid_from, 'YYYY-MM-DD HH24:MI:SS.US')) as location_key,
    tenant_id,
    site_id,
    customer_id,
    name as site_name,
    country,
    timezone,
    lat,
    lon,
    valid_from,
    coalesce(valid_to, cast('9999-12-31 00:00:00' as timestamp)) as valid_to,
    valid_to is null as is_current
from "telemetry"."registry"."site_versions"
  ) with no schema binding;
