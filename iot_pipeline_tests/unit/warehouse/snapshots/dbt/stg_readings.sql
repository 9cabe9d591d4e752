create view "telemetry"."staging"."stg_readings__dbt_tmp" as (
    select
    device_id,
    event_time,
    date_trunc('hour', event_time) as event_hour,
    seq,
    temperature,
    humidity,
    pressure,
    flow_rate,
    battery,
    rssi,
    lat,
    lon,
    tenant as reported_tenant,
    site as reported_site,
    fw as firmware,
    received_at,
    duplicates,
    conflicts
from "telemetry"."lake"."readings"
  ) with no schema binding;
