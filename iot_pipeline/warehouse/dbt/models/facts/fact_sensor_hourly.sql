{{ config(
    incremental_strategy='replace_stale_hours',
    dist='device_id',
    sort=['event_hour', 'device_id']
) }}

with readings_of_stale_hours as (
    select *
    from {{ ref('fact_sensor_readings') }}
    where event_hour in (select event_hour from {{ ref('stale_hours') }})
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
        readings.event_time{% for metric in var('metrics') %},
        readings.{{ metric.name }}{% endfor %}
    from readings_of_stale_hours as readings
    join pieces
        on pieces.event_hour = readings.event_hour
        and pieces.device_id = readings.device_id
        and pieces.sensor_key = readings.sensor_key
        and pieces.location_key = readings.location_key
),

long_form as (
    {{ values_of('readings', ['piece', 'event_time']) }}
),

hourly as (
    select
        piece,
        metric,
        {{ statistics() }}
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
