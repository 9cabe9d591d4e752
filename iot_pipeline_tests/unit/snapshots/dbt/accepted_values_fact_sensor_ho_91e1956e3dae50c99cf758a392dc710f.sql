select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

with all_values as (

    select
        metric as value_field,
        count(*) as n_records

    from (select * from "telemetry"."marts"."fact_sensor_hourly" where event_hour in (select event_hour from marts.stale_hours)) dbt_subquery
    group by metric

)

select *
from all_values
where value_field not in (
    'temperature','humidity','pressure','flow_rate','battery','rssi'
)

    ) dbt_internal_test
