{{ config(incremental_strategy='replace_all', dist='all', sort=['opened_date']) }}

-- Dates whose alerts were loaded with other content than their facts were built from, or whose facts no longer fit the dimensions.
-- All alerts are looked at, since there are few.
-- depends_on: {{ ref('dim_sensor') }}
-- depends_on: {{ ref('dim_location') }}
{% set facts = last_facts('fact_alerts') if execute %}

with noted as (
    {% if facts -%}
    select distinct opened_date, content from {{ facts }}
    {%- else -%}
    select opened_date, content from {{ ref('stg_alert_loads') }} where 1 = 0
    {%- endif %}
)

select coalesce(loads.opened_date, noted.opened_date) as opened_date
from {{ ref('stg_alert_loads') }} as loads
full outer join noted on noted.opened_date = loads.opened_date
where loads.opened_date is null or noted.opened_date is null or noted.content <> loads.content
{% if facts -%}
union
select facts.opened_date
from {{ facts }} as facts
{{ joined_as_opened('facts') }}
where
    facts.location_key <> {{ location_key_as_opened() }}
    or facts.sensor_key <> {{ sensor_key_as_opened('facts') }}
{%- endif %}
