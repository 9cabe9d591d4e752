select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select event_hour
from "telemetry"."marts"."stale_hours"
where event_hour is null

    ) dbt_internal_test
