{{ config(
    incremental_strategy='replace_stale_hours',
    dist='device_id',
    sort=['event_hour', 'device_id']
) }}

{% set grain = ['event_hour', 'device_id', 'sensor_key', 'location_key', 'tenant_id'] %}

with readings as (
    select *
    from {{ ref('fact_sensor_readings') }}
    where event_hour in (select event_hour from {{ ref('stale_hours') }})
),

counted as (
    select {{ grain | join(', ') }}, count(*) as readings
    from readings
    group by {{ grain | join(', ') }}
),

long_form as (
    {{ values_of('readings', grain + ['event_time']) }}
),

hourly as (
    select
        {{ grain | join(', ') }},
        metric,
        {{ statistics() }}
    from long_form
    group by {{ grain | join(', ') }}, metric
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
