delete from "telemetry"."marts"."fact_sensor_daily"
    where event_date in (select event_date from "telemetry"."marts"."stale_dates");

    insert into "telemetry"."marts"."fact_sensor_daily" ("event_date", "date_key", "device_id", "sensor_key", "location_key", "tenant_id", "metric", "value_count", "min_value", "max_value", "avg_value", "stddev_value", "p50_value", "p95_value", "first_event", "last_event", "observed_from", "observed_until", "expected_interval_s", "expected_intervals", "seen_intervals", "uptime", "gaps", "longest_pause_s")
    select "event_date", "date_key", "device_id", "sensor_key", "location_key", "tenant_id", "metric", "value_count", "min_value", "max_value", "avg_value", "stddev_value", "p50_value", "p95_value", "first_event", "last_event", "observed_from", "observed_until", "expected_interval_s", "expected_intervals", "seen_intervals", "uptime", "gaps", "longest_pause_s" from "fact_sensor_daily__dbt_tmp"
