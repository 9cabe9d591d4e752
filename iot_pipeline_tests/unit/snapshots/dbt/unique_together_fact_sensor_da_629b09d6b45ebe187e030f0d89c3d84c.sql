select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select event_date, device_id, sensor_key, location_key, metric
from (select * from "telemetry"."marts"."fact_sensor_daily" where event_date in (select event_date from marts.stale_dates)) dbt_subquery
group by event_date, device_id, sensor_key, location_key, metric
having count(*) > 1

    ) dbt_internal_test
