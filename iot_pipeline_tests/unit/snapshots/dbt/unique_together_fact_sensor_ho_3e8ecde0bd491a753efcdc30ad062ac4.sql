select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select event_hour, device_id, sensor_key, location_key, metric
from (select * from "telemetry"."marts"."fact_sensor_hourly" where event_hour in (select event_hour from marts.stale_hours)) dbt_subquery
group by event_hour, device_id, sensor_key, location_key, metric
having count(*) > 1

    ) dbt_internal_test
