create view "telemetry"."reporting"."water_leaks__dbt_tmp" as (
    -- A leak: on this date (UTC) the meter was seen in enough hours and its flow never was zero. Nobody draws water all day, so that
-- the least flow is what leaks.
with flow_hours as (
    select
        cast(event_hour as date) as event_date,
        device_id,
        sensor_key,
        location_key,
        tenant_id,
        count(*) as hours,
        min(min_value) as min_flow,
        avg(avg_value) as avg_flow,
        min(first_event) as first_event,
        max(last_event) as last_event
    from "telemetry"."marts"."fact_sensor_hourly"
    where metric = 'flow_rate'
    group by cast(event_hour as date), device_id, sensor_key, location_key, tenant_id
)

select
    flow_hours.event_date,
    flow_hours.device_id,
    sensors.sensor_name,
    flow_hours.tenant_id,
    locations.site_id,
    locations.site_name,
    flow_hours.hours,
    flow_hours.min_flow as leak_litres_per_minute,
    flow_hours.min_flow * 60 * flow_hours.hours as leaked_litres,
    flow_hours.avg_flow as avg_litres_per_minute,
    flow_hours.first_event,
    flow_hours.last_event
from flow_hours
join "telemetry"."marts"."dim_sensor" as sensors on sensors.sensor_key = flow_hours.sensor_key
join "telemetry"."marts"."dim_location" as locations on locations.location_key = flow_hours.location_key
where flow_hours.min_flow > 0 and flow_hours.hours >= 6
  ) with no schema binding;
