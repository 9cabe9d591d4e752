delete from "telemetry"."marts"."dim_location";

    insert into "telemetry"."marts"."dim_location" ("location_key", "tenant_id", "site_id", "customer_id", "site_name", "country", "timezone", "lat", "lon", "valid_from", "valid_to", "is_current")
    select "location_key", "tenant_id", "site_id", "customer_id", "site_name", "country", "timezone", "lat", "lon", "valid_from", "valid_to", "is_current" from "dim_location__dbt_tmp"
