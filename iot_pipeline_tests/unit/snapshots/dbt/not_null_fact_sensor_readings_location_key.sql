select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select location_key
from (select * from "telemetry"."marts"."fact_sensor_readings" where event_hour in (select event_hour from marts.stale_hours)) dbt_subquery
where location_key is null

    ) dbt_internal_test
