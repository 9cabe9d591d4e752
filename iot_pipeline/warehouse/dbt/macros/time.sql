{# Whole seconds since 1970. On Redshift EXTRACT(EPOCH FROM timestamp) is an integer; truncating first makes it one everywhere. #}
{% macro epoch(timestamp) -%}
    cast(extract(epoch from date_trunc('second', {{ timestamp }})) as bigint)
{%- endmacro %}

{% macro seconds_between(earlier, later) -%}
    ({{ epoch(later) }} - {{ epoch(earlier) }})
{%- endmacro %}

{# Whole intervals between two moments. Moments are compared by the second, so that a faster interval counts as one second. #}
{% macro intervals_between(earlier, later, interval_s) -%}
    cast(floor({{ seconds_between(earlier, later) }} / greatest({{ interval_s }}, 1.0)) as bigint)
{%- endmacro %}

{% macro date_key(moment) -%}
    cast(to_char({{ moment }}, 'YYYYMMDD') as integer)
{%- endmacro %}

{# The end of what is open, and the beginning of what was always there. #}
{% macro far_future() -%} cast('9999-12-31 00:00:00' as timestamp) {%- endmacro %}
{% macro far_past() -%} cast('1900-01-01 00:00:00' as timestamp) {%- endmacro %}

{# The part of a day for which readings of a sensor's version at a location's version are expected: half-open,
   and not beyond as_of, in whose hour readings may still arrive. Of a day that has not begun by then nothing is observed. #}
{% macro observed_from(date, sensor, location) -%}
    greatest(cast({{ date }} as timestamp), {{ sensor }}.valid_from, {{ location }}.valid_from)
{%- endmacro %}

{% macro observed_until(date, sensor, location, as_of) -%}
    greatest(
        least(cast({{ date }} as timestamp) + interval '1 day', {{ sensor }}.valid_to, {{ location }}.valid_to, {{ as_of }}),
        {{ observed_from(date, sensor, location) }}
    )
{%- endmacro %}
