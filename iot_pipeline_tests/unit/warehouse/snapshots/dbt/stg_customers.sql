create view "telemetry"."staging"."stg_customers__dbt_tmp" as (
    select customer_id, tenant_id, name as customer_name, created_at
from "telemetry"."registry"."customers"
  ) with no schema binding;
