create view "telemetry"."reporting"."current_device_health__dbt_tmp" as (
    select
    health.device_id,
    sensors.sensor_name,
    sensors.model_name,
    health.tenant_id,
    tenants.tenant_name,
    locations.site_id,
    locations.site_name,
    health.status,
    health.as_of,
    health.last_seen,
    health.last_received,
    health.received_24h,
    health.expected_24h,
    least(cast(health.received_24h as double precision) / nullif(health.expected_24h, 0), 1.0) as received_share_24h,
    health.received_7d,
    health.expected_7d,
    health.battery_volts,
    health.battery_volts_per_day
from "telemetry"."marts"."fact_device_health" as health
join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = health.sensor_key
join "telemetry"."marts"."dim_location" as locations on locations.location_key = health.location_key
left join "telemetry"."marts"."dim_tenant" as tenants on tenants.tenant_id = health.tenant_id
  ) with no schema binding;
