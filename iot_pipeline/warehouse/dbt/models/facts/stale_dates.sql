{{ config(incremental_strategy='replace_all', dist='all', sort=['event_date']) }}

-- The dates of the stale hours, and those whose facts expected readings for another part of the day than they would now:
-- as_of has moved on, or a version has begun or ended where no reading was.
-- depends_on: {{ ref('dim_sensor') }}
-- depends_on: {{ ref('dim_location') }}
-- depends_on: {{ ref('clock') }}
{% set daily = last_facts('fact_sensor_daily') if execute %}

select distinct cast(event_hour as date) as event_date
from {{ ref('stale_hours') }}
{% if daily -%}
union
select distinct facts.event_date
from {{ daily }} as facts
join {{ ref('dim_sensor') }} as sensors on sensors.sensor_key = facts.sensor_key
join {{ ref('dim_location') }} as locations on locations.location_key = facts.location_key
cross join {{ ref('clock') }} as clock
where
    facts.observed_from <> {{ observed_from('facts.event_date', 'sensors', 'locations') }}
    or facts.observed_until <> {{ observed_until('facts.event_date', 'sensors', 'locations', 'clock.as_of') }}
    or coalesce(facts.expected_interval_s, 0) <> coalesce(sensors.expected_interval_s, 0)
{%- endif %}
