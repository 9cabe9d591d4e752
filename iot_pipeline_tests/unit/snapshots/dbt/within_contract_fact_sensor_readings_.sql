select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select *
from (select * from "telemetry"."marts"."fact_sensor_readings" where event_hour in (select event_hour from marts.stale_hours)) dbt_subquery
where
    temperature < -60.0 or temperature > 150.0 or
    humidity < 0.0 or humidity > 100.0 or
    pressure < 300.0 or pressure > 1100.0 or
    flow_rate < 0.0 or flow_rate > 500.0 or
    battery < 0.0 or battery > 5.0 or
    rssi < -130.0 or rssi > 0.0

    ) dbt_internal_test
