create view "telemetry"."staging"."stg_tenants__dbt_tmp" as (
    select tenant_id, name as tenant_name, plan, created_at
from "telemetry"."registry"."tenants"
  ) with no schema binding;
