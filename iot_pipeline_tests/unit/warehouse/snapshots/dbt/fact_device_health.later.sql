delete from "telemetry"."marts"."fact_device_health";

    insert into "telemetry"."marts"."fact_device_health" ("device_id", "sensor_key", "location_key", "tenant_id", "as_of", "last_seen", "last_received", "expected_24h", "received_24h", "expected_7d", "received_7d", "battery_volts", "battery_volts_per_day", "status")
    select "device_id", "sensor_key", "location_key", "tenant_id", "as_of", "last_seen", "last_received", "expected_24h", "received_24h", "expected_7d", "received_7d", "battery_volts", "battery_volts_per_day", "status" from "fact_device_health__dbt_tmp"
