{{ config(
    incremental_strategy='replace_stale_dates',
    dist='device_id',
    sort=['event_date', 'device_id']
) }}

with readings_of_stale_dates as (
    select cast(event_hour as date) as event_date, facts.*
    from {{ ref('fact_sensor_readings') }} as facts
    where cast(event_hour as date) in (select event_date from {{ ref('stale_dates') }})
),

-- A date, or the part of it in which the sensor and its site were what they were; numbered, since values are sorted by it.
pieces as (
    select
        row_number() over (
            order by parts.event_date, parts.device_id, parts.sensor_key, parts.location_key
        ) as piece,
        parts.*,
        {{ observed_from('parts.event_date', 'sensors', 'locations') }} as observed_from,
        {{ observed_until('parts.event_date', 'sensors', 'locations', 'clock.as_of') }} as observed_until,
        sensors.expected_interval_s
    from (
        select distinct event_date, device_id, sensor_key, location_key, tenant_id
        from readings_of_stale_dates
    ) as parts
    join {{ ref('dim_sensor') }} as sensors on sensors.sensor_key = parts.sensor_key
    join {{ ref('dim_location') }} as locations on locations.location_key = parts.location_key
    cross join {{ ref('clock') }} as clock
),

readings as (
    select
        pieces.piece,
        readings.event_time,
        {{ epoch('readings.event_time') }} as event_second,
        case
            when readings.event_time < pieces.observed_until
                then {{ intervals_between('pieces.observed_from', 'readings.event_time', 'pieces.expected_interval_s') }}
        end as interval_number,
        {{ var('gap_intervals') }} * pieces.expected_interval_s as gap_s{% for metric in var('metrics') %},
        readings.{{ metric.name }}{% endfor %}
    from readings_of_stale_dates as readings
    join pieces
        on pieces.event_date = readings.event_date
        and pieces.device_id = readings.device_id
        and pieces.sensor_key = readings.sensor_key
        and pieces.location_key = readings.location_key
),

long_form as (
    {{ values_of('readings', ['piece', 'event_time', 'event_second', 'interval_number', 'gap_s']) }}
),

in_order as (
    select
        long_form.*,
        event_second - lag(event_second) over (partition by piece, metric order by event_time) as pause_s,
        lag(interval_number) over (partition by piece, metric order by event_time) as previous_interval_number
    from long_form
),

daily as (
    select
        piece,
        metric,
        {{ statistics() }},
        sum(
            case
                when interval_number is null then 0
                when previous_interval_number is null or interval_number <> previous_interval_number then 1
                else 0
            end
        ) as seen_intervals,
        sum(case when pause_s > gap_s then 1 else 0 end) as inner_gaps,
        max(pause_s) as longest_inner_pause_s
    from in_order
    group by piece, metric
),

measured as (
    select
        pieces.event_date,
        pieces.device_id,
        pieces.sensor_key,
        pieces.location_key,
        pieces.tenant_id,
        pieces.observed_from,
        pieces.observed_until,
        pieces.expected_interval_s,
        daily.*,
        {{ var('gap_intervals') }} * pieces.expected_interval_s as gap_s,
        -- Less than one interval, as of a version that held for a minute, still is one.
        greatest(
            {{ intervals_between('pieces.observed_from', 'pieces.observed_until', 'pieces.expected_interval_s') }}, 1
        ) as all_intervals,
        {{ seconds_between('pieces.observed_from', 'least(daily.first_event, pieces.observed_until)') }} as first_pause_s,
        greatest({{ seconds_between('daily.last_event', 'pieces.observed_until') }}, 0) as last_pause_s
    from daily
    join pieces on pieces.piece = daily.piece
)

select
    event_date,
    {{ date_key('event_date') }} as date_key,
    device_id,
    sensor_key,
    location_key,
    tenant_id,
    metric,
    value_count,
    min_value,
    max_value,
    avg_value,
    stddev_value,
    p50_value,
    p95_value,
    first_event,
    last_event,
    observed_from,
    observed_until,
    expected_interval_s,
    case when observed_until > observed_from and expected_interval_s is not null then all_intervals end as expected_intervals,
    case when expected_interval_s is not null then seen_intervals end as seen_intervals,
    case
        when observed_until > observed_from and expected_interval_s is not null
            then least(cast(seen_intervals as double precision) / all_intervals, 1.0)
    end as uptime,
    case
        when expected_interval_s is not null
            then inner_gaps
                + case when first_pause_s > gap_s then 1 else 0 end
                + case when last_pause_s > gap_s then 1 else 0 end
    end as gaps,
    greatest(coalesce(longest_inner_pause_s, 0), first_pause_s, last_pause_s) as longest_pause_s
from measured
