create  table
    "telemetry"."marts"."dim_tenant"

    diststyle all

      compound sortkey(tenant_id)
  as (

select tenant_id, tenant_name, plan, created_at
from "telemetry"."staging"."stg_tenants"
union all
select 'unknown', 'Unknown tenant', 'none', cast('1900-01-01 00:00:00' as timestamp)
  );
