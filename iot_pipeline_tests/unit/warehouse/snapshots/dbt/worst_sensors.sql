create view "telemetry"."reporting"."worst_sensors__dbt_tmp" as (
    -- The last seven dates that have begun; the lowest uptime first, then the most gaps.
with heard_days as (
    select event_date, device_id, sensor_key, location_key, tenant_id, min(uptime) as uptime, max(gaps) as gaps
    from "telemetry"."marts"."fact_sensor_daily"
    where event_date > (select cast(as_of as date) from "telemetry"."marts"."clock") - 7 and event_date <= (select cast(as_of as date) from "telemetry"."marts"."clock")
    group by event_date, device_id, sensor_key, location_key, tenant_id
),

registered as (
    select device_id, min(valid_from) as registered_at
    from "telemetry"."marts"."dim_sensor"
    group by device_id
),

-- Of a date without any reading there are no daily facts: which devices should have sent is the registry's to say. A device whose
-- readings arrive hours after their time is left out, since by its own clock the date may be yet to come.
silent_days as (
    select dates.date_day as event_date, sensors.device_id, sensors.tenant_id
    from "telemetry"."marts"."dim_sensor" as sensors
    join registered on registered.device_id = sensors.device_id
    join "telemetry"."marts"."fact_device_health" as health on health.device_id = sensors.device_id
    cross join "telemetry"."marts"."clock" as clock
    join "telemetry"."marts"."dim_date" as dates
        on dates.date_day > cast(clock.as_of as date) - 7
        and dates.date_day < clock.as_of
        and dates.date_day >= greatest(clock.first_hour, registered.registered_at)
    left join heard_days on heard_days.device_id = sensors.device_id and heard_days.event_date = dates.date_day
    where
        sensors.is_current
        and sensors.status = 'active'
        and heard_days.device_id is null
        and (health.last_seen is null or (cast(extract(epoch from date_trunc('second', health.last_received)) as bigint) - cast(extract(epoch from date_trunc('second', health.last_seen)) as bigint)) < 3600)
),

sensor_days as (
    select event_date, device_id, tenant_id, uptime, gaps from heard_days
    union all
    select event_date, device_id, tenant_id, 0.0 as uptime, 1 as gaps from silent_days
),

sensors as (
    select
        device_id,
        tenant_id,
        count(distinct event_date) as days,
        avg(uptime) as uptime,
        cast(sum(gaps) as bigint) as gaps
    from sensor_days
    group by device_id, tenant_id
)

select
    sensors.device_id,
    sensors.tenant_id,
    dim_sensor.sensor_name,
    dim_sensor.model_name,
    dim_sensor.site_id,
    sensors.days,
    sensors.uptime,
    sensors.gaps,
    health.status,
    health.last_seen,
    row_number() over (order by sensors.uptime, sensors.gaps desc, sensors.device_id, sensors.tenant_id) as place
from sensors
join "telemetry"."marts"."dim_sensor" as dim_sensor on dim_sensor.device_id = sensors.device_id and dim_sensor.is_current
left join "telemetry"."marts"."fact_device_health" as health on health.device_id = sensors.device_id
where sensors.uptime is not null
  ) with no schema binding;
