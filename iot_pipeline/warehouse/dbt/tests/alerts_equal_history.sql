-- Date by date: alerts in the facts = episodes loaded. A date that was loaded again since then is left to the next run.
{{ config(meta={'dagster': {'ref': {'name': 'fact_alerts'}}}) }}

with counted as (
    select opened_date, content, count(*) as alerts
    from {{ ref('fact_alerts') }}
    group by opened_date, content
)

select loads.opened_date, loads.episodes, counted.alerts
from {{ ref('stg_alert_loads') }} as loads
join counted on counted.opened_date = loads.opened_date and counted.content = loads.content
where loads.episodes <> counted.alerts
