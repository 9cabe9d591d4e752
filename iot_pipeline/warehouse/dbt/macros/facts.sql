{# A fact table as the last run left it, none before the first and in a full refresh. It is no ref: what is stale depends on the facts,
   and the facts on what is stale. #}
{% macro last_facts(name) %}
    {{ return(none if flags.FULL_REFRESH else adapter.get_relation(target.database, 'marts', name)) }}
{% endmacro %}

{# From now on these hours count as unbuilt, whatever happens: fact_hours takes them up again when all facts hold them.
   Of a full refresh these are all hours. #}
{% macro mark_unbuilt() %}
    {%- set fact_hours = adapter.get_relation(target.database, 'marts', 'fact_hours') if execute -%}
    {%- if fact_hours -%}
    update {{ fact_hours }} set content = null
    {%- if not flags.FULL_REFRESH %} where event_hour in (select event_hour from {{ this }}){% endif %}
    {%- endif -%}
{% endmacro %}

{# A full refresh of some facts would leave them with the hours that are stale at the time, and none besides. #}
{% macro refuse_partial_refresh() %}
    {%- if execute and flags.FULL_REFRESH -%}
        {%- set facts = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | selectattr('fqn.1', 'equalto', 'facts')
            | map(attribute='unique_id') | list -%}
        {%- set left_out = facts | reject('in', selected_resources) | list -%}
        {%- if 0 < left_out | length < facts | length -%}
            {{ exceptions.raise_compiler_error(
                'a full refresh rebuilds all facts or none, and these are not selected: ' ~ left_out | join(', ')
                ~ '. Nothing was changed. Select the whole folder facts, or leave --full-refresh out'
            ) }}
        {%- endif -%}
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

{# Readings that a device's present interval asks for in so much time before its own as_of, once it and the data exist. #}
{% macro expected_in(span) -%}
    case
        when devices.expected_interval_s is not null
            then greatest(
                cast(floor(
                    {{ seconds_between(
                        "greatest(devices.own_as_of - interval '" ~ span ~ "', "
                        ~ "least(clock.first_hour, devices.first_seen), devices.registered_at)",
                        'devices.own_as_of'
                    ) }}
                    / devices.expected_interval_s
                ) as bigint),
                0
            )
    end
{%- endmacro %}

{# Whether a date has begun by the broker's clock: a device whose clock is ahead has readings of a day that has not. #}
{% macro has_begun(date) -%}
    {{ date }} <= (select cast(as_of as date) from {{ ref('clock') }})
{%- endmacro %}
