create  table
    "telemetry"."marts"."fact_sensor_hourly"

    diststyle key distkey (device_id)

      compound sortkey(event_hour,device_id)
  as (

with readings_of_stale_hours as (
    select *
    from "telemetry"."marts"."fact_sensor_readings"
    where event_hour in (select event_hour from "telemetry"."marts"."stale_hours")
),

-- An hour, or the part of it in which the sensor and its site were what they were; numbered, since values are sorted by it.
pieces as (
    select
        row_number() over (order by parts.event_hour, parts.device_id, parts.sensor_key, parts.location_key) as piece,
        parts.*
    from (
        select event_hour, device_id, sensor_key, location_key, tenant_id, count(*) as readings,
            max(received_at) as last_received
        from readings_of_stale_hours
        group by event_hour, device_id, sensor_key, location_key, tenant_id
    ) as parts
),

readings as (
    select
        pieces.piece,
        readings.event_time,
        readings.temperature,
        readings.humidity,
        readings.pressure,
        readings.flow_rate,
        readings.battery,
        readings.rssi
    from readings_of_stale_hours as readings
    join pieces
        on pieces.event_hour = readings.event_hour
        and pieces.device_id = readings.device_id
        and pieces.sensor_key = readings.sensor_key
        and pieces.location_key = readings.location_key
),

long_form as (

    select piece, event_time, cast('temperature' as varchar(64)) as metric, temperature as value
    from readings
    where temperature is not null
    union all
    select piece, event_time, cast('humidity' as varchar(64)) as metric, humidity as value
    from readings
    where humidity is not null
    union all
    select piece, event_time, cast('pressure' as varchar(64)) as metric, pressure as value
    from readings
    where pressure is not null
    union all
    select piece, event_time, cast('flow_rate' as varchar(64)) as metric, flow_rate as value
    from readings
    where flow_rate is not null
    union all
    select piece, event_time, cast('battery' as varchar(64)) as metric, battery as value
    from readings
    where battery is not null
    union all
    select piece, event_time, cast('rssi' as varchar(64)) as metric, rssi as value
    from readings
    where rssi is not null

),

hourly as (
    select
        piece,
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
    group by piece, metric
)

select
    pieces.event_hour,
    pieces.device_id,
    pieces.sensor_key,
    pieces.location_key,
    pieces.tenant_id,
    hourly.metric,
    hourly.value_count,
    hourly.min_value,
    hourly.max_value,
    hourly.avg_value,
    hourly.stddev_value,
    hourly.p50_value,
    hourly.p95_value,
    hourly.first_event,
    hourly.last_event,
    -- Of the sensor in that hour, whichever metrics they carry: the same in each metric's row.
    pieces.readings,
    pieces.last_received
from hourly
join pieces on pieces.piece = hourly.piece
  );
