delete from "telemetry"."marts"."dim_sensor";

    insert into "telemetry"."marts"."dim_sensor" ("sensor_key", "device_id", "tenant_id", "site_id", "sensor_name", "model_id", "model_name", "manufacturer", "metrics", "status", "firmware", "expected_interval_s", "last_calibrated_at", "valid_from", "valid_to", "is_current")
    select "sensor_key", "device_id", "tenant_id", "site_id", "sensor_name", "model_id", "model_name", "manufacturer", "metrics", "status", "firmware", "expected_interval_s", "last_calibrated_at", "valid_from", "valid_to", "is_current" from "dim_sensor__dbt_tmp"
