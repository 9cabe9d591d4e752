select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select *
from "telemetry"."marts"."dim_sensor"
where expected_interval_s < 0 or expected_interval_s > 604800

    ) dbt_internal_test
