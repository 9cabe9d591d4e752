create view "telemetry"."staging"."stg_device_versions__dbt_tmp" as (
    select
    md5(device_id || '|' || to_char(valid_from, 'YYYY-MM-DD HH24:MI:SS.US')) as sensor_key,
    device_id,
    tenant_id,
    site_id,
    model_id,
    name as sensor_name,
    status,
    firmware,
    expected_interval_s,
    valid_from,
    coalesce(valid_to, cast('9999-12-31 00:00:00' as timestamp)) as valid_to,
    valid_to is null as is_current
from "telemetry"."registry"."device_versions"
  ) with no schema binding;
