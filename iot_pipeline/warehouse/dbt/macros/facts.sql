{# A fact table as the last run left it, none before the first. It is no ref: what is stale depends on the facts, and the facts
   on what is stale. #}
{% macro last_facts(name) %}
    {{ return(adapter.get_relation(target.database, 'marts', name)) }}
{% endmacro %}

{# From now on these hours count as unbuilt, whatever happens: fact_hours takes them up again when all facts hold them. #}
{% macro mark_unbuilt() %}
    {%- set fact_hours = last_facts('fact_hours') if execute -%}
    {%- if fact_hours -%}
    update {{ fact_hours }} set content = null where event_hour in (select event_hour from {{ this }})
    {%- endif -%}
{% endmacro %}

{# Readings of a relation, a row a value: the columns given, then metric and value. #}
{% macro values_of(relation, columns) %}
    {%- for metric in var('metrics') %}
    select {{ columns | join(', ') }}, cast('{{ metric.name }}' as varchar(64)) as metric, {{ metric.name }} as value
    from {{ relation }}
    where {{ metric.name }} is not null
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
{% endmacro %}

{# The same statistics for every grain. Percentiles are sort-based aggregates: Redshift wants one order for all of a query. #}
{% macro statistics() -%}
    count(*) as value_count,
    min(value) as min_value,
    max(value) as max_value,
    avg(value) as avg_value,
    stddev_samp(value) as stddev_value,
    percentile_cont(0.5) within group (order by value) as p50_value,
    percentile_cont(0.95) within group (order by value) as p95_value,
    min(event_time) as first_event,
    max(event_time) as last_event
{%- endmacro %}

{# Readings that a device's present interval asks for between a moment and as_of, once it and the data exist. #}
{% macro expected_since(start) -%}
    case
        when devices.expected_interval_s is not null
            then greatest(
                cast(floor(
                    {{ seconds_between('greatest(' ~ start ~ ', clock.first_hour, devices.registered_at)', 'clock.as_of') }}
                    / devices.expected_interval_s
                ) as bigint),
                0
            )
    end
{%- endmacro %}
