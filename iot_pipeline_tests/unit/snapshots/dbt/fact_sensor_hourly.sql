create  table
    "telemetry"."marts"."fact_sensor_hourly"

    diststyle key distkey (device_id)

      compound sortkey(event_hour,device_id)
  as (

with readings as (
    select *
    from "telemetry"."marts"."fact_sensor_readings"
    where event_hour in (select event_hour from "telemetry"."marts"."stale_hours")
),

counted as (
    select event_hour, device_id, sensor_key, location_key, tenant_id, count(*) as readings
    from readings
    group by event_hour, device_id, sensor_key, location_key, tenant_id
),

long_form as (

    select event_hour, device_id, sensor_key, location_key, tenant_id, event_time, cast('temperature' as varchar(64)) as metric, temperature as value
    from readings
    where temperature is not null
    union all
    select event_hour, device_id, sensor_key, location_key, tenant_id, event_time, cast('humidity' as varchar(64)) as metric, humidity as value
    from readings
    where humidity is not null
    union all
    select event_hour, device_id, sensor_key, location_key, tenant_id, event_time, cast('pressure' as varchar(64)) as metric, pressure as value
    from readings
    where pressure is not null
    union all
    select event_hour, device_id, sensor_key, location_key, tenant_id, event_time, cast('flow_rate' as varchar(64)) as metric, flow_rate as value
    from readings
    where flow_rate is not null
    union all
    select event_hour, device_id, sensor_key, location_key, tenant_id, event_time, cast('battery' as varchar(64)) as metric, battery as value
    from readings
    where battery is not null
    union all
    select event_hour, device_id, sensor_key, location_key, tenant_id, event_time, cast('rssi' as varchar(64)) as metric, rssi as value
    from readings
    where rssi is not null

),

hourly as (
    select
        event_hour, device_id, sensor_key, location_key, tenant_id,
        metric,
        count(*) as value_count,
    min(value) as min_value,
    max(value) as max_value,
    avg(value) as avg_value,
    stddev_samp(value) as stddev_value,
    percentile_cont(0.5) within group (order by value) as p50_value,
    percentile_cont(0.95) within group (order by value) as p95_value,
    min(event_time) as first_event,
    max(event_time) as last_event
    from long_form
    group by event_hour, device_id, sensor_key, location_key, tenant_id, metric
)

select
    hourly.*,
    -- Of the sensor in that hour, whichever metrics they carry: the same in each metric's row.
    counted.readings
from hourly
join counted
    on counted.event_hour = hourly.event_hour
    and counted.device_id = hourly.device_id
    and counted.sensor_key = hourly.sensor_key
    and counted.location_key = hourly.location_key
  );
