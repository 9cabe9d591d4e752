{# Rows with a metric outside the contract's plausible range. #}
{% test within_contract(model) %}
select *
from {{ model }}
where
    {% for metric in var('metrics') -%}
    {{ metric.name }} < {{ metric.minimum }} or {{ metric.name }} > {{ metric.maximum }}{% if not loop.last %} or{% endif %}
    {% endfor -%}
{% endtest %}

{% test between(model, column_name, minimum, maximum) %}
select *
from {{ model }}
where {{ column_name }} < {{ minimum }} or {{ column_name }} > {{ maximum }}
{% endtest %}

{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Versions of one thing that hold at the same time, or never. #}
{% test no_overlapping_versions(model, natural_key) %}
select *
from (
    select
        {{ natural_key | join(', ') }},
        valid_from,
        valid_to,
        lead(valid_from) over (partition by {{ natural_key | join(', ') }} order by valid_from) as next_valid_from
    from {{ model }}
) as versions
where valid_to <= valid_from or next_valid_from < valid_to
{% endtest %}
