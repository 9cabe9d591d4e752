{{ config(sort=['date_key']) }}

-- Needs no data; it follows the loads so that the run that builds the facts builds it too.
-- depends_on: {{ ref('stg_loads') }}

with digits as (
    {% for digit in range(10) -%}
    select {{ digit }} as digit{% if not loop.last %} union all{% endif %}
    {% endfor %}
),

dates as (
    select
        cast('{{ var("first_year") }}-01-01' as date)
        + (ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit) as date_day
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
)

select
    {{ date_key('date_day') }} as date_key,
    date_day,
    cast(extract(year from date_day) as integer) as year,
    cast(extract(quarter from date_day) as integer) as quarter,
    cast(extract(month from date_day) as integer) as month,
    cast(extract(day from date_day) as integer) as day_of_month,
    cast(extract(week from date_day) as integer) as iso_week,
    -- 0 is Sunday.
    cast(extract(dow from date_day) as integer) as day_of_week,
    extract(dow from date_day) in (0, 6) as is_weekend
from dates
where date_day <= cast('{{ var("last_year") }}-12-31' as date)
