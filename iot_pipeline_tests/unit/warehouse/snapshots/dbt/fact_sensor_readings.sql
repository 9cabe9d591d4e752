create  table
    "telemetry"."marts"."fact_sensor_readings"

    diststyle key distkey (device_id)

      compound sortkey(event_time,device_id)
  as (

-- A reading has the sensor and the site as they were at its time, by the registry; what no version covers is 'unknown'.
select
    readings.device_id,
    readings.event_time,
    readings.event_hour,
    cast(to_char(readings.event_time, 'YYYYMMDD') as integer) as date_key,
    readings.seq,
    coalesce(sensors.sensor_key, 'unknown') as sensor_key,
    coalesce(locations.location_key, 'unknown') as location_key,
    coalesce(sensors.tenant_id, 'unknown') as tenant_id,
    readings.reported_tenant,
    readings.reported_site,
    readings.temperature,
    readings.humidity,
    readings.pressure,
    readings.flow_rate,
    readings.battery,
    readings.rssi,
    readings.lat,
    readings.lon,
    readings.firmware,
    readings.received_at,
    (cast(extract(epoch from date_trunc('second', readings.received_at)) as bigint) - cast(extract(epoch from date_trunc('second', readings.event_time)) as bigint)) as lateness_s,
    readings.duplicates,
    readings.conflicts
from "telemetry"."staging"."stg_readings" as readings
join "telemetry"."marts"."stale_hours" as stale_hours on stale_hours.event_hour = readings.event_hour
left join "telemetry"."marts"."dim_sensor" as sensors
    on sensors.device_id = readings.device_id and readings.event_time >= sensors.valid_from and readings.event_time < sensors.valid_to
left join "telemetry"."marts"."dim_location" as locations
    on locations.tenant_id = sensors.tenant_id and locations.site_id = sensors.site_id
    and readings.event_time >= locations.valid_from and readings.event_time < locations.valid_to
  );
