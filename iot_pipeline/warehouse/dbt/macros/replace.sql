{# What an incremental model replaces: exactly the hours (or dates) that are stale, also where nothing is left of them.
   dbt's delete+insert deletes only what it inserts again. Both statements are one transaction. #}
{% macro get_incremental_replace_stale_hours_sql(arguments) %}
    {{ replace_stale(arguments, 'event_hour', ref('stale_hours')) }}
{% endmacro %}

{% macro get_incremental_replace_stale_dates_sql(arguments) %}
    {{ replace_stale(arguments, 'event_date', ref('stale_dates')) }}
{% endmacro %}

{% macro get_incremental_replace_stale_alert_dates_sql(arguments) %}
    {{ replace_stale(arguments, 'opened_date', ref('stale_alert_dates')) }}
{% endmacro %}

{# All rows. Unlike a table that is built beside the old one and takes its name, this one keeps its grants and its views. #}
{% macro get_incremental_replace_all_sql(arguments) %}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) %}
    delete from {{ arguments.target_relation }};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{% endmacro %}

{% macro replace_stale(arguments, column, stale) %}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) %}
    delete from {{ arguments.target_relation }}
    where {{ column }} in (select {{ column }} from {{ stale }});

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{% endmacro %}
