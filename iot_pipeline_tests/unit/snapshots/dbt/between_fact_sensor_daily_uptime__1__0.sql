select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select *
from (select * from "telemetry"."marts"."fact_sensor_daily" where event_date in (select event_date from marts.stale_dates)) dbt_subquery
where uptime < 0 or uptime > 1

    ) dbt_internal_test
