-- The last seven dates that have begun; the lowest uptime first, then the most gaps.
with sensor_days as (
    select event_date, device_id, sensor_key, location_key, tenant_id, min(uptime) as uptime, max(gaps) as gaps
    from {{ ref('fact_sensor_daily') }}
    where event_date > (select cast(as_of as date) from {{ ref('clock') }}) - 7 and {{ has_begun('event_date') }}
    group by event_date, device_id, sensor_key, location_key, tenant_id
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
    registered.sensor_name,
    registered.model_name,
    registered.site_id,
    sensors.days,
    sensors.uptime,
    sensors.gaps,
    health.status,
    health.last_seen,
    row_number() over (order by sensors.uptime, sensors.gaps desc, sensors.device_id, sensors.tenant_id) as place
from sensors
join {{ ref('dim_sensor') }} as registered on registered.device_id = sensors.device_id and registered.is_current
left join {{ ref('fact_device_health') }} as health on health.device_id = sensors.device_id
where sensors.uptime is not null
