select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select device_id, event_time, seq
from (select * from "telemetry"."marts"."fact_sensor_readings" where event_hour in (select event_hour from marts.stale_hours)) dbt_subquery
group by device_id, event_time, seq
having count(*) > 1

    ) dbt_internal_test
