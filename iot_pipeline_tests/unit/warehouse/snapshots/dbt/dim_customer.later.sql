delete from "telemetry"."marts"."dim_customer";

    insert into "telemetry"."marts"."dim_customer" ("customer_id", "tenant_id", "customer_name", "created_at")
    select "customer_id", "tenant_id", "customer_name", "created_at" from "dim_customer__dbt_tmp"
