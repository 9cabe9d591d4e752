create  table
    "telemetry"."marts"."dim_date"

    diststyle all

      compound sortkey(date_key)
  as (

-- Needs no data; it follows the loads so that the run that builds the facts builds it too.
-- depends_on: "telemetry"."staging"."stg_loads"

with digits as (
    select 0 as digit union all
    select 1 as digit union all
    select 2 as digit union all
    select 3 as digit union all
    select 4 as digit union all
    select 5 as digit union all
    select 6 as digit union all
    select 7 as digit union all
    select 8 as digit union all
    select 9 as digit

),

dates as (
    select
        cast('2020-01-01' as date)
        + (ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit) as date_day
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
)

select
    cast(to_char(date_day, 'YYYYMMDD') as integer) as date_key,
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
where date_day <= cast('2039-12-31' as date)
  );
