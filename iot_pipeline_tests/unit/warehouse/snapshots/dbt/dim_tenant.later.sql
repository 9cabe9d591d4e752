delete from "telemetry"."marts"."dim_tenant";

    insert into "telemetry"."marts"."dim_tenant" ("tenant_id", "tenant_name", "plan", "created_at")
    select "tenant_id", "tenant_name", "plan", "created_at" from "dim_tenant__dbt_tmp"
