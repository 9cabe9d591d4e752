select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (

with child as (
    select tenant_id as from_field
    from "telemetry"."marts"."dim_sensor"
    where tenant_id is not null
),

parent as (
    select tenant_id as to_field
    from "telemetry"."marts"."dim_tenant"
)

select
    from_field

from child
left join parent
    on child.from_field = parent.to_field

where parent.to_field is null

    ) dbt_internal_test
