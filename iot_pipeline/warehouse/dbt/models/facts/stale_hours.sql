{{ config(incremental_strategy='replace_all', dist='all', sort=['event_hour'], post_hook="{{ mark_unbuilt() }}") }}

-- Data decides, neither a clock nor a variable: an hour is stale when the content of its load is not what its facts were built from,
-- or when its facts no longer fit the dimensions.
-- depends_on: {{ ref('dim_sensor') }}
-- depends_on: {{ ref('dim_location') }}
-- Read before, so that facts may be newer than it, which harms nothing, but never older, which would look like silence:
-- depends_on: {{ ref('clock') }}
{% set fact_hours = last_facts('fact_hours') if execute %}
{% set hourly = last_facts('fact_sensor_hourly') if execute %}

with noted as (
    {% if fact_hours -%}
    select event_hour, content from {{ fact_hours }}
    {%- else -%}
    select event_hour, content from {{ ref('stg_loads') }} where 1 = 0
    {%- endif %}
),

by_load as (
    select
        coalesce(loads.event_hour, noted.event_hour) as event_hour,
        cast(
            case
                when loads.event_hour is null then 'load removed'
                when noted.event_hour is null then 'new'
                when noted.content is null then 'unfinished'
                else 'loaded again'
            end as varchar(32)
        ) as reason
    from {{ ref('stg_loads') }} as loads
    full outer join noted on noted.event_hour = loads.event_hour
    where
        loads.event_hour is null
        or noted.content is null
        or noted.content <> loads.content
),

{% if hourly -%}
-- First and last event are readings' own times: a version that covers neither of them covers none, since the versions of a
-- device or a site follow each other without a pause.
by_dimension as (
    select distinct facts.event_hour, cast('dimension changed' as varchar(32)) as reason
    from {{ hourly }} as facts
    left join {{ ref('dim_sensor') }} as sensors on sensors.sensor_key = facts.sensor_key
    left join {{ ref('dim_location') }} as locations on locations.location_key = facts.location_key
    where
        sensors.sensor_key is null
        or locations.location_key is null
        or facts.first_event < sensors.valid_from
        or facts.last_event >= sensors.valid_to
        or facts.first_event < locations.valid_from
        or facts.last_event >= locations.valid_to
        or facts.tenant_id <> sensors.tenant_id
        or (locations.location_key <> 'unknown' and locations.tenant_id <> sensors.tenant_id)
        or (locations.location_key <> 'unknown' and locations.site_id <> sensors.site_id)
    union
    select distinct facts.event_hour, cast('device became known' as varchar(32)) as reason
    from {{ hourly }} as facts
    join {{ ref('dim_sensor') }} as sensors on sensors.device_id = facts.device_id
    where
        facts.sensor_key = 'unknown'
        and (({{ holds_at('sensors', 'facts.first_event') }}) or ({{ holds_at('sensors', 'facts.last_event') }}))
    union
    select distinct facts.event_hour, cast('site became known' as varchar(32)) as reason
    from {{ hourly }} as facts
    join {{ ref('dim_sensor') }} as sensors on sensors.sensor_key = facts.sensor_key
    join {{ ref('dim_location') }} as locations
        on locations.tenant_id = sensors.tenant_id and locations.site_id = sensors.site_id
    where
        facts.location_key = 'unknown'
        and facts.sensor_key <> 'unknown'
        and (({{ holds_at('locations', 'facts.first_event') }}) or ({{ holds_at('locations', 'facts.last_event') }}))
),
{%- endif %}

stale as (
    select event_hour, min(reason) as reason
    from (
        select event_hour, reason from by_load
        {% if hourly -%}
        union all
        select event_hour, reason from by_dimension
        {%- endif %}
    ) as reasons
    group by event_hour
),

newest_first as (
    select event_hour, reason, row_number() over (order by event_hour desc) as place, count(*) over () as stale_hours
    from stale
)

select
    newest_first.event_hour,
    loads.content,
    loads.location,
    newest_first.reason,
    -- Stale hours that this run leaves to the next; a full refresh, which begins with empty tables, leaves none.
    {% if flags.FULL_REFRESH -%}
    cast(0 as bigint) as hours_left
    {%- else -%}
    greatest(newest_first.stale_hours - {{ var('hours_per_run') }}, 0) as hours_left
    {%- endif %}
from newest_first
left join {{ ref('stg_loads') }} as loads on loads.event_hour = newest_first.event_hour
{% if not flags.FULL_REFRESH -%}
where newest_first.place <= {{ var('hours_per_run') }}
{%- endif %}
