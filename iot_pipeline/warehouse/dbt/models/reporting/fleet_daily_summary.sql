with sensor_days as (
    select
        event_date,
        tenant_id,
        device_id,
        sensor_key,
        location_key,
        avg(uptime) as uptime,
        max(gaps) as gaps,
        min(case when metric = 'battery' then min_value end) as min_battery
    from {{ ref('fact_sensor_daily') }}
    where {{ has_begun('event_date') }}
    group by event_date, tenant_id, device_id, sensor_key, location_key
),

fleet as (
    select
        event_date,
        tenant_id,
        count(distinct device_id) as devices,
        avg(uptime) as uptime,
        cast(sum(gaps) as bigint) as gaps,
        sum(case when min_battery < {{ var('battery_low_volts') }} then 1 else 0 end) as low_batteries
    from sensor_days
    group by event_date, tenant_id
),

device_hours as (
    select
        cast(event_hour as date) as event_date,
        tenant_id,
        event_hour,
        device_id,
        sensor_key,
        location_key,
        max(readings) as readings
    from {{ ref('fact_sensor_hourly') }}
    group by event_hour, tenant_id, device_id, sensor_key, location_key
),

received as (
    select event_date, tenant_id, cast(sum(readings) as bigint) as readings, count(distinct case when event_hour <= as_of then event_hour end) as hours
    from device_hours
    cross join {{ ref('clock') }} as clock
    group by event_date, tenant_id
)

select
    fleet.event_date,
    fleet.tenant_id,
    tenants.tenant_name,
    received.hours,
    fleet.devices,
    received.readings,
    fleet.uptime,
    fleet.gaps,
    fleet.low_batteries
from fleet
join received on received.event_date = fleet.event_date and received.tenant_id = fleet.tenant_id
left join {{ ref('dim_tenant') }} as tenants on tenants.tenant_id = fleet.tenant_id
