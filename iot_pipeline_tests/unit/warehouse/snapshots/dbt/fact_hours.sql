create  table
    "telemetry"."marts"."fact_hours"

    diststyle all

      compound sortkey(event_hour)
  as (

-- The books of the facts. Written last: an hour is here with its load when all facts hold it.
-- depends_on: "telemetry"."marts"."fact_sensor_daily"
-- depends_on: "telemetry"."marts"."fact_device_health"
with counted as (
    select
        event_hour,
        count(*) as readings,
        sum(case when sensor_key = 'unknown' then 1 else 0 end) as unknown_sensor_readings,
        sum(case when location_key = 'unknown' then 1 else 0 end) as unknown_location_readings
    from "telemetry"."marts"."fact_sensor_readings"
    where event_hour in (select event_hour from "telemetry"."marts"."stale_hours")
    group by event_hour
),

hourly as (
    select event_hour, sum(readings) as hourly_readings
    from (
        select event_hour, device_id, sensor_key, location_key, max(readings) as readings
        from "telemetry"."marts"."fact_sensor_hourly"
        where event_hour in (select event_hour from "telemetry"."marts"."stale_hours")
        group by event_hour, device_id, sensor_key, location_key
    ) as device_hours
    group by event_hour
)

select
    stale_hours.event_hour,
    stale_hours.content,
    stale_hours.location,
    coalesce(counted.readings, 0) as readings,
    cast(coalesce(hourly.hourly_readings, 0) as bigint) as hourly_readings,
    cast(coalesce(counted.unknown_sensor_readings, 0) as bigint) as unknown_sensor_readings,
    cast(coalesce(counted.unknown_location_readings, 0) as bigint) as unknown_location_readings,
    getdate() as built_at
from "telemetry"."marts"."stale_hours" as stale_hours
left join counted on counted.event_hour = stale_hours.event_hour
left join hourly on hourly.event_hour = stale_hours.event_hour
where stale_hours.content is not null
  );
