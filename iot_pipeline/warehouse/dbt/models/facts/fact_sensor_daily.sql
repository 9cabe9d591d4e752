{{ config(
    incremental_strategy='replace_stale_dates',
    dist='device_id',
    sort=['event_date', 'device_id']
) }}

{% set grain = ['event_date', 'device_id', 'sensor_key', 'location_key', 'tenant_id'] %}
{% set piece = grain + ['metric', 'observed_from', 'observed_until', 'expected_interval_s'] %}

with newest as (
    select max(event_hour) as event_hour from {{ ref('stg_loads') }}
),

readings as (
    select
        cast(facts.event_hour as date) as event_date,
        facts.device_id,
        facts.sensor_key,
        facts.location_key,
        facts.tenant_id,
        facts.event_time,
        facts.seq,
        {{ observed_from('cast(facts.event_hour as date)', 'sensors', 'locations') }} as observed_from,
        {{ observed_until('cast(facts.event_hour as date)', 'sensors', 'locations', 'newest.event_hour') }} as observed_until,
        sensors.expected_interval_s{% for metric in var('metrics') %},
        facts.{{ metric.name }}{% endfor %}
    from {{ ref('fact_sensor_readings') }} as facts
    join {{ ref('dim_sensor') }} as sensors on sensors.sensor_key = facts.sensor_key
    join {{ ref('dim_location') }} as locations on locations.location_key = facts.location_key
    cross join newest
    where cast(facts.event_hour as date) in (select event_date from {{ ref('stale_dates') }})
),

long_form as (
    {{ values_of('readings', grain + ['event_time', 'seq', 'observed_from', 'observed_until', 'expected_interval_s']) }}
),

in_order as (
    select
        long_form.*,
        lag(event_time) over (
            partition by {{ (grain + ['metric']) | join(', ') }} order by event_time, seq
        ) as previous_event
    from long_form
),

paced as (
    select
        in_order.*,
        {{ seconds_between('previous_event', 'event_time') }} as pause_s,
        {{ intervals_between('observed_from', 'event_time', 'expected_interval_s') }} as interval_number,
        {{ intervals_between('observed_from', 'previous_event', 'expected_interval_s') }} as previous_interval_number
    from in_order
),

daily as (
    select
        {{ piece | join(', ') }},
        {{ statistics() }},
        sum(
            case
                when event_time >= observed_until or expected_interval_s is null then 0
                when previous_event is null or interval_number <> previous_interval_number then 1
                else 0
            end
        ) as seen_intervals,
        sum(case when pause_s > {{ var('gap_intervals') }} * expected_interval_s then 1 else 0 end) as inner_gaps,
        max(pause_s) as longest_inner_pause_s
    from paced
    group by {{ piece | join(', ') }}
),

measured as (
    select
        daily.*,
        -- Less than one interval, as of a version that held for a minute, still is one.
        greatest({{ intervals_between('observed_from', 'observed_until', 'expected_interval_s') }}, 1) as expected_intervals,
        greatest({{ seconds_between('observed_from', 'first_event') }}, 0) as first_pause_s,
        greatest({{ seconds_between('last_event', 'observed_until') }}, 0) as last_pause_s
    from daily
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
    case when observed_until > observed_from and expected_interval_s is not null then expected_intervals end as expected_intervals,
    case when expected_interval_s is not null then seen_intervals end as seen_intervals,
    case
        when observed_until > observed_from and expected_interval_s is not null
            then least(cast(seen_intervals as double precision) / expected_intervals, 1.0)
    end as uptime,
    case
        when expected_interval_s is not null
            then inner_gaps
                + case when first_pause_s > {{ var('gap_intervals') }} * expected_interval_s then 1 else 0 end
                + case when last_pause_s > {{ var('gap_intervals') }} * expected_interval_s then 1 else 0 end
    end as gaps,
    greatest(coalesce(longest_inner_pause_s, 0), first_pause_s, last_pause_s) as longest_pause_s
from measured
