{# The key of a version: of what it is a version, and from when. #}
{% macro version_key(natural_key) -%}
    md5({% for column in natural_key %}{{ column }} || '|' || {% endfor %}to_char(valid_from, 'YYYY-MM-DD HH24:MI:SS.US'))
{%- endmacro %}

{# A version that holds at a moment. #}
{% macro holds_at(version, moment) -%}
    {{ moment }} >= {{ version }}.valid_from and {{ moment }} < {{ version }}.valid_to
{%- endmacro %}
