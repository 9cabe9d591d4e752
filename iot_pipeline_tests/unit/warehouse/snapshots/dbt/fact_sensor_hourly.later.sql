delete from "telemetry"."marts"."fact_sensor_hourly"
    where event_hour in (select event_hour from "telemetry"."marts"."stale_hours");

    insert into "telemetry"."marts"."fact_sensor_hourly" ("event_hour", "device_id", "sensor_key", "location_key", "tenant_id", "metric", "value_count", "min_value", "max_value", "avg_value", "stddev_value", "p50_value", "p95_value", "first_event", "last_event", "readings", "last_received")
    select "event_hour", "device_id", "sensor_key", "location_key", "tenant_id", "metric", "value_count", "min_value", "max_value", "avg_value", "stddev_value", "p50_value", "p95_value", "first_event", "last_event", "readings", "last_received" from "fact_sensor_hourly__dbt_tmp"
