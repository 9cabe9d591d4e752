select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select
    event_hour as unique_field,
    count(*) as n_records

from "telemetry"."marts"."fact_hours"
where event_hour is not null
group by event_hour
having count(*) > 1

    ) dbt_internal_test
