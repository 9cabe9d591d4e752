create  table
    "telemetry"."marts"."fact_device_health"

    diststyle all

      compound sortkey(device_id)
  as (

with device_hours as (
    select
        facts.event_hour,
        facts.device_id,
        sum(facts.readings) as readings,
        min(facts.first_event) as first_event,
        max(facts.last_event) as last_event,
        max(facts.last_received) as last_received
    from (
        select
            event_hour,
            device_id,
            sensor_key,
            location_key,
            max(readings) as readings,
            min(first_event) as first_event,
            max(last_event) as last_event,
            -- Hours that were built before arrivals were kept have none; a reading arrives about when it is taken.
            max(coalesce(last_received, last_event)) as last_received
        from "telemetry"."marts"."fact_sensor_hourly"
        group by event_hour, device_id, sensor_key, location_key
    ) as facts
    group by facts.event_hour, facts.device_id
),

seen as (
    select device_id, min(first_event) as first_seen, max(last_event) as last_seen, max(last_received) as last_received
    from device_hours
    group by device_id
),

-- A device's own as_of: earlier by the hours that its newest reading lay behind its newest arrival, since a clock that is slow
-- loses no readings. It says nothing about other devices.
own_clock as (
    select
        seen.*,
        dateadd(
            hour,
            cast(-greatest(floor((cast(extract(epoch from date_trunc('second', seen.last_received)) as bigint) - cast(extract(epoch from date_trunc('second', seen.last_seen)) as bigint)) / 3600.0), 0) as integer),
            clock.as_of
        ) as own_as_of
    from seen
    cross join "telemetry"."marts"."clock" as clock
),

received as (
    select
        device_hours.device_id,
        sum(
            case when device_hours.event_hour >= own_clock.own_as_of - interval '24 hours' then device_hours.readings else 0 end
        ) as received_24h,
        sum(device_hours.readings) as received_7d
    from device_hours
    join own_clock on own_clock.device_id = device_hours.device_id
    where
        device_hours.event_hour >= own_clock.own_as_of - interval '7 days'
        and device_hours.event_hour < own_clock.own_as_of
    group by device_hours.device_id
),

-- Hourly means of the last seven days: x in days before as_of, y in volts.
battery_points as (
    select
        facts.device_id,
        cast((cast(extract(epoch from date_trunc('second', facts.event_hour)) as bigint) - cast(extract(epoch from date_trunc('second', clock.as_of)) as bigint)) as double precision) / 86400 as x,
        facts.avg_value as y
    from "telemetry"."marts"."fact_sensor_hourly" as facts
    cross join "telemetry"."marts"."clock" as clock
    where facts.metric = 'battery' and facts.event_hour >= clock.as_of - interval '7 days'
),

-- Least squares, written out: Redshift has no regr_slope.
battery_trend as (
    select
        device_id,
        count(*) as hours,
        (count(*) * sum(x * y) - sum(x) * sum(y)) / nullif(count(*) * sum(x * x) - sum(x) * sum(x), 0) as volts_per_day
    from battery_points
    group by device_id
),

last_battery as (
    select device_id, avg(y) as volts
    from (
        select device_id, y, rank() over (partition by device_id order by x desc) as place
        from battery_points
    ) as ranked
    where place = 1
    group by device_id
),

registered as (
    select device_id, min(valid_from) as registered_at
    from "telemetry"."marts"."dim_sensor"
    group by device_id
),

devices as (
    select
        coalesce(sensors.device_id, own_clock.device_id) as device_id,
        coalesce(sensors.sensor_key, 'unknown') as sensor_key,
        coalesce(sensors.tenant_id, 'unknown') as tenant_id,
        sensors.site_id,
        sensors.status as registry_status,
        sensors.expected_interval_s,
        registered.registered_at,
        own_clock.first_seen,
        own_clock.last_seen,
        own_clock.last_received,
        coalesce(own_clock.own_as_of, clock.as_of) as own_as_of,
        cast(coalesce(received.received_24h, 0) as bigint) as received_24h,
        cast(coalesce(received.received_7d, 0) as bigint) as received_7d
    from (select * from "telemetry"."marts"."dim_sensor" where is_current and sensor_key <> 'unknown') as sensors
    full outer join own_clock on own_clock.device_id = sensors.device_id
    left join received on received.device_id = own_clock.device_id
    cross join "telemetry"."marts"."clock" as clock
    left join registered on registered.device_id = sensors.device_id
),

expected as (
    select
        devices.*,
        clock.as_of,
        case
        when devices.expected_interval_s is not null
            then greatest(
                cast(floor(
                    (cast(extract(epoch from date_trunc('second', devices.own_as_of)) as bigint) - cast(extract(epoch from date_trunc('second', greatest(devices.own_as_of - interval '24 hours', least(clock.first_hour, devices.first_seen), devices.registered_at))) as bigint))
                    / devices.expected_interval_s
                ) as bigint),
                0
            )
    end as expected_24h,
        case
        when devices.expected_interval_s is not null
            then greatest(
                cast(floor(
                    (cast(extract(epoch from date_trunc('second', devices.own_as_of)) as bigint) - cast(extract(epoch from date_trunc('second', greatest(devices.own_as_of - interval '7 days', least(clock.first_hour, devices.first_seen), devices.registered_at))) as bigint))
                    / devices.expected_interval_s
                ) as bigint),
                0
            )
    end as expected_7d
    from devices
    cross join "telemetry"."marts"."clock" as clock
)

select
    expected.device_id,
    expected.sensor_key,
    coalesce(locations.location_key, 'unknown') as location_key,
    expected.tenant_id,
    expected.as_of,
    expected.last_seen,
    expected.last_received,
    expected.expected_24h,
    expected.received_24h,
    expected.expected_7d,
    expected.received_7d,
    last_battery.volts as battery_volts,
    case when battery_trend.hours >= 3 then battery_trend.volts_per_day end as battery_volts_per_day,
    cast(
        case
            when expected.sensor_key = 'unknown' then 'unregistered'
            when expected.registry_status = 'decommissioned' then 'decommissioned'
            when expected.last_seen is null then 'never seen'
            when (cast(extract(epoch from date_trunc('second', expected.as_of)) as bigint) - cast(extract(epoch from date_trunc('second', expected.last_received)) as bigint))
                > 3 * expected.expected_interval_s then 'silent'
            when expected.received_24h < 0.9 * expected.expected_24h then 'losing readings'
            when last_battery.volts < 3.4 then 'low battery'
            else 'healthy'
        end as varchar(32)
    ) as status
from expected
left join "telemetry"."marts"."dim_location" as locations
    on locations.tenant_id = expected.tenant_id and locations.site_id = expected.site_id
    and locations.is_current and locations.location_key <> 'unknown'
left join battery_trend on battery_trend.device_id = expected.device_id
left join last_battery on last_battery.device_id = expected.device_id
  );
