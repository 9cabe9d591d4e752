select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select *
from (
    select
        device_id,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by device_id order by valid_from) as next_valid_from
    from "telemetry"."marts"."dim_sensor"
) as versions
where valid_to <= valid_from or next_valid_from < valid_to

    ) dbt_internal_test
