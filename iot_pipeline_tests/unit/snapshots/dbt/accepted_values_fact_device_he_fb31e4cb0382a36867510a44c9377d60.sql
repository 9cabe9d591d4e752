select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

with all_values as (

    select
        status as value_field,
        count(*) as n_records

    from "telemetry"."marts"."fact_device_health"
    group by status

)

select *
from all_values
where value_field not in (
    'unregistered','decommissioned','never seen','silent','losing readings','low battery','healthy'
)

    ) dbt_internal_test
