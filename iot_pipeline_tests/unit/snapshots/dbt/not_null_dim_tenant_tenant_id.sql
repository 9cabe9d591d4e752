select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

select tenant_id
from "telemetry"."marts"."dim_tenant"
where tenant_id is null

    ) dbt_internal_test
