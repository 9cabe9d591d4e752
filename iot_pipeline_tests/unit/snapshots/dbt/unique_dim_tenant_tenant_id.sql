select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select
    tenant_id as unique_field,
    count(*) as n_records

from "telemetry"."marts"."dim_tenant"
where tenant_id is not null
group by tenant_id
having count(*) > 1

    ) dbt_internal_test
